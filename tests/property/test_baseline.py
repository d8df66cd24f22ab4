"""A comparison from a kept baseline is the comparison from the beginning, to the byte, and lists neither tree."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random

import pytest
import yaml
from msgspec.structs import replace

from analyzers.configuration import AnalysisSettings
from analyzers.manifests.limits import Limits
from analyzers.manifests.shelf import MemoryShelf
from analyzers.manifests.tree import Change, Entry, EntryKind, Tree, Unreadable
from analyzers.model.cluster import HostNetwork
from analyzers.model.pod_network import PodNetworks
from analyzers.model.records import ObjectRecord
from analyzers.model.revision import Revision
from analyzers.pipeline import Options, diff
from analyzers.reachability.moves import Moves
from analyzers.reachability.renumbering import Renumbering
from analyzers.rendering.stage import Rendering
from analyzers.rendering.tools import Tools
from analyzers.reports import render
from benchmarks.shapes import one_line_change, profile, repository
from tests.oracle import mutate
from tests.oracle.cases import case
from tests.oracle.reading import Document
from tests.property.product import MemoryTree

Files = dict[str, bytes]

EDITS = (mutate.add_policy, mutate.remove_policy, mutate.edit_policy, mutate.edit_rule)
MOVES = (
    mutate.relabel_workload,
    mutate.change_namespace,
    mutate.change_ports,
    mutate.change_host_network,
    mutate.add_workload,
    mutate.remove_workload,
)


@dataclass
class Kept:
    """Baselines in memory."""

    known: dict[str, bytes] = field(default_factory=dict)

    def recall_baseline(self, name: str) -> bytes | None:
        return self.known.get(name)

    def keep_baseline(self, name: str, content: bytes) -> None:
        self.known[name] = content


@dataclass(frozen=True)
class Store:
    """A tree of a store that knows what differs between two of them, and counts how often one was listed."""

    files: Mapping[str, bytes]
    links: Mapping[str, str] = field(default_factory=dict)
    listings: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(hash((tuple(self.files.items()), tuple(self.links.items()))))

    def entries(self) -> Iterable[Entry]:
        self.listings.append(self.name)
        yield from MemoryTree(self.files).entries()
        yield from (Entry(path, EntryKind.LINK, 0, target, target) for path, target in self.links.items())

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        return MemoryTree(self.files).read(entries)

    def changes_from(self, base: Tree, most: int) -> Sequence[Change] | None:
        assert isinstance(base, Store)
        sides = [{each.path: each for each in Store(tree.files, tree.links).entries()} for tree in (base, self)]
        paths = [path for path in {**sides[0], **sides[1]} if sides[0].get(path) != sides[1].get(path)]
        return [Change(path, sides[0].get(path), sides[1].get(path)) for path in paths] if len(paths) <= most else None


def compared(base: Store, head: Store, options: Options) -> str:
    report = diff(base, head, options, base_revision=Revision("base"), head_revision=Revision("head"))
    return "".join("".join(render(name, report)) for name in ("json", "text"))


def resumed(base: Files, head: Files, options: Options, links: Mapping[str, str] | None = None) -> bool:
    """Compare from a baseline and from the beginning, and hold one to the other; whether the baseline was enough."""
    kept = Kept()
    before, after = (Store(files, links or {}) for files in (base, head))
    compared(before, Store(base, links or {}), replace(options, baselines=kept))
    before.listings.clear()
    with_baseline = compared(before, after, replace(options, baselines=kept))
    was_listed = bool(before.listings or after.listings)
    assert with_baseline == compared(before, after, options)
    return not was_listed


def pods(*cidrs: str) -> PodNetworks:
    """Where configuration says that pods have their addresses from."""
    return AnalysisSettings(pod_cidrs=cidrs).pod_networks


def written(documents: list[Document]) -> Files:
    """A file for each object."""
    places = (f"{each['kind']}/{each['metadata'].get('namespace', '')}.{each['metadata']['name']}.yaml" for each in documents)
    return {place: json.dumps(each).encode() for place, each in zip(places, documents, strict=True)}


@pytest.mark.parametrize("start", [0, pytest.param(100, marks=pytest.mark.slow)])
def test_edits_of_policies_compare_as_from_the_beginning_on_random_clusters(start: int) -> None:
    assert resumed_after(EDITS, range(start, start + 100)) > 50


@pytest.mark.parametrize("start", [0, pytest.param(100, marks=pytest.mark.slow)])
def test_edits_of_pods_and_namespaces_compare_as_from_the_beginning_on_random_clusters(start: int) -> None:
    assert resumed_after((*MOVES, *EDITS[2:]), range(start, start + 100)) > 30


def resumed_after(edits: Sequence[Callable[[Random, list[Document]], None]], seeds: range) -> int:
    """For how many random clusters a baseline was enough after some edits."""
    enough = 0
    for seed in seeds:
        rng, made = Random(seed), case(seed)
        head = deepcopy(made.base)
        for _ in range(rng.choice((1, 1, 2, 4))):
            rng.choice(edits)(rng, head)
        enough += resumed(written(made.base), written(head), Options(HostNetwork(made.host_network), pods=pods(*made.pod_cidrs)))
    return enough


APPLICATION = b"""apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop}
spec: {source: {repoURL: r, path: .}, destination: {name: eu, namespace: shop}}
"""


@pytest.mark.parametrize(
    ("base", "head", "enough"), [({}, {}, True), ({}, {"app.yaml": APPLICATION}, False), ({"app.yaml": APPLICATION}, {}, False)]
)
def test_what_deploys_is_never_passed_over_for_a_baseline(base: Files, head: Files, enough: bool) -> None:
    pod = {"web.yaml": b"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"}
    deny = {"deny.yaml": b"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}}\n"}
    assert resumed({**pod, **base}, {**pod, **deny, **head}, Options(rendering=Rendering(Tools()))) is enough


def test_a_baseline_and_readings_under_other_addresses_of_pods_are_not_believed() -> None:
    kept, shelf = Kept(), MemoryShelf[ObjectRecord]()
    block = b"{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"
    base = {f"{kind}.yaml": b"apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\n" % kind.encode() for kind in ("one", "two")}
    base["policy.yaml"] = b"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: " + block
    head = {**base, "policy.yaml": base["policy.yaml"].replace(b"10.0.0.0/8", b"10.0.0.0/9")}
    for known in (pods(), pods("10.244.0.0/16"), pods("10.0.0.0/12"), pods()):
        options = Options(pods=known)
        remembering = replace(options, baselines=kept, shelf=shelf)
        for _ in range(2):
            assert compared(Store(base), Store(head), remembering) == compared(Store(base), Store(head), options)


@pytest.mark.parametrize("start", [0, pytest.param(100, marks=pytest.mark.slow)])
def test_any_edit_compares_as_from_the_beginning_on_random_clusters(start: int) -> None:
    for seed in range(start, start + 100):
        made = case(seed)
        resumed(made.base_files, made.head_files, Options(HostNetwork(made.host_network), pods=pods(*made.pod_cidrs)))


REALISTIC = {path: text.encode() for path, text in repository(profile("realistic", 900, 240)).items()}
POLICY = next(path for path in sorted(REALISTIC) if b"ports:\n    - port: 443" in REALISTIC[path])
WORKLOAD = next(path for path in sorted(REALISTIC) if path.startswith("apps/"))
NEW_POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: new, namespace: team-1}
spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 31415}, {port: grpc}]}]}
"""
ADMIN_POLICY = """\
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: a}
spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}
"""


