"""Input made to exhaust or mislead the reader: each gets a diagnostic, and what stands beside it is read.

None of these may take time or memory out of proportion; a reader that builds before it checks would not finish this module.
"""

from __future__ import annotations

import pytest

from analyzers.manifests.limits import DEFAULT_LIMITS, Limits
from analyzers.manifests.load import load
from analyzers.manifests.tree import Entry, EntryKind
from tests.analyzers.manifests.trees import AS_WRITTEN, WrittenTree, load_files, load_text, only, policy, titles, told

SMALL = Limits(depth=8, file_bytes=2000, tree_bytes=3000, files=3, nodes=50, tree_nodes=90, documents=4, problems=3)


@pytest.mark.parametrize(
    "bomb",
    ["[" * 100_000, "[" * 100_000 + "]" * 100_000, "{a: " * 100_000, "- " * 100_000, "? " * 100_000, "a: " + "[" * 65 + "]" * 65],
    ids=["open", "closed", "mappings", "items", "keys", "one too many"],
)
@pytest.mark.parametrize("path", ["a.yaml", "a.json"])
def test_deep_nesting_is_cut_off(bomb: str, path: str) -> None:
    loaded = load_files({path: bomb, "b.yaml": policy("kept")})
    assert told(loaded) == [("limit-exceeded", path, 1)]
    assert titles(loaded) == ["NetworkPolicy kept"]


def test_sixty_four_levels_are_still_read() -> None:
    assert [code for code, _, _ in told(load_text("[" * 64 + "]" * 64))] == ["not-an-object"]


def test_nested_brackets_behind_what_only_json_allows_are_a_syntax_error() -> None:
    assert told(load_text('{"a": "\\ud83d\\ude00", "b": ' + "[" * 100_000 + "]" * 100_000 + "}"))[0][0] == "syntax-error"


def test_a_billion_laughs_are_counted_not_built() -> None:
    laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    assert told(load_text(laughs)) == [("limit-exceeded", "a.yaml", 6)]


def test_laughs_by_merging_are_counted() -> None:
    laughs = "a0: &a0 {x: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}\n"
    laughs += "".join(f"a{n}: &a{n} {{{', '.join(f'k{i}: {{<<: *a{n - 1}}}' for i in range(10))}}}\n" for n in range(1, 10))
    assert told(load_text(laughs)) == [("limit-exceeded", "a.yaml", 6)]


def test_depth_reached_through_aliases_counts() -> None:
    stairs = "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n" + "".join(f"a{n}: &a{n} [[[[[[[[[[*a{n - 1}]]]]]]]]]]\n" for n in range(1, 9))
    assert told(load_text(stairs)) == [("limit-exceeded", "a.yaml", 7)]


def test_depth_below_an_anchor_within_an_anchor_counts() -> None:
    text = "a: &outer [&inner [[[[x]]]], [*inner]]\nb: [[*outer]]\n"
    assert told(load_text(text, limits=Limits(depth=9))) == [("not-an-object", "a.yaml", 1)]
    assert told(load_text(text, limits=Limits(depth=8))) == [("limit-exceeded", "a.yaml", 2)]


def test_a_file_beyond_the_cap_is_not_read_at_all() -> None:
    tree = WrittenTree({"a.yaml": b"x" * (DEFAULT_LIMITS.file_bytes + 1), "b.yaml": policy("kept")})
    loaded = load(tree, AS_WRITTEN)
    assert told(loaded) == [("limit-exceeded", "a.yaml", None)]
    assert tree.was_read == ["b.yaml"]
    assert titles(loaded) == ["NetworkPolicy kept"]


def test_a_file_that_turns_out_larger_than_listed_is_not_parsed() -> None:
    class Understating(WrittenTree):
        def entries(self) -> list[Entry]:
            return [Entry("a.yaml", EntryKind.FILE, 1, "")]

    loaded = load(Understating({"a.yaml": policy("x" * 3000)}), AS_WRITTEN, SMALL)
    assert told(loaded) == [("limit-exceeded", "a.yaml", None)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[" + "1," * 60 + "1]", 1),
        ("a:\n" + "- 1\n" * 60, 50),
        ("".join(f"k{n}: 1\n" for n in range(60)), 50),
        ("{? 1, " * 7 + "{? }," * 50, 1),
        ("a: &a [1]\nb: [\n" + "*a,\n" * 40 + "]", 26),
        ("&a a: &b b\n" + "".join(f"&a{n} k{n}: *b\n" for n in range(60)), 25),
    ],
    ids=["flow", "items", "fields", "null keys", "aliases", "anchored keys"],
)
def test_values_beyond_the_cap_end_the_file(text: str, line: int) -> None:
    assert told(load_text(text, limits=SMALL))[0] == ("limit-exceeded", "a.yaml", line)


