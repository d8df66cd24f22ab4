"""Loading: documents, lists, objects and what is none, over files of every shape."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.manifests.load import load
from analyzers.manifests.tree import Unreadable
from analyzers.model.manifest import YamlMap
from tests.analyzers.manifests.trees import AS_WRITTEN, WrittenTree, load_files, load_text, only, policy, titles, told

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\n"


def test_a_manifest_knows_its_group_version_kind_names_and_line() -> None:
    (found,) = load_text("# licence\n---\n# why\n" + POD.replace("v1", "networking.k8s.io/v1").replace("Pod", "NetworkPolicy")).found
    assert (found.group, found.version, found.kind) == ("networking.k8s.io", "v1", "NetworkPolicy")
    assert (found.namespace, found.name, str(found.location)) == ("shop", "p", "a.yaml:4")
    (found,) = load_text(POD).found
    assert (found.group, found.version, found.title) == ("", "v1", "Pod shop/p")


def test_every_document_of_a_file_is_read_and_empty_ones_are_nothing() -> None:
    loaded = load_text("---\n---\n" + policy("a") + "---\n# nothing\n---\n\n--- \n" + policy("b") + "...\n---\nnull\n---\n~\n---")
    assert titles(loaded) == ["NetworkPolicy a", "NetworkPolicy b"]
    assert [found.location.line for found in loaded.found] == [3, 13]
    assert loaded.diagnostics == ()


@pytest.mark.parametrize("text", ["", "\n", "---\n", "---", "# only a comment\n", "---\n---\n---\n", "\ufeff", "\r\n\r\n"])
def test_a_file_without_content_is_nothing(text: str) -> None:
    assert load_text(text).diagnostics == ()


@pytest.mark.parametrize("prefix", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_byte_order_marks_and_windows_line_ends_change_nothing(prefix: str, newline: str) -> None:
    text = prefix + (policy("a") + "---\n" + policy("b")).replace("\n", newline)
    loaded = load_text(text)
    assert [(found.name, found.location.line) for found in loaded.found] == [("a", 1), ("b", 7)]
    assert loaded.diagnostics == ()


@pytest.mark.parametrize(
    ("broken", "code", "line"),
    [
        ("a: [\n", "syntax-error", 8),
        ("a: 1\n  b: 2\n", "syntax-error", 8),
        ('a: "never closed\n', "syntax-error", 8),
        ("\ta: 1\n", "syntax-error", 7),
        ("apiVersion: v1\nkind: Pod\nkind: Pod\n", "duplicate-key", 9),
        ("[" * 100 + "\n", "limit-exceeded", 7),
        (POD + "spec: &x [*x]\n", "cyclic-alias", 10),
        ("a: \0\n", "syntax-error", 7),
        ("a: 1\n...\nb: 1\n", "syntax-error", 9),
    ],
)
def test_a_broken_document_costs_its_neighbours_nothing(broken: str, code: str, line: int) -> None:
    loaded = load_text(policy("before") + "---\n" + broken + "---\n" + policy("after"))
    assert titles(loaded) == ["NetworkPolicy before", "NetworkPolicy after"]
    assert [(found, place) for found, _, place in told(loaded) if found != "not-an-object"] == [(code, line)]


def test_a_syntax_error_says_what_it_is_in_the_middle_of() -> None:
    diagnostic = only(load_text("\na: 'never closed\n\n"))
    assert diagnostic.message == "found unexpected end of stream (while scanning a quoted scalar from line 2)"


def test_directives_belong_to_the_document_after_them() -> None:
    loaded = load_text(f"%YAML 1.1\n---\n{policy('a')}...\n%TAG !k! tag:k,2020:\n# so\n\n---\n{policy('b')}x: !k!y z\n---\n{policy('c')}")
    assert titles(loaded) == ["NetworkPolicy a", "NetworkPolicy b", "NetworkPolicy c"]
    assert loaded.diagnostics == ()
    loaded = load_text(f"{policy('a')}---\n{policy('b')}...\n%FOO\n---\n{policy('c')}---\n{policy('d')}")
    assert titles(loaded) == ["NetworkPolicy a", "NetworkPolicy b", "NetworkPolicy d"]
    assert told(loaded) == [("syntax-error", "a.yaml", 13)]


def test_trailing_blank_lines_before_a_marker_stay_with_their_block_scalar() -> None:
    (found, _) = load_text(POD + "spec:\n  a: |+\n    x\n\n\n---\n" + POD).found
    assert isinstance(found.body["spec"], YamlMap)
    assert found.body["spec"]["a"] == "x\n\n\n"


@pytest.mark.parametrize("path", ["a.json", "a.yaml", "A.JSON"])
def test_json_is_read_in_any_layout(path: str) -> None:
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p", "labels": {"a/b": "\U0001f600"}}, "spec": {}}
    indented = json.dumps(pod, indent=2)
    for text in (json.dumps(pod), json.dumps(pod, indent="\t"), indented.replace("/", "\\/"), json.dumps(pod, ensure_ascii=False)):
        (found,) = load_text(text, path).found
        assert found.body == pod


def test_the_line_of_a_json_object_is_that_of_its_first_key() -> None:
    (found,) = load_text('\n{\n  "apiVersion": "v1",\n  "kind": "Pod",\n  "metadata": {"name": "p"}\n}\n', "a.json").found
    assert found.location.line == 3


def test_only_manifest_files_are_read() -> None:
    names = ["a.yaml", "b.YML", "c.Json", "d.txt", "e.yaml.bak", "yaml", "f.tpl", ".yaml", "g/h.yml"]
    tree = WrittenTree(dict.fromkeys(names, policy("x")))
    loaded = load(tree, AS_WRITTEN)
    assert tree.was_read == ["a.yaml", "b.YML", "c.Json", "g/h.yml"]
    assert (loaded.files, loaded.bytes) == (4, 4 * len(policy("x")))


def test_the_items_of_a_list_are_objects_with_their_own_lines() -> None:
    loaded = load_text(
        "apiVersion: v1\nkind: List\nmetadata: {}\nitems:\n"
        "- apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n  metadata: {name: a}\n"
        "- apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n"
        "- {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod, metadata: {name: b}}]}\n"
    )
    assert [(found.title, found.location.line) for found in loaded.found] == [("NetworkPolicy a", 5), ("Pod b", 11)]
    assert loaded.diagnostics == ()


@pytest.mark.parametrize(("api", "group", "item"), [("v1", "", "Pod"), ("networking.k8s.io/v1", "networking.k8s.io", "NetworkPolicy")])
def test_the_items_of_a_typed_list_need_not_say_what_they_are(api: str, group: str, item: str) -> None:
    items = "- metadata: {name: a}\n- {apiVersion: null, kind: null, metadata: {name: b}}\n"
    loaded = load_text(f"apiVersion: {api}\nkind: {item}List\nitems:\n{items}")
    assert [(each.group, each.version, each.title) for each in loaded.found] == [(group, "v1", f"{item} {name}") for name in "ab"]


@pytest.mark.parametrize("items", ["items: null", "items: []", "items:"])
def test_an_empty_list_is_nothing(items: str) -> None:
    loaded = load_text(f"apiVersion: v1\nkind: List\n{items}\n")
    assert (loaded.found, loaded.diagnostics) == ((), ())


@pytest.mark.parametrize(
    ("kind", "items"),
    [("List", "items: {}"), ("List", "items: [{kind: Pod}]"), ("List", "items: [x]"), ("PodList", "items: x"), ("PodList", "items: [1]")],
)
def test_a_list_of_anything_but_objects_is_invalid(kind: str, items: str) -> None:
    assert told(load_text(f"apiVersion: v1\nkind: {kind}\n{items}\n")) == [("invalid-object", "a.yaml", 3)]


@pytest.mark.parametrize("text", ["AllowList\nitems: [1.2.3.4]", "AllowList\nspec: {}", "SecretList\nitems: [{metadata: {}}]"])
def test_kinds_that_only_end_like_a_list_are_as_unwanted_as_any(text: str) -> None:
    loaded = load_text(f"apiVersion: example.com/v1\nkind: {text}\n")
    assert (loaded.found, loaded.diagnostics) == ((), ())


def test_a_generated_name_is_marked() -> None:
    (found,) = load_text(POD.replace("name: p", "generateName: job-")).found
    assert found.name == "job-*"
    (found,) = load_text(POD.replace("name: p", "name: p, generateName: job-")).found
    assert found.name == "p"


@pytest.mark.parametrize(
    ("metadata", "line", "told_of"),
    [
        ("metadata: {}", 3, "metadata.name: is required"),
        ("spec: {}", 1, "metadata.name: is required"),
        ("metadata: {name: ''}", 3, "metadata.name: is required"),
        ("metadata:\n  name: 017", 4, "metadata.name: must be a string"),
        ("metadata: {name: p,\n  namespace: on}", 4, "metadata.namespace: must be a string"),
        ("metadata: [name]", 3, "metadata: must be an object"),
    ],
)
def test_an_object_without_a_usable_name_is_invalid(metadata: str, line: int, told_of: str) -> None:
    diagnostic = only(load_text(f"apiVersion: v1\nkind: Pod\n{metadata}\n"))
    assert (diagnostic.code, diagnostic.line) == ("invalid-object", line)
    assert told_of in diagnostic.message
    assert "Pod" in diagnostic.message


@pytest.mark.parametrize("api", ["networking.k8s.io/", "networking.k8s.io/v1/beta"])
def test_an_api_version_is_a_group_and_a_version(api: str) -> None:
    assert told(load_text(f"apiVersion: {api}\nkind: NetworkPolicy\nmetadata: {{name: x}}\n")) == [("invalid-object", "a.yaml", 1)]


@pytest.mark.parametrize(
    "text",
    [
        *("just text", "42", "- a\n- b\n", "a: 1\n", "key: !Ref x\n"),
        *("apiVersion: v1\n", "kind: Pod\n", "apiVersion: 1\nkind: Pod\n", "apiVersion: v1\nkind: 5\n"),
    ],
)
def test_what_is_no_object_is_told_once_a_file_and_changes_nothing(text: str) -> None:
    loaded = load_text(text + "\n---\n" + text + "\n---\n" + policy("x"))
    assert told(loaded) == [("not-an-object", "a.yaml", 1)]
    assert titles(loaded) == ["NetworkPolicy x"]


def test_unwanted_kinds_are_dropped_in_silence_with_their_mistakes() -> None:
    secret = "apiVersion: v1\nkind: Secret\ndata: {a: 1, a: 2, ~: 3}\n"
    loaded = load_text(secret + "---\n" + secret.replace("kind", "'kind'"))
    assert (loaded.found, loaded.diagnostics) == ((), ())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (POD + "a: 1\na: 2\n", "duplicate-key"),
        ("apiVersion: v1\nkind: Secret\nkind: Pod\n", "duplicate-key"),
        ("apiVersion: v1\nkind: List\nitems: []\nitems: []\n", "duplicate-key"),
        ("apiVersion: v1\nkind: *pod\n", "syntax-error"),
        ("<<: x\napiVersion: v1\nkind: Secret\n", "syntax-error"),
        ("kind: Secret\n<<: {kind: Pod}\napiVersion: v1\n", "duplicate-key"),
        ("apiVersion: v1\nkind: Secret\n~: 1\nkind: Pod\n", "syntax-error"),
    ],
)
def test_a_mistake_counts_where_the_object_may_be_a_wanted_one(text: str, code: str) -> None:
    loaded = load_text(text)
    assert loaded.found == ()
    assert [found for found, _, _ in told(loaded)] == [code]


def test_a_mistake_in_what_is_no_object_is_no_error_but_is_named() -> None:
    diagnostic = only(load_text("services:\n  a: 1\n  a: 2\n? [x]\n: 1\n"))
    assert (diagnostic.code, diagnostic.line) == ("not-an-object", 1)
    assert "line 3: key 'a' of line 2 stands here again" in diagnostic.message


def test_a_value_that_contains_itself_is_an_error_anywhere() -> None:
    assert told(load_text("a: &a\n- *a\n")) == [("cyclic-alias", "a.yaml", 2)]


def test_json_with_comments_is_no_object_unless_it_says_so() -> None:
    commented = '{\n  // for the compiler\n  "strict": true, /* x */\n}'
    assert told(load_text(commented, "tsconfig.json")) == [("not-an-object", "tsconfig.json", 1)]
    assert told(load_text(commented, "a.yaml"))[0][0] == "syntax-error"
    assert told(load_text(commented.replace("strict", "apiVersion"), "a.json"))[0][0] == "syntax-error"
    assert told(load_text("{not json", "a.json"))[0][0] == "syntax-error"


def test_a_patch_is_not_an_object_of_its_own() -> None:
    loaded = load_text(policy("x") + "$patch: delete\n")
    assert told(loaded) == [("needs-rendering", "a.yaml", 6)]
    assert loaded.found == ()


SOPS = "sops:\n  mac: ENC[AES256_GCM,data:x]\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (policy("x") + SOPS, 1),
        ("apiVersion: ENC[AES256_GCM,data:x]\nkind: ENC[AES256_GCM,data:y]\n" + SOPS, 1),
        ("\nkind: ENC[AES256_GCM,data:y]\napiVersion: v1\n" + SOPS, 2),
        ("apiVersion: v1\nkind: List\nitems: [ENC[x]]\n".replace("[ENC[x]]", "['ENC[x]']") + SOPS, 1),
    ],
)
def test_an_encrypted_object_that_may_matter_is_reported(text: str, line: int) -> None:
    loaded = load_text(text)
    assert told(loaded) == [("encrypted", "a.yaml", line)]
    assert loaded.found == ()


def test_an_encrypted_secret_is_as_unwanted_as_any() -> None:
    assert load_text("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: 'ENC[x]'}\n" + SOPS).diagnostics == ()


def test_content_that_cannot_be_read_is_an_error_and_the_rest_is_analysed() -> None:
    loaded = load_files({"a.yaml": Unreadable("permission denied"), "b.yaml": policy("b"), "c.txt": Unreadable("whatever")})
    assert [(each.code, each.path, each.message) for each in loaded.diagnostics] == [("unreadable-file", "a.yaml", "permission denied")]
    assert titles(loaded) == ["NetworkPolicy b"]


FILES = {
    "b/two.yaml": policy("b2") + "---\n" + policy("b1"),
    "a.yaml": policy("a"),
    "a b/ü.yml": policy("spaced"),
    "broken.yaml": "a: [",
    "kustomization.yaml": "namespace: x\n",
    "t/x.yaml": "{{ if }}",
    "t/a.yaml": "a: {{ if }}",
    "c.json": '{"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "z"}}, {"metadata": {"name": "y"}}]}',
}


@given(st.permutations(sorted(FILES)))
def test_the_order_of_files_changes_nothing(order: list[str]) -> None:
    expected, found = load_files(FILES), load_files({path: FILES[path] for path in order})
    assert told(found) == told(expected)
    assert [(each.title, each.location) for each in found.found] == [(each.title, each.location) for each in expected.found]


def test_manifests_come_by_path_and_line_and_as_written_within_a_line() -> None:
    assert titles(load_files(FILES)) == [
        *("NetworkPolicy spaced", "NetworkPolicy a", "NetworkPolicy b2", "NetworkPolicy b1", "Pod z", "Pod y"),
    ]


def test_random_bytes_never_crash() -> None:
    chance = random.Random(7)
    pieces = [policy("x"), "{{", "\xff", "\0", "---\n", "- ", "&a ", "*a", "<<: ", '"', "\n", "}", "[", "kind: List\n", "%x\n", "\r"]
    for _ in range(2000):
        text = "".join(chance.choice(pieces) for _ in range(chance.randint(1, 12)))
        load_text(text.encode("latin-1"), chance.choice(("a.yaml", "a.json", "kustomization.yaml")))
