"""The addresses that pods get theirs from, as configuration gives them, and which pods a block of addresses holds by that."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct, field

from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock


class Held(StrEnum):
    """Which pods some addresses hold: none; nobody can tell, so perhaps any; every one with an address of the pod network, which those on
    the network of their node do not have; or every one, wherever it runs."""

    NONE = "none"
    PERHAPS = "perhaps"
    NETWORK = "network"
    ALL = "all"


class PodNetwork(Struct, frozen=True):
    """The pod network of one cluster: the blocks that its pods get their addresses from. Without blocks it is not known."""

    blocks: tuple[IPBlock, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.blocks)

    def meets(self, block: IPBlock) -> bool:
        """Whether some address of a block is one of the pod network."""
        return any(each.family is block.family and each.addresses & block.addresses for each in self.blocks)

    def held_by(self, blocks: Iterable[IPBlock]) -> Held:
        """Which pods the addresses of some blocks hold together: all where they are the whole of IPv4; those of the pod network where they
        hold all that it has of IPv4, or of IPv6 if that is all it has; perhaps any where they hold only a whole block of it."""
        united = {family: IntervalSet() for family in Family}
        for block in blocks:
            united[block.family] |= block.addresses
        if united[Family.V4] == Family.V4.everything:
            return Held.ALL
        whole = [each for each in self.blocks if each.addresses.issubset(united[each.family])]
        if not whole:
            return Held.NONE
        first = min(each.family for each in self.blocks)
        return Held.NETWORK if all(each in whole for each in self.blocks if each.family is first) else Held.PERHAPS


UNKNOWN_NETWORK = PodNetwork()


class PodNetworks(Struct, frozen=True):
    """The pod networks of clusters by their names; `otherwise` that of every other one."""

    otherwise: PodNetwork = field(default_factory=PodNetwork)
    named: tuple[tuple[str, PodNetwork], ...] = ()

    def of(self, cluster: str | None) -> PodNetwork:
        """The pod network of one cluster; None is what names none."""
        return next((network for name, network in self.named if name == cluster), self.otherwise)
