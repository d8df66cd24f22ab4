"""What else is kept of a base revision, for heads in which pods or namespaces differ: what its policies speak of, and its objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Raw, Struct

from analyzers.impact.changed import policies_of
from analyzers.manifests.local_survey import home_of, is_about_ways
from analyzers.manifests.wire import Wire
from analyzers.model.cluster import NamedPort
from analyzers.model.policy import Direction, PodPeer
from analyzers.model.records import ObjectRecord, PolicyMeaning
from analyzers.reachability.policy_index import Outline, outline_of


class _Spoken(Struct, frozen=True, array_like=True):
    """An outline, its subject and peers as numbers of selectors."""

    subject: int
    peers: tuple[int, ...]
    names: tuple[NamedPort, ...]
    directions: tuple[Direction, ...]


class Surroundings(Struct, frozen=True, eq=False, array_like=True):
    """`spoken` are the outlines of the policies by position. `declared` are the records of all other objects, by the namespace that they
    make up, each read when it is asked for; `leads_in` says whether some of them are about ways in."""

    selectors: tuple[PodPeer, ...]
    spoken: tuple[_Spoken, ...]
    declared: Mapping[str, Raw]
    leads_in: bool

    @classmethod
    def of(cls, objects: Iterable[ObjectRecord]) -> Surroundings:
        """Those of a revision with these objects. Raises ValueError for one that holds a text that is no Unicode."""
        selectors: dict[PodPeer, int] = {}
        spoken: list[_Spoken] = []
        declared: dict[str, list[ObjectRecord]] = defaultdict(list)
        for each in objects:
            if not isinstance(each.meaning, PolicyMeaning):
                declared[home_of(each)].append(each)
            for outline in map(outline_of, policies_of(each)):
                subject, *peers = (selectors.setdefault(peer, len(selectors)) for peer in (outline.subject, *outline.peers))
                spoken.append(_Spoken(subject, tuple(peers), outline.names, outline.directions))
        kept = {name: Raw(_RECORDS.encode(tuple(found))) for name, found in declared.items()}
        return cls(tuple(selectors), tuple(spoken), kept, any(is_about_ways(each) for found in declared.values() for each in found))

    def encode(self) -> bytes:
        """These as bytes."""
        return _SURROUNDINGS.encode(self)

    @staticmethod
    def decode(content: bytes) -> Surroundings:
        """Raises ValueError for bytes that `encode` did not write, which nobody can have kept."""
        return _SURROUNDINGS.decode(content)

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """What each policy speaks of, by position."""
        selectors = self.selectors
        return tuple(
            Outline(selectors[each.subject], tuple([selectors[peer] for peer in each.peers]), each.names, each.directions)
            for each in self.spoken
        )

    def objects_of(self, namespaces: Iterable[str]) -> list[ObjectRecord]:
        """The records of all objects that make up some namespaces, but policies."""
        kept = (self.declared[name] for name in sorted(namespaces) if name in self.declared)
        return [record for each in kept for record in _RECORDS.decode(bytes(each))]


_SURROUNDINGS = Wire(Surroundings)
_RECORDS = Wire(tuple[ObjectRecord, ...])
