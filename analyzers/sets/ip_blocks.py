"""Sets of addresses, of both families."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import lru_cache

from msgspec import Struct

from analyzers.sets.intervals import Interval, IntervalSet

LONGEST_LISTED = 16
"""A block of more CIDRs than this is named by a digest."""


class Family(IntEnum):
    """An address family; the value is the IP version."""

    V4 = 4
    V6 = 6

    @property
    def bits(self) -> int:
        """The length of an address in bits."""
        return 32 if self is Family.V4 else 128

    @property
    def everything(self) -> IntervalSet:
        """Every address of the family, as integers."""
        return IntervalSet(((0, (1 << self.bits) - 1),))


class IPBlock(Struct, frozen=True, array_like=True):
    """A set of addresses of one family."""

    family: Family
    addresses: IntervalSet

    def __bool__(self) -> bool:
        return bool(self.addresses)

    def cidrs(self) -> tuple[str, ...]:
        """The minimal list of CIDRs that holds exactly these addresses, in address order."""
        return _cidrs(self.family, self.addresses)

    def name(self) -> str:
        """The endpoint id of the block, by the contract's rule: the CIDR list, or a covering CIDR with exceptions, whichever names fewer;
        above 16 names a digest."""
        return _name(self.family, self.addresses)


def parse_cidr(text: str) -> tuple[Family, Interval, bool]:
    """The family and inclusive address range of a CIDR, and whether host bits were set (and masked).

    Raises ValueError for anything that is not a CIDR with a prefix length, as the API server does.
    """
    address_text, slash, length = text.partition("/")
    if not slash or not (length.isascii() and length.isdigit()) or (len(length) > 1 and length[0] == "0"):
        raise ValueError(f"{text!r} is not a CIDR such as 10.0.0.0/8")
    if "%" in address_text:
        raise ValueError(f"{text!r}: a zone is not allowed in a CIDR")
    address = ipaddress.ip_address(address_text)
    network = ipaddress.ip_network((address, int(length)), strict=False)
    span = (int(network.network_address), int(network.broadcast_address))
    return Family(address.version), span, network.network_address != address


def parse_address(text: str) -> IPBlock:
    """The block of one address or CIDR, as a person types it. Raises ValueError."""
    network = ipaddress.ip_network(text, strict=False)
    span = (int(network.network_address), int(network.broadcast_address))
    return IPBlock(Family(network.version), IntervalSet((span,)))


@lru_cache(maxsize=4096)
def _cidrs(family: Family, addresses: IntervalSet) -> tuple[str, ...]:
    return tuple(cidr for low, high in addresses.intervals for cidr in _range_cidrs(family, low, high))


def _range_cidrs(family: Family, low: int, high: int) -> Iterator[str]:
    while low <= high:
        size = min((low & -low).bit_length() - 1 if low else family.bits, (high - low + 1).bit_length() - 1)
        yield f"{_address(family, low)}/{family.bits - size}"
        low += 1 << size


def _address(family: Family, number: int) -> str:
    return str(ipaddress.IPv4Address(number) if family is Family.V4 else ipaddress.IPv6Address(number))


@lru_cache(maxsize=4096)
def _name(family: Family, addresses: IntervalSet) -> str:
    listed = _cidrs(family, addresses)
    cover = _covering(family, addresses)
    missing = _cidrs(family, IntervalSet((cover,)) - addresses)
    cover_text = next(_range_cidrs(family, *cover))
    named = min(len(listed), 1 + len(missing))
    if named > LONGEST_LISTED:
        return f"{cover_text}#{digest_of(listed)[:12]}"
    return ", ".join(listed) if len(listed) <= 1 + len(missing) else f"{cover_text} except {', '.join(missing)}"


def digest_of(cidrs: Iterable[str]) -> str:
    """The hexadecimal SHA-256 that names a long CIDR list: of its members joined by `, `."""
    return hashlib.sha256(", ".join(cidrs).encode()).hexdigest()


def _covering(family: Family, addresses: IntervalSet) -> Interval:
    """The smallest CIDR range that holds all the addresses."""
    low, high = addresses.intervals[0][0], addresses.intervals[-1][1]
    shift = (low ^ high).bit_length()
    return (low >> shift) << shift, (((low >> shift) + 1) << shift) - 1
