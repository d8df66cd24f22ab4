"""Address blocks: parsing as the API server does, minimal CIDR lists, and the names by which blocks are shown."""

from __future__ import annotations

import hashlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, IPBlock, parse_cidr

small_v4 = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=1, max_size=5).map(IntervalSet.of).filter(bool)


def block(*cidrs: str, without: tuple[str, ...] = ()) -> IPBlock:
    family = parse_cidr(cidrs[0])[0]
    held = IntervalSet.of(parse_cidr(cidr)[1] for cidr in cidrs)
    return IPBlock(family, held - IntervalSet.of(parse_cidr(cidr)[1] for cidr in without))


@given(small_v4)
def test_cidrs_hold_exactly_the_addresses_and_cannot_be_fewer(addresses: IntervalSet) -> None:
    found = IPBlock(Family.V4, addresses).cidrs()
    networks = [ipaddress.IPv4Network(cidr) for cidr in found]
    assert IntervalSet.of((int(each.network_address), int(each.broadcast_address)) for each in networks) == addresses
    assert [str(each) for each in ipaddress.collapse_addresses(networks)] == list(found)


@pytest.mark.parametrize(
    ("text", "family", "low", "high", "masked"),
    [
        ("10.0.0.0/8", Family.V4, 10 << 24, (11 << 24) - 1, False),
        ("10.1.2.3/8", Family.V4, 10 << 24, (11 << 24) - 1, True),
        ("0.0.0.0/0", Family.V4, 0, 2**32 - 1, False),
        ("192.0.2.1/32", Family.V4, 0xC0000201, 0xC0000201, False),
        ("::/0", Family.V6, 0, 2**128 - 1, False),
        ("2001:db8::1/128", Family.V6, 0x20010DB8 << 96 | 1, 0x20010DB8 << 96 | 1, False),
    ],
)
def test_a_cidr_is_its_family_and_range(text: str, family: Family, low: int, high: int, masked: bool) -> None:
    assert parse_cidr(text) == (family, (low, high), masked)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0/8",
        "10.0.0.0/-1",
        "::/129",
        "fe80::1%eth0/64",
        "a/8",
        "10.0.0.0/8/8",
    ],
)
def test_what_is_no_cidr_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_cidr(text)


@pytest.mark.parametrize(
    ("given_block", "name"),
    [
        (block("0.0.0.0/0"), "0.0.0.0/0"),
        (block("10.0.0.0/8", "192.168.0.0/16"), "10.0.0.0/8, 192.168.0.0/16"),
        (block("0.0.0.0/0", without=("10.0.0.0/8",)), "0.0.0.0/0 except 10.0.0.0/8"),
        (block("0.0.0.0/1"), "0.0.0.0/1"),
        # Two listed against a cover and one exception: a tie, which the list wins.
        (block("10.0.0.0/24", without=("10.0.0.0/26",)), "10.0.0.64/26, 10.0.0.128/25"),
        (block("::/0", without=("fc00::/7",)), "::/0 except fc00::/7"),
    ],
)
def test_a_block_is_named_by_whichever_names_fewer(given_block: IPBlock, name: str) -> None:
    assert given_block.name() == name


def test_a_block_of_many_ranges_is_named_by_its_cover_and_a_digest() -> None:
    scattered = block(*(f"10.0.{third}.0/25" for third in range(40)))
    digest = hashlib.sha256(", ".join(scattered.cidrs()).encode()).hexdigest()[:12]
    assert scattered.name() == f"10.0.0.0/18#{digest}"
