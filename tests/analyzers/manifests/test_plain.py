"""Frozen values become plain JSON values and come back, by their annotations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from msgspec import Struct

from analyzers.manifests.plain import Codec


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    SMALL = 1


class Nothing(Struct, frozen=True):
    pass


class Leaf(Struct, frozen=True):
    name: str
    size: Size
    count: int | str = 0


class Tree(Struct, frozen=True):
    leaves: tuple[Leaf | Nothing, ...]
    first: Leaf | None
    where: Leaf | str
    colours: frozenset[Colour]
    pair: tuple[str, Colour]
    marks: tuple[tuple[str, ...], ...] | None
    named: Mapping[str, Leaf]
    numbers: tuple[int, ...]
    flag: bool = False


LEAF = Leaf("a", Size.SMALL, "many")
TREE = Tree(
    (LEAF, Nothing(), Leaf("b", Size.SMALL)),
    LEAF,
    "here",
    frozenset(Colour),
    ("x", Colour.RED),
    (("m",),),
    {"l": LEAF},
    (0, -5, 1 << 80),
    True,
)
EMPTY = Tree((), None, LEAF, frozenset(), ("", Colour.RED), None, {}, ())


@pytest.mark.parametrize("codec", [Codec(), Codec([Leaf]), Codec([Leaf, Leaf | Nothing])])
@pytest.mark.parametrize("value", [TREE, EMPTY])
def test_values_come_back_as_they_were(codec: Codec, value: Tree) -> None:
    data = json.loads(json.dumps(codec.writer(Tree)(value)))
    assert codec.reader(Tree)(data) == value


def test_equal_values_of_shared_types_are_read_as_one_object() -> None:
    codec = Codec([Leaf])
    data = codec.writer(tuple[Leaf, ...])((LEAF, Leaf("a", Size.SMALL, "many")))
    one, other = codec.reader(tuple[Leaf, ...])(data)
    assert one is other


def test_numbers_beyond_what_json_readers_take_come_back() -> None:
    codec, number = Codec(), -(1 << 60_000)
    text = json.dumps(codec.writer(tuple[int, ...])((number, 3)))
    assert codec.reader(tuple[int, ...])(json.loads(text)) == (number, 3)


@pytest.mark.parametrize("of", [object, dict[str, str] | list[str], Leaf | Colour | int, list[Any]])
def test_types_that_cannot_be_told_apart_are_refused_at_once(of: Any) -> None:
    with pytest.raises(TypeError):
        Codec().writer(of)


@pytest.mark.parametrize("data", [None, 3, "text", [1], [["Leaf"], None, "", [], [], None, [], []], [["Other", 1]] * 9])
def test_other_data_is_refused(data: Any) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, IndexError)):
        Codec().reader(Tree)(data)
