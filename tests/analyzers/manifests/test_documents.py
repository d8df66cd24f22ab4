"""The builder: values, lines, keys, merges, anchors and JSON."""

from __future__ import annotations

import math
import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from analyzers.manifests.defects import Unparsable
from analyzers.manifests.document import Document
from analyzers.manifests.documents import read_documents
from analyzers.manifests.limits import DEFAULT_LIMITS, NodeBudget
from analyzers.manifests.source import Chunk
from analyzers.model.manifest import YamlList, YamlMap
from tests.analyzers.manifests.trees import plain


def read(text: str) -> list[Document]:
    return list(read_documents(Chunk(text, 1), DEFAULT_LIMITS, NodeBudget(DEFAULT_LIMITS.nodes)))


def value(text: str) -> object:
    (document,) = read(text)
    assert document.defect is None
    return plain(document.value)


def defect(text: str) -> tuple[str, int]:
    (document,) = read(text)
    assert document.defect is not None
    return document.defect.code, document.defect.line


def mapping(text: str) -> YamlMap:
    (document,) = read(text)
    assert isinstance(document.value, YamlMap)
    return document.value


def test_every_key_and_item_knows_its_line() -> None:
    found = mapping("# first\na: 1\nb:\n  - x\n\n  - d:\n      z: 2\nc: [p,\n  q]\n")
    assert (found.line, found.lines) == (2, {"a": 2, "b": 3, "c": 8})
    items = found["b"]
    assert isinstance(items, YamlList)
    assert (items.line, items.lines) == (4, [4, 6])
    assert isinstance(items[1], YamlMap)
    assert (items[1].line, items[1].lines) == (6, {"d": 6})
    assert isinstance(found["c"], YamlList)
    assert found["c"].lines == [8, 9]


def test_quoted_and_block_scalars_are_strings_whatever_they_say() -> None:
    assert value("""{a: "yes", b: '017', c: "", d: ! 12}""") == {"a": "yes", "b": "017", "c": "", "d": "12"}
    assert value("a: |\n  yes\nb: >-\n  1\n  2\n") == {"a": "yes\n", "b": "1 2"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: !foo {b: [1]}", {"a": {"b": [1]}}),
        ("a: !Sub x\nb: !<tag:x,2020:y> [1]", {"a": "x", "b": [1]}),
        ("a: !!set {b}", {"a": {"b": None}}),
        ("a: !!omap [b: 1]", {"a": [{"b": 1}]}),
        ("a: !!python/object/apply:os.system [id]", {"a": ["id"]}),
        ("a: =\n=: b", {"a": "=", "=": "b"}),
        ("a: !!str 12\nb: !!int '12'", {"a": "12", "b": 12}),
    ],
)
def test_unknown_tags_survive_as_what_they_are_attached_to(text: str, expected: object) -> None:
    assert value(text) == expected


def test_keys_that_are_no_strings_become_strings() -> None:
    assert value("on: a\n1: b\n1.5: c\n017: d\n'2': e\n\"no\": f\n") == {"true": "a", "1": "b", "1.5": "c", "15": "d", "2": "e", "no": "f"}
    assert value("a: &k x\n*k : 1\n&l yes: 2\n") == {"a": "x", "x": 1, "true": 2}
    assert value("y: a\nn: b\n") == {"true": "a", "false": "b"}


@pytest.mark.parametrize("text", ["a: 1\n~: x\n", "a: 1\nnull: x\n", "a: 1\n? [b]\n: x\n", "a: 1\n{b: c}: x\n", "a: 1\n? {}\n: x\n"])
def test_null_and_collections_as_keys_are_errors_on_their_line(text: str) -> None:
    assert defect(text) == ("syntax-error", 2)


@pytest.mark.parametrize(
    "text",
    ["a: 1\nb: 2\na: 3\n", "a: 1\n'b': 2\n\"a\": 3\n", "'1': 1\nb: 2\n1: 3\n", "on: 1\nb: 2\ntrue: 3\n", '{"a": 1,\n"b": 2,\n"a": 3}'],
)
def test_a_key_that_stands_twice_is_an_error_naming_both_lines(text: str) -> None:
    (document,) = read(text)
    assert document.defect is not None
    assert (document.defect.code, document.defect.line) == ("duplicate-key", 3)
    assert "line 1" in document.defect.message


