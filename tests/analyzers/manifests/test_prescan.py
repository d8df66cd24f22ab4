"""Passing over documents unparsed: it saves most of the work, and must never lose a wanted object."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from analyzers.manifests.defects import Unparsable
from analyzers.manifests.documents import read_documents
from analyzers.manifests.limits import DEFAULT_LIMITS, NodeBudget
from analyzers.manifests.prescan import group_of, is_irrelevant
from analyzers.manifests.source import Chunk, chunks, decode
from analyzers.manifests.unpacking import Finding, unpack
from analyzers.model.manifest import Manifest
from tests.analyzers.manifests.trees import load_text, titles, wanted

SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n"


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        "---\n" + SECRET,
        "--- # a secret\n\n# licence\n   # indented\n\n" + SECRET,
        "kind: Secret\napiVersion: v1\n",
        "kind: 'Secret' # why\napiVersion: \"v1\"\n",
        SECRET + "items:\n- kind: NetworkPolicy\n-\n  kind: NetworkPolicy\n# kind: NetworkPolicy\n\n\n",
        SECRET + "data:\n  a: |\n    kind: NetworkPolicy\n  b: {kind: NetworkPolicy}\n",
        "apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: x}\nx.y/z-1: 2",
        SECRET + "a: [\n",
    ],
)
def test_an_unwanted_kind_beyond_doubt_is_passed_over(text: str) -> None:
    assert is_irrelevant(text, wanted)


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n",
        "apiVersion: v1\nkind: List\nitems: []\n",
        "apiVersion: v1\nkind: SecretList\nitems: []\n",
        "kind: Secret\n",
        "apiVersion: v1\n",
        "a: 1\n",
        "",
        "# nothing\n",
        "{{ if }}\n" + SECRET,
        SECRET + "{{ end }}\n",
        SECRET + "kind: Secret\n",
        SECRET + "apiVersion: v1\n",
        "apiVersion: v1\nkind: ENC[x]\n",
        "apiVersion: v1\nkind: Secret#x\n",
        "apiVersion: v1\nkind:\n",
    ],
)
def test_what_is_wanted_or_in_doubt_is_parsed(text: str) -> None:
    assert not is_irrelevant(text, wanted)


API = "apiVersion: networking.k8s.io/v1\n"
META = "metadata: {name: hidden}\n"
POLICY = f"{API}kind: NetworkPolicy\n{META}"
IN_FLOW = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: hidden}"
FAKE = "a: '\nkind: Secret\n'\n"
HIDDEN = {
    "a quoted key": f'{FAKE}{API}"kind": NetworkPolicy\n{META}',
    "an escaped key": f'{FAKE}{API}"\\x6bind": NetworkPolicy\n{META}',
    "a space before the colon": f"{FAKE}{API}kind : NetworkPolicy\n{META}",
    "an explicit key": f"{FAKE}{API}? kind\n: NetworkPolicy\n{META}",
    "a tagged key": f"{FAKE}{API}!!str kind: NetworkPolicy\n{META}",
    "an anchored key": f"{FAKE}{API}&k kind: NetworkPolicy\n{META}",
    "an aliased key": f"b: &k kind\n{FAKE}{API}*k : NetworkPolicy\n{META}",
    "a merge": f"{FAKE}{API}<<: {{kind: NetworkPolicy}}\n{META}",
    "a tagged merge": f"{FAKE}{API}!!merge <<: {{kind: NetworkPolicy}}\n{META}",
    "an indented root": "  " + POLICY[:-1].replace("\n", "\n  ") + "\n  a: '\nkind: Secret\nb: '\n",
    "a flow root": f'{IN_FLOW}, "a": "\nkind: Secret\n"}}\n',
    "a flow root behind the marker": f"--- {IN_FLOW}, a: '\nkind: Secret\nb: '}}\n",
    "a root with an anchor": f"&a\n{POLICY}",
    "a root with a tag": f"!!map\n{POLICY}",
    "a tag behind the marker": f"--- !!map\n{POLICY}",
    "a directive": f"%YAML 1.1\n---\n{POLICY}",
    "a carriage return": f"{API}{FAKE[:-1]}\rkind: NetworkPolicy\n{META}",
    "a next-line character": f"{API}{FAKE[:-1]}\x85kind: NetworkPolicy\n{META}",
    "a line separator": f"{API}{FAKE[:-1]}\u2028kind: NetworkPolicy\n{META}",
    "a paragraph separator": f"{API}{FAKE[:-1]}\u2029kind: NetworkPolicy\n{META}",
    "a value on the next line": f"{API}kind:\n  NetworkPolicy\n{META}",
    "a folded value": f"{API}kind: >-\n  NetworkPolicy\n{META}",
    "an anchored value": f"{API}kind: &a NetworkPolicy\n{META}",
    "a fake group": "a: '\napiVersion: v1\nkind: Secret\n'\n\"apiVersion\": networking.k8s.io/v1\n'kind': NetworkPolicy\n" + META,
    "a list": f"apiVersion: v1\nkind: List\nitems:\n- {IN_FLOW}}}\n",
    "a continued kind": f"apiVersion: example.com/v1\nkind: Secret\n\n  NetworkPolicy\n{META}",
    "a second document in one line": f"{SECRET}--- {IN_FLOW}}}\n",
    "an end marker": f"{SECRET}...\n---\n{POLICY}",
    "a byte order mark": f"\ufeff{POLICY}",
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN.keys())
def test_no_trick_hides_a_policy_behind_an_unwanted_kind(text: str) -> None:
    (title,) = titles(load_text(text))
    assert title.endswith("NetworkPolicy hidden")


def test_the_group_is_what_stands_before_the_slash() -> None:
    assert [group_of(api) for api in ("v1", "apps/v1", "networking.k8s.io/v1", "")] == ["", "apps", "networking.k8s.io", ""]


IDENTITY = [
    *("apiVersion: v1", "apiVersion: networking.k8s.io/v1", '"apiVersion": networking.k8s.io/v1', "apiVersion : networking.k8s.io/v1"),
    *("kind: Secret", "kind: NetworkPolicy", '"kind": NetworkPolicy', "kind : NetworkPolicy", "? kind\n: NetworkPolicy"),
    *("!!str kind: NetworkPolicy", "kind: >-\n  NetworkPolicy", "kind: Secret\n  Foo", "<<: {kind: NetworkPolicy}", "kind: List"),
    *("kind: Secret # x", "kind: 'Secret'"),
    *('"\\x6bind": NetworkPolicy', "&k kind: NetworkPolicy", "kind: ENC[x]", "kind: Secret\n\n  NetworkPolicy", "kind: NetworkPolicyList"),
]
CONTENT = [
    *("metadata: {name: x}", "metadata:\n  name: x", 'a: "x', 'b: z"', "c: 'q", "d: z'", "spec: {", "x: {}}"),
    *("spec: [", "e: ]", "}", "]", '"', "'", "z: |", "z: >", "  text", "...", "--- |"),
    *("# kind: Secret", "- kind: NetworkPolicy", "  - b", "items:\n- {apiVersion: v1, kind: Pod, metadata: {name: z}}"),
    *("\ttab: 1", "", "   ", "---", "--- # c", "--- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: q},"),
    *("--- !!map", "%YAML 1.1", "%TAG ! x", 'f: "\\', "&a", "!!map", "? x", ": z", "x: &m", "z: *m", "{", "\ufeff", "kind: Secret'"),
    *("a: b\rkind: NetworkPolicy", "a: b\u2028kind: NetworkPolicy", "a: b\x85kind: NetworkPolicy"),
]


def crafted(seed: int) -> str:
    """A text of lines that mislead a reader of lines: some pieces of objects, shuffled, with the start indented now and then."""
    chance = random.Random(seed)
    lines = ["apiVersion: v1", "kind: Secret", "metadata: {name: x}"] if seed % 2 else []
    for _ in range(chance.randint(1, 2 if seed % 4 == 1 else 7)):
        lines.insert(chance.randint(0, len(lines)), chance.choice(chance.choice((IDENTITY, CONTENT))))
    if not chance.randrange(6):
        indented = chance.randint(1, len(lines))
        lines = ["  " + line for line in lines[:indented]] + lines[indented:]
    return decode(chance.choice(("\n", "\n", "\r\n")).join(lines).encode())


def findings(chunk: Chunk) -> Iterator[Finding]:
    try:
        for document in read_documents(chunk, DEFAULT_LIMITS, NodeBudget(DEFAULT_LIMITS.nodes)):
            yield from unpack(document, "a.yaml", wanted)
    except Unparsable:
        return


def test_no_crafted_text_loses_a_wanted_object_or_a_diagnostic_of_one() -> None:
    passed_over = kept = 0
    for seed in range(10_000):
        for chunk in chunks(crafted(seed)):
            found = [each for each in findings(chunk) if isinstance(each, Manifest) or each.code != "not-an-object"]
            if is_irrelevant(chunk.text, wanted):
                passed_over += 1
                assert found == [], chunk.text
            kept += bool(found)
    assert passed_over > 400
    assert kept > 500


def test_cutting_a_stream_into_documents_changes_nothing_about_them() -> None:
    for seed in range(3000):
        text = crafted(seed)
        try:
            documents = list(read_documents(Chunk(text, 1), DEFAULT_LIMITS, NodeBudget(1000)))
        except Unparsable:
            continue
        whole = [title for document in documents for title in titles_of(unpack(document, "a.yaml", wanted))]
        parts = [title for chunk in chunks(text) for title in titles_of(findings(chunk))]
        assert parts == whole, text


def titles_of(found: Iterator[Finding]) -> list[str]:
    return [each.title for each in found if isinstance(each, Manifest)]