def test_values_are_capped_over_the_whole_tree_too() -> None:
    many = "a: [" + "1," * 40 + "1]\n"
    loaded = load_files({"a.yaml": many, "b.yaml": many, "c.yaml": many}, limits=SMALL)
    assert ("limit-exceeded", "c.yaml", 1) in told(loaded)
    assert any("the files after" in each.message for each in loaded.diagnostics)


def test_files_and_bytes_of_the_tree_are_capped() -> None:
    names = [f"{n}.yaml" for n in range(5)]
    loaded = load_files(dict.fromkeys(names, "a: 1\n"), limits=SMALL)
    assert (loaded.files, loaded.bytes) == (3, 15)
    assert told(loaded)[-1] == ("limit-exceeded", "3.yaml", None)
    loaded = load_files(dict.fromkeys(names, "a: " + "b" * 1497), limits=SMALL)
    assert (loaded.files, loaded.bytes) == (2, 3000)
    assert told(loaded)[-1] == ("limit-exceeded", "2.yaml", None)


def test_documents_beyond_the_cap_are_named_and_left_out() -> None:
    loaded = load_text("---\n".join(policy(f"p{n}") for n in range(6)), limits=Limits(documents=4))
    assert titles(loaded) == [f"NetworkPolicy p{n}" for n in range(4)]
    assert told(loaded) == [("limit-exceeded", "a.yaml", 24)]


def test_problems_beyond_the_cap_end_the_file() -> None:
    loaded = load_text("a: [\n---\n" * 10, limits=SMALL)
    assert [code for code, _, _ in told(loaded)] == ["syntax-error"] * 3 + ["limit-exceeded"]


def test_problems_within_one_list_are_capped_too() -> None:
    loaded = load_text("apiVersion: v1\nkind: List\nitems:\n" + "- 1\n" * 6, limits=SMALL)
    assert [code for code, _, _ in told(loaded)] == ["invalid-object"] * 3 + ["limit-exceeded"]


def test_a_million_directives_are_refused_before_they_are_compared() -> None:
    loaded = load_text("".join(f"%TAG !a{n}! x\n" for n in range(500_000)) + "---\na: 1\n---\n" + policy("kept"))
    assert told(loaded) == [("limit-exceeded", "a.yaml", 1)]
    assert titles(loaded) == ["NetworkPolicy kept"]


@pytest.mark.parametrize(
    "text",
    [
        *("a: " + "9" * 1_000_000, "a: 0" + "7" * 1_000_000, "a: 0x" + "f" * 1_000_000, "9" * 1000 + ": 1", "a: 1e999999999"),
        *("k" * 1_000_000, '"' + "x\n" * 500_000 + '"', "#\n" * 500_000, " " * 1_000_000, "\n" * 1_000_000, "a:\n" + " " * 1_000_000),
        "apiVersion: v1\nkind: X" + "\n " * 500_000 + "\nx: 1",
    ],
    ids=["decimal", "octal", "hex", "key", "exponent", "word", "quoted", "comments", "spaces", "lines", "indent", "blank after kind"],
)
def test_long_text_is_read_in_time_in_proportion(text: str) -> None:
    assert {code for code, _, _ in told(load_text(text))} <= {"not-an-object"}


@pytest.mark.parametrize("text", ["a: \0b", "a: 1\nb: \x01", 'a: "\x7f"', "a: \x1b[31m", "\0" * 3 + "x", "a: ￿"], ids=repr)
def test_control_characters_are_a_syntax_error(text: str) -> None:
    loaded = load_text(text.encode() if text[0] != "\0" else text[2:].encode())
    assert told(loaded) == [("syntax-error", "a.yaml", text.count("\n") + 1)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_refused_by_name(encoding: str) -> None:
    diagnostic = only(load_text(policy("x").encode(encoding)))
    assert (diagnostic.code, diagnostic.line) == ("unsupported-encoding", 1)
    assert "UTF-16" in diagnostic.message


@pytest.mark.parametrize(("data", "line"), [(b"a: 1\nb: \xff\n", 2), (b"a: caf\xe9\n", 1), (b"a: \xed\xa0\x80\n", 1), (b"a: 1\n\n\xc3", 3)])
def test_bytes_that_are_not_utf_8_are_an_error_with_their_line(data: bytes, line: int) -> None:
    assert told(load_text(data)) == [("unsupported-encoding", "a.yaml", line)]


def test_git_crypt_and_large_file_pointers_are_told_apart_from_bad_syntax() -> None:
    assert told(load_text(b"\0GITCRYPT\0\x12\x34\xff")) == [("encrypted", "a.yaml", 1)]
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
    assert told(load_text(pointer)) == [("unreadable-file", "a.yaml", 1)]