def test_a_key_may_stand_again_in_another_mapping() -> None:
    assert value("a: {a: {a: 1}}\nb: [{a: 1}, {a: 2}]\n") == {"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{<<: {a: 1, b: 2}, a: 3}", {"a": 3, "b": 2}),
        ("{a: 3, <<: {b: 2}}", {"a": 3, "b": 2}),
        ("{<<: [{a: 1}, {a: 2, b: 3}]}", {"a": 1, "b": 3}),
        ("x: &x {a: 1}\nz: {<<: *x, b: 2}\n", {"x": {"a": 1}, "z": {"a": 1, "b": 2}}),
        ("p: &p {a: 1}\nq: &q {a: 2}\nz: {<<: [*p, *q]}\n", {"p": {"a": 1}, "q": {"a": 2}, "z": {"a": 1}}),
        ("{!!merge <<: {a: 1}}", {"a": 1}),
        ("{'<<': {a: 1}}", {"<<": {"a": 1}}),
        ("{!!str <<: {a: 1}}", {"<<": {"a": 1}}),
        ("[<<]", ["<<"]),
        ("{<<: []}", {}),
    ],
)
def test_merges_are_those_of_go_yaml(text: str, expected: object) -> None:
    assert value(text) == expected


def test_a_merged_key_keeps_the_line_it_was_written_on() -> None:
    found = mapping("x: &x\n  a: 1\n  b: 2\nz:\n  <<: *x\n  b: 3\n")
    assert isinstance(found["z"], YamlMap)
    assert found["z"].lines == {"a": 2, "b": 6}


def test_merged_keys_keep_their_order() -> None:
    names = [f"k{n}" for n in range(50)]
    merged = ", ".join(f"{name}: 1" for name in names)
    assert list(mapping(f"{{<<: [{{{merged}}}, {{k0: 2, z: 3}}], a: 4}}")) == [*names, "z", "a"]


def test_a_message_stays_short_whatever_it_quotes() -> None:
    (document,) = read(f"*{'x' * 10_000}\n")
    assert document.defect is not None
    assert len(document.defect.message) <= 300


@pytest.mark.parametrize("text", ["{<<: null}", "{<<: 1}", "{<<: [1]}", "{<<: [[{a: 1}]]}", "x: &x [{a: 1}]\ny: {<<: *x}", "{<<: }"])
def test_a_merge_of_anything_but_mappings_is_an_error(text: str) -> None:
    assert defect(text)[0] == "syntax-error"


@pytest.mark.parametrize(
    "text", ["{a: 1, <<: {a: 2}}", "{<<: {a: 1}, <<: {b: 2}}", "{<<: {a: 1}, a: 2, a: 3}", "{a: 1, <<: [{b: 1}, {a: 2}]}"]
)
def test_a_merge_that_readers_understand_in_two_ways_is_a_duplicate_key(text: str) -> None:
    assert defect(text)[0] == "duplicate-key"


def test_an_alias_is_the_anchored_value_itself() -> None:
    found = mapping("a: &x {b: [1]}\nc: *x\nd: [*x]\n")
    assert found["c"] is found["a"]
    assert plain(found) == {"a": {"b": [1]}, "c": {"b": [1]}, "d": [{"b": [1]}]}


def test_a_later_anchor_of_the_same_name_counts_from_there_on() -> None:
    assert value("[&a 1, *a, &a 2, *a]") == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: &x\n  b: *x\n", 2), ("&x [1,\n*x]", 2), ("a: &x\n  <<: *x\n", 2), ("a: &x {b: &y {c: [\n*x]}}", 2), ("&x\n? *x\n: 1\n", 2)],
)
def test_an_alias_inside_its_own_anchor_is_an_error(text: str, line: int) -> None:
    assert defect(text) == ("cyclic-alias", line)


def test_an_alias_without_an_anchor_is_an_error() -> None:
    assert defect("a: 1\nb: *nowhere\n") == ("syntax-error", 2)