UNMATCHED_POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: unmatched, namespace: team-1}
spec: {podSelector: {matchLabels: {app: nobody}}, ingress: [{ports: [{port: 12345}]}]}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: app, namespace: team-0}
spec: {selector: {app.kubernetes.io/name: app-0}, ports: [{port: 80, targetPort: 8080}]}
---
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app, namespace: team-0}
spec: {defaultBackend: {service: {name: app, port: {number: 80}}}}
"""


def pod(name: str) -> bytes:
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {name}}}}}\n".encode()


NAMED = {"a.yaml": pod("a"), "b.yaml": pod("b"), "c.yaml": pod("c")} | {
    "named.yaml": b"""apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: named}
spec:
  podSelector: {matchLabels: {app: c}}
  ingress: [{ports: [{port: 53}]}, {from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: 80}]}]
"""
}


def with_a_newcomer(files: Files) -> Files:
    return files | {"new.yaml": pod("new")}


def edited(path: str, old: str, new: str) -> Callable[[Files], Files]:
    return lambda files: files | {path: files[path].replace(old.encode(), new.encode())}


@pytest.mark.parametrize(
    "change",
    [
        lambda files: {
            path: text.encode() for path, text in one_line_change({path: text.decode() for path, text in files.items()}).items()
        },
        edited(POLICY, "port: 443", "port: 27182"),
        edited(POLICY, "port: 443", "port: 27182\n      endPort: 27190"),
        edited(POLICY, "port: 443", "port: grpc"),
        lambda files: files | {"policies/new.yaml": NEW_POLICY.encode()},
        lambda files: {path: text for path, text in files.items() if path != POLICY},
        lambda files: {(f"moved/{path}" if path == POLICY else path): text for path, text in files.items()},
        edited(WORKLOAD, "image: registry.example.com", "image: elsewhere.example.com"),
        lambda files: files | {"README.md": b"text", "values.json": b"[1]", "empty.yaml": b""},
        edited(POLICY, "kind: NetworkPolicy", "kind: NetworkPolicy\nbroken: ["),
        edited(POLICY, "podSelector", "podSelektor"),
        edited(WORKLOAD, "tier: ", "tier: x"),
        edited(WORKLOAD, "tier: ", "version: v2\n        tier: "),
        edited(WORKLOAD, "metadata:", "# one line further down\nmetadata:"),
        edited(WORKLOAD, "name: http", "name: grpc"),
        lambda files: {path: text for path, text in files.items() if path != WORKLOAD},
        with_a_newcomer,
        edited("namespaces/team-1.yaml", "env: ", "env: x"),
        lambda files: {path: text for path, text in files.items() if path != "namespaces/team-1.yaml"},
        lambda files: files,
    ],
)
def test_a_small_change_needs_no_listing(change: Callable[[Files], Files]) -> None:
    assert resumed(REALISTIC, change(REALISTIC), Options())


@pytest.mark.parametrize(
    "change",
    [
        lambda files: files | {"kustomization.yaml": b"namespace: other\n"},
        lambda files: files | {"policies/Chart.yaml": b"name: chart\n"},
        lambda files: files | {"twice.yaml": files[POLICY]},
        lambda files: files | {"template.yaml": b"{{ if }}\nkind: Pod\n"},
        lambda files: files | {"admin.yaml": ADMIN_POLICY.encode()},
    ],
)
def test_a_change_that_could_mean_more_is_read_whole(change: Callable[[Files], Files]) -> None:
    assert not resumed(REALISTIC, change(REALISTIC), Options())


CHART = {f"chart/{path}": text for path, text in {"Chart.yaml": b"name: c\n", "crds/p.yaml": NEW_POLICY.encode()}.items()}
KUSTOMIZED = {"kustomization.yaml": b"patches: [{path: patch.yaml}]\nresources: [new.yaml]\n", "patch.yaml": NEW_POLICY.encode()}


@pytest.mark.parametrize(
    ("around", "head", "enough"),
    [
        (CHART, {"chart/crds/p.yaml": b"kind: [\n"}, False),
        (KUSTOMIZED, {"patch.yaml": NEW_POLICY.replace("31415", "31416").encode()}, False),
        (KUSTOMIZED, {"new.yaml": NEW_POLICY.encode()}, False),
        (KUSTOMIZED, {POLICY: REALISTIC[POLICY].replace(b"port: 443", b"port: 444")}, True),
        ({"twice/a.yaml": NEW_POLICY.encode(), "twice/b.yaml": NEW_POLICY.encode()}, {"twice/b.yaml": b""}, False),
        ({"twice/a.yaml": NEW_POLICY.encode(), "twice/b.yaml": NEW_POLICY.encode()}, {POLICY: b""}, True),
    ],
)
def test_charts_kustomizations_and_duplicates_are_understood_as_a_whole(around: Files, head: Files, enough: bool) -> None:
    base = REALISTIC | around
    assert resumed(base, base | head, Options()) is enough


def test_a_file_that_a_link_may_lead_to_is_read_whole() -> None:
    base, links = {"a.yaml": NEW_POLICY.encode(), "w.yaml": REALISTIC[WORKLOAD]}, {"link.yaml": "new.yaml"}
    assert not resumed(base, base | {"new.yaml": b"a: 1\n"}, Options(), links)
    assert resumed(base, base | {"a.yaml": b""}, Options(), links)


@pytest.mark.parametrize("limits", [Limits(files=len(REALISTIC)), Limits(tree_bytes=sum(map(len, REALISTIC.values())) + 10)])
def test_a_change_that_goes_beyond_a_cap_is_read_whole(limits: Limits) -> None:
    assert not resumed(REALISTIC, REALISTIC | {"policies/new.yaml": NEW_POLICY.encode()}, Options(limits=limits))


def test_a_new_pod_is_not_taken_for_one_that_a_policy_names() -> None:
    assert resumed(NAMED, with_a_newcomer(NAMED), Options())


@pytest.mark.parametrize("forgotten", [r"surroundings$", r"surroundings \d+$"])
def test_a_baseline_whose_surroundings_were_forgotten_serves_policies_alone(forgotten: str) -> None:
    kept = Kept()
    base = Store(REALISTIC)
    compared(base, base, Options(baselines=kept))
    kept.known = {name: content for name, content in kept.known.items() if not re.search(forgotten, name)}
    for change, whole in ((edited(POLICY, "port: 443", "port: 444"), False), (edited(WORKLOAD, "tier: ", "tier: x"), True)):
        base.listings.clear()
        head = Store(change(REALISTIC))
        assert compared(base, head, Options(baselines=kept)) == compared(Store(REALISTIC), head, Options())
        assert bool(base.listings) is whole


def test_everything_removed_is_read_whole() -> None:
    assert not resumed({"a.yaml": NEW_POLICY.encode()}, {}, Options())


def test_policies_on_one_line_of_a_file_are_told_apart() -> None:
    policies = [yaml.safe_load(text) for text in (NEW_POLICY, UNMATCHED_POLICY, NEW_POLICY.replace("name: new", "name: other"))]
    base = REALISTIC | {"list.json": json.dumps({"apiVersion": "v1", "kind": "List", "items": policies}).encode()}
    assert resumed(base, base | {WORKLOAD: base[WORKLOAD].replace(b"tier: ", b"tier: x")}, Options())
    assert resumed(base, base | {POLICY: b""}, Options())


@pytest.mark.parametrize("way", [SERVICE + INGRESS, INGRESS])
def test_a_change_that_can_lead_elsewhere_is_read_whole(way: str) -> None:
    base = REALISTIC | {"way.yaml": way.encode()}
    assert not resumed(base, base | {"service.yaml": SERVICE.replace("name: app", "name: other").encode()}, Options())
    assert not resumed(REALISTIC, base, Options())
    assert resumed(base, base | {WORKLOAD: base[WORKLOAD].replace(b"tier: ", b"tier: x")}, Options())


def test_a_baseline_serves_any_head_and_no_other_base_reading_or_cap() -> None:
    kept = Kept()
    base, other = (Store(files) for files in (REALISTIC, REALISTIC | {"a.yaml": NEW_POLICY.encode()}))
    compared(base, base, Options(baselines=kept))
    for tree, options in ((other, Options(baselines=kept)), (base, Options(HostNetwork.POD, baselines=kept))):
        tree.listings.clear()
        compared(tree, tree, options)
        assert tree.listings
    base.listings.clear()
    compared(base, base, Options(limits=Limits(depth=60), baselines=kept))
    assert base.listings


@dataclass(frozen=True)
class Watched(Store):
    """A store that remembers which files were read."""

    reads: list[str] = field(default_factory=list)

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        wanted = list(entries)
        self.reads.extend(entry.path for entry in wanted)
        return super().read(wanted)


def test_potential_flows_from_everywhere_read_no_policy_about_what_comes_in_elsewhere() -> None:
    kept = Kept()
    options = Options(baselines=kept)
    compared(Store(REALISTIC), Store(REALISTIC), options)
    base, head = Watched(REALISTIC), Watched(REALISTIC | {"policies/team-1/unmatched.yaml": UNMATCHED_POLICY.encode()})
    assert "pods app=nobody in namespace team-1" in compared(base, head, options)
    read = [path for path in base.reads if not path.startswith("policies/team-1/")]
    assert read
    assert [path for path in read if b"policyTypes: [Ingress]" in REALISTIC[path]] == []


FAULTS: dict[str, tuple[type, str, object]] = {
    "covers do not follow the pods": (Moves, "carried", lambda self, cover, profile: cover),
    "no policy can tell that pods moved": (Moves, "disputed", frozenset()),
    "moved pods keep their policies": (Moves, "subjects", 0),
    "nothing is singled out": (Moves, "_singled_out", lambda self, profile: 0),
    "classes keep their numbers": (Renumbering, "classes", lambda self, numbered: numbered),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_what_is_resumed_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, instead = FAULTS[fault]
    monkeypatch.setattr(where, name, instead)

    def examination() -> None:
        resumed(NAMED, with_a_newcomer(NAMED), Options())
        resumed_after(MOVES, range(60))

    with pytest.raises((AssertionError, LookupError)):
        examination()
