"""What takes part in the analysis: which kinds of objects are read, and what each of them means."""

from __future__ import annotations

from functools import lru_cache

from analyzers.dialects import DIALECTS
from analyzers.dialects.unsupported import is_policy_shaped
from analyzers.manifests.inventory import Inventory
from analyzers.manifests.kinds import CustomKinds, PodKinds
from analyzers.manifests.load import Interest
from analyzers.manifests.objects import record
from analyzers.manifests.running import Running, SnapshotLimits, read_snapshot
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import Manifest
from analyzers.model.pod_network import UNKNOWN_NETWORK, PodNetwork
from analyzers.model.records import Meaning, ObjectRecord, PolicyMeaning
from analyzers.units.deployment import DEPLOYING

_CLAIMED = {kind: dialect for dialect in DIALECTS for kind in dialect.kinds}


class _Reader:
    """Which objects take part in the analysis, and what each means: policies, and the inventory with its custom kinds."""

    def __init__(self, custom: CustomKinds, network: PodNetwork = UNKNOWN_NETWORK) -> None:
        self._network = network
        self._kinds = PodKinds(custom)
        self._inventory = Inventory(self._kinds)
        self._wanted = self._inventory.wanted | _CLAIMED.keys()

    def wanted_of_running(self, group: str, kind: str) -> bool:
        """Whether objects of this group and kind are read of what runs: what operators make of theirs stands there itself."""
        return self.wanted(group, kind) and (group, kind) not in self._kinds.operators

    def known(self, group: str, kind: str) -> bool:
        """Whether more is read of objects of this group and kind than that they are there."""
        return (group, kind) in self._wanted

    def loaded(self, group: str, kind: str) -> bool:
        """Whether objects of this group and kind are loaded: those that take part, and those that say what is deployed where."""
        return self.wanted(group, kind) or (group, kind) in DEPLOYING

    def wanted(self, group: str, kind: str) -> bool:
        """Whether objects of this group and kind take part in the analysis, or must be reported because they would."""
        return (group, kind) in self._wanted or is_policy_shaped(group, kind)

    def interpret(self, manifest: Manifest) -> ObjectRecord:
        """What one wanted object means."""
        return record(manifest, self._meaning)

    def _meaning(self, manifest: Manifest) -> tuple[Meaning | None, tuple[Diagnostic, ...]]:
        """The meaning of an object whose namespace is known. A policy that no dialect claims has none, and a diagnostic; what deploys
        other objects has none either."""
        dialect = _CLAIMED.get((manifest.group, manifest.kind))
        if dialect is not None:
            lowered = dialect.lower(manifest, self._network)
            return PolicyMeaning(lowered.policies), lowered.diagnostics
        if (manifest.group, manifest.kind) in self._inventory.wanted:
            return self._inventory.read(manifest), ()
        if (manifest.group, manifest.kind) in DEPLOYING:
            return None, ()
        problem = f"{manifest.title} ({manifest.group}) decides traffic and is not analysed"
        return None, (Diagnostic.at("unsupported-kind", problem, manifest.location),)


@lru_cache(maxsize=32)
def interest(custom: CustomKinds, network: PodNetwork = UNKNOWN_NETWORK) -> Interest[ObjectRecord]:
    """What is loaded, and what is made of it, where configuration adds these kinds and gives pods these addresses."""
    reader = _Reader(custom, network)
    return Interest(reader.loaded, reader.interpret)


def read_running(data: bytes, name: str, custom: CustomKinds | None = None, limits: SnapshotLimits | None = None) -> Running:
    """What runs in a cluster, of a snapshot of it. Raises `SnapshotError`."""
    reader = _Reader(custom or CustomKinds())
    return read_snapshot(data, name, reader.wanted_of_running, reader.known, limits)


INTEREST = interest(CustomKinds())
wanted = _Reader(CustomKinds()).wanted