def test_anchors_end_with_their_document() -> None:
    first, second = read("a: &x 1\n--- \nb: *x\n")
    assert first.defect is None
    assert second.defect is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": "\\/\\u00e9\\t", "b": [1, 2.5, true, false, null], "c": {}}', {"a": "/é\t", "b": [1, 2.5, True, False, None], "c": {}}),
        ('{\n\t"a": {\n\t\t"b": 1\n\t}\n}\n', {"a": {"b": 1}}),
        ('{"a":1,"b":-1.5e3,"c":"x:y"}', {"a": 1, "b": -1500, "c": "x:y"}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        ('{"a": "\\ud83d"}', {"a": "�"}),
        ('{"a"\n:\n1}', {"a": 1}),
        ('{"' + "k" * 2000 + '": 1}', {"k" * 2000: 1}),
        ('{"a": "\x7f", "b": "yes", "c": {"<<": {"d": 1}}}', {"a": "\x7f", "b": "yes", "c": {"<<": {"d": 1}}}),
        ('["\\ud83d\\ude00", {"a": []}, "{\\"b\\": [", 17]', ["😀", {"a": []}, '{"b": [', 17]),
    ],
)
def test_json_is_read_even_where_yaml_refuses_it(text: str, expected: object) -> None:
    assert value(text) == expected


def test_json_that_yaml_refuses_keeps_its_lines_and_checks() -> None:
    found = mapping('{\n  "a": "\\ud83d\\ude00",\n  "b": [\n    1\n  ]\n}')
    assert found.lines == {"a": 2, "b": 3}
    assert isinstance(found["b"], YamlList)
    assert found["b"].lines == [4]
    assert defect('{"a": "\\ud83d\\ude00",\n"a": 1}') == ("duplicate-key", 2)


@pytest.mark.parametrize("text", ['{"a": "\\ud83d\\ude00",}', '{"a": "\\ud83d\\ude00"} x', '{"a": NaN, "b": "\\ud800"}', '{"a": "\\x"}'])
def test_what_is_neither_yaml_nor_json_is_a_syntax_error(text: str) -> None:
    with pytest.raises(Unparsable) as caught:
        read(text)
    assert caught.value.defect.code == "syntax-error"


def test_a_syntax_error_names_its_line_in_the_file() -> None:
    with pytest.raises(Unparsable) as caught:
        list(read_documents(Chunk("a: 1\nb: [\nc: }\n", 101), DEFAULT_LIMITS, NodeBudget(100)))
    assert caught.value.defect.line == 103


KEYS = st.text(string.ascii_letters + "0123456789-./_", min_size=1, max_size=12)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False).filter(lambda number: not (number.is_integer() and math.isfinite(number)))
    | st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=20)
    | st.sampled_from(["on", "017", "22:22", "1e3", "null", "~", "", "<<", "=", "0x1", "1_0", ".5", "- a", "a: b", "#x", "{{ x }}"])
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=25)


class KubernetesDumper(yaml.SafeDumper):
    """PyYAML's own, but for strings that only go-yaml reads as something else: they are quoted."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


KubernetesDumper.add_representer(str, _quoted)


@given(VALUES, st.booleans())
def test_what_a_dumper_writes_reads_back_the_same(written: object, flow: bool) -> None:
    text = yaml.dump(written, Dumper=KubernetesDumper, default_flow_style=flow, allow_unicode=True)
    assert value(text) == written


@given(VALUES)
def test_lines_are_those_of_the_composed_nodes(written: object) -> None:
    text = yaml.dump({"root": written}, Dumper=KubernetesDumper, default_flow_style=False)
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    assert node is not None
    _assert_same_lines(mapping(text), node)


def _assert_same_lines(found: object, node: yaml.Node) -> None:
    if isinstance(found, YamlMap):
        assert isinstance(node, yaml.MappingNode)
        assert found.line == node.start_mark.line + 1
        assert list(found.lines.values()) == [name.start_mark.line + 1 for name, _ in node.value]
        for item, (_, child) in zip(found.values(), node.value, strict=True):
            _assert_same_lines(item, child)
    elif isinstance(found, YamlList):
        assert isinstance(node, yaml.SequenceNode)
        assert found.lines == [child.start_mark.line + 1 for child in node.value]
        for item, child in zip(found, node.value, strict=True):
            _assert_same_lines(item, child)
