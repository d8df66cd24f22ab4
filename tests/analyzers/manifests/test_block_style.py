"""The reader of the plain part of YAML: whatever it reads, it reads as the parser does; and it does read what manifests are made of."""

from __future__ import annotations

import random
import string
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.manifests.any_style import read_events
from analyzers.manifests.block_style import read_block_style
from analyzers.manifests.document import Document
from analyzers.manifests.limits import DEFAULT_LIMITS, Limits, NodeBudget
from analyzers.manifests.source import Chunk, chunks
from analyzers.model.manifest import YamlList, YamlMap, YamlValue
from benchmarks.shapes import profile, repository
from tests.analyzers.manifests.trees import plain

SAMPLES = Path(__file__).parents[3] / "sample_repos"


def lined(value: YamlValue) -> object:
    """A value with its types, the order of its keys, and every line."""
    match value:
        case YamlMap():
            return value.line, list(value.lines.items()), [(key, lined(inner)) for key, inner in value.items()]
        case YamlList():
            return value.line, value.lines, [lined(item) for item in value]
    return type(value), repr(value)


def outcome(document: Document, budget: NodeBudget) -> object:
    return document.line, document.defect, lined(document.value), budget.left


def is_read_alike(text: str, limits: Limits = DEFAULT_LIMITS, nodes: int = 1_000) -> bool:
    """Whether the text is of the plain part, in which case the parser must read the same."""
    budget, of_parser = NodeBudget(nodes), NodeBudget(nodes)
    document = read_block_style(Chunk(text, 7), limits, budget)
    if document is None:
        assert budget.left == nodes
        return False
    (expected,) = read_events(Chunk(text, 7), limits, of_parser)
    assert outcome(document, budget) == outcome(expected, of_parser), text
    return True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b\nc: d", {"a": "b", "c": "d"}),
        ("---\na: 1\n", {"a": 1}),
        ("--- # first\n\n# é\na: 1 # one\n  # two\n\nb: 2   \n#", {"a": 1, "b": 2}),
        ("a:\n  b:\n    c: d\n  e: f\n", {"a": {"b": {"c": "d"}, "e": "f"}}),
        ("a:\n- b\n- c: d\n  e:\n  - f\n-   g: h\n", {"a": ["b", {"c": "d", "e": ["f"]}, {"g": "h"}]}),
        ("a:\n   - b\nc:\nd:\n", {"a": ["b"], "c": None, "d": None}),
        (
            "a: yes\nb: 0x1F\nc: 1.50\nd: ~\ne: 'no'\nf: \"1\"\ng: ''\n",
            {"a": True, "b": 31, "c": 1.5, "d": None, "e": "no", "f": "1", "g": ""},
        ),
        ("a: b c  d\ne: http://f:80/g\nh: 2001:db8::/32\ni: ::/0\nj: --k=l\nm: a,b[c]{d}\n", None),
        ("a: []\nb: {}\nc: [ d, 'e f', 2 ]\ng: {h: {i: [1, {j: k}]}, l: \"m\"}\n", None),
        ("a: {b: []}\nc: [[], {}, [[d]]]\n", {"a": {"b": []}, "c": [[], {}, [["d"]]]}),
    ],
)
def test_what_manifests_are_made_of_is_read_as_by_the_parser(text: str, expected: object) -> None:
    assert is_read_alike(text)
    document = read_block_style(Chunk(text, 1), DEFAULT_LIMITS, NodeBudget(100))
    assert document is not None
    assert expected is None or plain(document.value) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "# a\n", "a", "- a\n", "{a: b}", " a: b\n", "a: b\n...\n", "%YAML 1.1\n---\na: b\n", "---\ta\n", "--- a\n"),
        *("a: b\n---\n", "a: &x b\n", "a: *x\n", "a: !!int 1\n", "<<: {a: b}\n", "? a\n: b\n", "'a': b\n", '"a": b\n', "1: a\n"),
        *("y: a\n", "a : b\n", "a: |\n  b\n", "a: >-\n  b\n", "a: b\n  c\n", "a: 'b\n  c'\n", "a: [b,\n  c]\n", "a:\n  b\n"),
        *("a:\n-\n  b: c\n", "a:\n- - b\n", 'a: "\\n"\n', "a: 'b''c'\n", "a: 'b' c\n", "a: b: c\n", "a: b:\n", "a: b#c\n", "a: {b}\n"),
        *("a: {b: }\n", "a: [b: c]\n", "a: [,]\n", "a: [b,]\n", "a: [b\n", "a: b]\nc: [\n", "a: [b}\n", "a: [b]]\n"),
        *("a: {b: c, b: d}\n", "a: {on: b}\n", "a: [b] c\n", "a: {'b': c}\n", "a: b\na: c\n", "a:\n  b: c\n d: e\n", "a: b\n  c: d\n"),
        *("a:\n - b\n  - c\n", "a: b\n- c\n", "a:\n- b\n  c: d\n", "a:\n  - b\n  c: d\n", "a:\tb\n", "a: b\t\n", "\ta: b\n"),
        *("a: b\r\n", "a: b\rc: d\n", "a: é\n", "a: b # \x01\n", "a: b # \u2028\n", "a: b # \ufeff\n"),
        *("a: @b\n", "a: `b`\n", "a: %b\n", "a: - b\n", "a: ? b\n", "a: , b\n", "a: ] b\n"),
        f"{'a' * 300}: b\n",
        f"a: {{{'b' * 300}: c}}\n",
        "a:\n" + "# b\n" * 100_000,
    ],
)
def test_everything_else_is_left_to_the_parser(text: str) -> None:
    assert not is_read_alike(text)


