"""What else is kept of a base revision, for heads in which pods or namespaces differ: what its policies speak of, and its objects.

The objects are kept in shares, so that only those are read that hold a namespace which differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final
from zlib import crc32

from msgspec import Raw, Struct

from analyzers.baseline.baseline import Baselines
from analyzers.impact.causation.changed import policies_of
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
    """`spoken` are the outlines of the policies by position; `leads_in` says whether some objects are about ways in; the objects are in so
    many `shares`."""

    selectors: tuple[PodPeer, ...]
    spoken: tuple[_Spoken, ...]
    leads_in: bool
    shares: int

    @classmethod
    def of(cls, objects: Sequence[ObjectRecord]) -> Surroundings:
        """Those of a revision with these objects."""
        selectors: dict[PodPeer, int] = {}
        spoken: list[_Spoken] = []
        leads_in = False
        for each in objects:
            leads_in |= is_about_ways(each)
            for outline in map(outline_of, policies_of(each)):
                subject, *peers = (selectors.setdefault(peer, len(selectors)) for peer in (outline.subject, *outline.peers))
                spoken.append(_Spoken(subject, tuple(peers), outline.names, outline.directions))
        return cls(tuple(selectors), tuple(spoken), leads_in, 1 + len(objects) // _OF_A_SHARE)

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """What each policy speaks of, by position."""
        selectors = self.selectors
        return tuple(
            Outline(selectors[each.subject], tuple([selectors[peer] for peer in each.peers]), each.names, each.directions)
            for each in self.spoken
        )


class KeptSurroundings:
    """Those of one base, where its baseline is kept."""

    def __init__(self, baselines: Baselines, name: str) -> None:
        self._baselines, self._name = baselines, f"{name} surroundings"

    def keep(self, objects: Sequence[ObjectRecord]) -> None:
        """Remember them. Raises ValueError for objects that hold a text that is no Unicode."""
        around = Surroundings.of(objects)
        shares: list[dict[str, list[ObjectRecord]]] = [defaultdict(list) for _ in range(around.shares)]
        for each in objects:
            if not isinstance(each.meaning, PolicyMeaning):
                home = home_of(each)
                shares[_share_of(home, around)][home].append(each)
        for number, share in enumerate(shares):
            records = {namespace: Raw(_RECORDS.encode(tuple(found))) for namespace, found in share.items()}
            self._baselines.keep_baseline(self._share(number), _SHARE.encode(records))
        self._baselines.keep_baseline(self._name, _SURROUNDINGS.encode(around))

    def recall(self) -> Surroundings | None:
        """They, if they are still known."""
        content = self._baselines.recall_baseline(self._name)
        return _SURROUNDINGS.decode(content) if content is not None else None

    def objects_of(self, namespaces: Collection[str], around: Surroundings) -> list[ObjectRecord] | None:
        """The records of all objects that make up some namespaces, but policies, if they are still known."""
        found: dict[str, Raw] = {}
        for number in {_share_of(each, around) for each in namespaces}:
            content = self._baselines.recall_baseline(self._share(number))
            if content is None:
                return None
            found |= _SHARE.decode(content)
        kept = (found[name] for name in sorted(namespaces) if name in found)
        return [record for each in kept for record in _RECORDS.decode(bytes(each))]

    def _share(self, number: int) -> str:
        return f"{self._name} {number}"


def _share_of(namespace: str, around: Surroundings) -> int:
    return crc32(namespace.encode("utf-8", "surrogatepass")) % around.shares


_SURROUNDINGS = Wire(Surroundings)
_SHARE = Wire(dict[str, Raw])
_RECORDS = Wire(tuple[ObjectRecord, ...])
_OF_A_SHARE: Final = 500
"""Objects: as many as take a fraction of a millisecond to pass over."""