def test_what_exceeds_a_cap_is_left_to_the_parser_that_says_so() -> None:
    text = "a:\n- b: {c: [d]}\n"
    assert is_read_alike(text, Limits(depth=5), 6)
    assert not is_read_alike(text, Limits(depth=4), 6)
    assert not is_read_alike(text, Limits(depth=5), 5)
    deep = "".join(f"{' ' * level}a:\n" for level in range(2_000))
    assert not is_read_alike(deep)
    assert not is_read_alike("a: " + "[" * 100_000)


def test_repositories_are_of_the_plain_part() -> None:
    texts = [*repository(profile("tiny", 100, 40)).values(), *(path.read_text() for path in sorted(SAMPLES.rglob("*.yaml")))]
    documents = [chunk.text for text in texts for chunk in chunks(text) if "apiVersion" in chunk.text]
    read = sum(map(is_read_alike, documents))
    assert read > 0.9 * len(documents)


PIECES = [
    *("- ", "  ", " ", "\n", ":", ": ", "#", " #", "---\n", "...\n", "{", "}", "[", "]", ",", "{}", "[]", "&a ", "*a", "!t ", "<<: "),
    *("? ", "|\n", ">\n", "'", '"', "\\", "\t", "\r", "%", "@", "y", "~", "1", "-1", "--x", "key:", "k: v\n", "- a\n", "- k: v\n", "-\n"),
    *("{a: b}", "[a, b]", "{a: {b: [c]}}", "é", "\u2028", "\x85", "\ufeff", "\x00", "\x1b", "=", "a" * 1_030, "# c\n", "'q'", "- - a"),
    *("::/0", ":x", "-:", "a:b", "http://x", "a,b", "$(X)", "+", "<", ">", "*", "&", "!"),
]
VALUES = [
    *("", "x", "1", "0x1f", "a b", "'q'", '"q r"', "{}", "[]", "[a, b]", "{a: b, c: 1}", "{a: [b, {c: d}]}", "[1, 'x', \"y\"]", "[a,]"),
    *("{a: }", "{a}", "[a: b]", "a#b", "a #b", "a:b", "a: b", "-x", "- x", "|", "&a x", "null", "[", "{", "]", "{a: b} c", "'q' c"),
    *("[ a , b ]", "[,]", "{,}", "[a,,b]", "{a: b, a: c}", "[y, ~, 1e3]", "[a#b]", "{a:  b}", "{a : b}", '{"a": b}', "::/0", ":x"),
    *("a::", "-"),
]
KEYS = ["", "a:", "b:", "c: ", "d:  ", "e: ", '"f": ', "y: ", "a.b/c: "]
LINES = st.tuples(
    st.sampled_from((0, 0, 0, 1, 2, 2, 3, 4)).map(" ".__mul__),
    st.sampled_from(("", "", "- ", "-  ", "- - ", "-")),
    st.sampled_from(KEYS),
    st.sampled_from(VALUES),
    st.sampled_from(("", "", " ", "  # c", "#")),
).map("".join)


@given(st.sampled_from(("", "", "---\n", "--- # c\n", "---\t\n", "# c\n")), st.lists(LINES, min_size=1, max_size=8).map("\n".join))
def test_lines_of_any_kind_are_read_as_by_the_parser_or_left_to_it(start: str, lines: str) -> None:
    is_read_alike(start + lines)


@pytest.mark.parametrize("place", ["a: {}\n", "a: x{}y\n", "a:{}\n", "a:\n- {}b: c\n", "a: [x{}y, z]\n", "a: 'x'{}\n"])
def test_every_pair_of_characters_is_read_as_by_the_parser_or_left_to_it(place: str) -> None:
    pairs = product(string.printable, repeat=2)
    assert 0 < sum(is_read_alike(place.replace("{}", "".join(pair))) for pair in pairs) < len(string.printable) ** 2


def test_every_letter_in_a_comment_is_read_as_by_the_parser_or_left_to_it() -> None:
    letters = map(chr, (*range(0x3000), *range(0xD000, 0xD800), *range(0xE000, 0xE010), *range(0xFE00, 0x10010)))
    assert sum(is_read_alike(f"a: b # {letter}\n") for letter in letters) > 0x3000


def test_manifests_with_mistakes_are_read_as_by_the_parser_or_left_to_it() -> None:
    chance, texts = random.Random(1), list(repository(profile("tiny", 60, 40)).values())
    read = 0
    for _ in range(4_000):
        text = chance.choice(texts)
        for _ in range(chance.choice((1, 1, 2, 3))):
            text = damaged(text, chance)
        read += is_read_alike(text)
    assert 400 < read < 3_000


def damaged(text: str, chance: random.Random) -> str:
    """The text with a piece put in, cut out or put in place of another, or with a line moved or indented."""
    at = chance.randrange(len(text) + 1)
    lines = text.split("\n")
    number = chance.randrange(len(lines))
    match chance.randrange(5):
        case 0:
            return text[:at] + chance.choice(PIECES) + text[at:]
        case 1:
            return text[:at] + text[at + chance.randint(1, 8) :]
        case 2:
            return text[:at] + chance.choice(PIECES) + text[at + 1 :]
        case 3:
            lines.insert(chance.randrange(len(lines)), lines.pop(number))
        case _:
            lines[number] = chance.choice((" ", "  ", "- ")) + lines[number] if chance.randrange(2) else lines[number][2:]
    return "\n".join(lines)
