"""Frozen values as plain JSON values and back, driven by the annotations of their fields.

A struct becomes the list of its fields, an enum its value, a tuple or frozenset a list, a mapping a list of pairs. A member of a
union of several structs is led by its name. Whatever a type gains is carried without a change here; a field of a type that is not
known here is refused when its codec is made. Reading runs no code but the constructors of the annotated types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, TypeGuard, Union, cast, get_args, get_origin, get_type_hints

from msgspec import DecodeError, Struct, json

Convert = Callable[[Any], Any]

_ATOMS = frozenset({str, int, bool, NoneType})
_MOST_SHARED = 65_536
_SMALL = 1 << 53


def to_bytes(value: Any) -> bytes:
    """A JSON value as bytes. Raises ValueError for a text that is no Unicode: one that holds half a surrogate pair."""
    return json.encode(value)


def from_bytes(data: bytes | str) -> Any:
    """The JSON value. Raises ValueError for bytes that hold none."""
    try:
        return json.decode(data)
    except DecodeError as error:
        raise ValueError(str(error)) from error


class Codec:
    """Writes and reads values by their types.

    Values of the types in `shared` repeat much: each becomes a text, so that equal ones are read once and are one object. Integers have any
    number of digits, which JSON readers limit: large ones become texts.
    """

    def __init__(self, shared: Iterable[Any] = ()) -> None:
        self._shared = tuple(shared)
        self._made: dict[Any, tuple[Convert | None, Convert | None]] = {}

    def writer(self, of: Any) -> Convert:
        """What turns a value of an annotated type into a JSON value."""
        return self._both(of)[0] or _same

    def reader(self, of: Any) -> Convert:
        """What turns a JSON value back. Raises ValueError, KeyError, TypeError or IndexError for a value that its writer did not give."""
        return self._both(of)[1] or _same

    def _both(self, of: Any) -> tuple[Convert | None, Convert | None]:
        """Both ways; None where a value is written as it is."""
        if of not in self._made:
            made = self._make(of)
            self._made[of] = _as_text(*made) if of in self._shared else made
        return self._made[of]

    def _make(self, of: Any) -> tuple[Convert | None, Convert | None]:
        if of is int:
            return _short, _number
        if of in _ATOMS:
            return None, None
        if isinstance(of, type) and issubclass(of, Enum):
            return (lambda value: value.value), {each.value: each for each in of}.__getitem__
        if _is_struct(of):
            return self._struct(of)
        origin, arguments = get_origin(of), get_args(of)
        if origin is tuple and arguments[1:] == (...,):
            return self._many(arguments[0], tuple, list)
        if origin is frozenset:
            return self._many(arguments[0], frozenset, sorted)
        if origin is Mapping:
            write, read = self._each(arguments, _same, tuple)
            return (lambda value: list(map(write, value.items()))), (lambda data: dict(map(read, data)))
        if origin is tuple:
            return self._each(arguments, _same, tuple)
        if origin in (Union, UnionType):
            return self._union(arguments)
        raise TypeError(f"values of {of} cannot be written")

    def _struct(self, of: Any) -> tuple[Convert, Convert]:
        hints, names = get_type_hints(of), list(of.__struct_fields__)
        taken = attrgetter(*names) if len(names) > 1 else lambda value: [getattr(value, name) for name in names]
        return self._each([hints[name] for name in names], taken, lambda values: of(*values))

    def _each(self, types: Iterable[Any], taken: Convert, given: Convert) -> tuple[Convert, Convert]:
        """A fixed number of values; those written as they are cost nothing."""
        both = [self._both(each) for each in types]
        writes = [(place, write) for place, (write, _) in enumerate(both) if write is not None]
        reads = [(place, read) for place, (_, read) in enumerate(both) if read is not None]

        def write_all(value: Any) -> Any:
            values = list(taken(value))
            for place, write in writes:
                values[place] = write(values[place])
            return values

        def read_all(data: Any) -> Any:
            values = list(data)
            for place, read in reads:
                values[place] = read(values[place])
            return given(values)

        return write_all, read_all if reads else given

    def _many(self, of: Any, made: Callable[[Iterable[Any]], Any], listed: Callable[[Iterable[Any]], list[Any]]) -> tuple[Convert, Convert]:
        write, read = self._both(of)
        if write is None or read is None:
            return listed, made
        if of is int:
            return (lambda value: listed(map(_short, value))), (lambda data: made(_numbers(data)))
        return (lambda value: listed(map(write, value))), (lambda data: made(map(read, data)))

    def _union(self, members: tuple[Any, ...]) -> tuple[Convert | None, Convert | None]:
        """Atoms are written as they are. What else there is must be told apart from them, and from each other."""
        others = [each for each in members if each not in _ATOMS]
        if not others:
            return None, None
        structs, optional = all(map(_is_struct, others)), set(members) - set(others) <= {NoneType}
        if not structs and (len(others) > 1 or not optional):
            raise TypeError(f"values of {members} cannot be told apart")
        write, read = self._named(others) if len(others) > 1 else self._make(others[0])
        if optional:
            return _where(write, _is_given), _where(read, _is_given)
        return _where(write, _is_value), _where(read, _is_list)

    def _named(self, classes: Iterable[Any]) -> tuple[Convert, Convert]:
        both = {each.__name__: self._struct(each) for each in classes}

        def write(value: Any) -> Any:
            name = type(value).__name__
            return [name, *both[name][0](value)]

        def read(data: Any) -> Any:
            return both[data[0]][1](data[1:])

        return write, read


def _short(number: int) -> int | str:
    return number if -_SMALL < number < _SMALL else f"{number:x}"


def _number(data: int | str) -> int:
    return data if isinstance(data, int) else int(data, 16)


def _numbers(data: list[int | str]) -> Iterable[int]:
    """Those of a list; most lists hold short ones alone, which are numbers already."""
    return map(_number, data) if str in set(map(type, data)) else cast(list[int], data)


def _is_given(value: Any) -> bool:
    return value is not None


def _is_struct(of: Any) -> TypeGuard[type[Struct]]:
    return isinstance(of, type) and issubclass(of, Struct)


def _is_value(value: Any) -> bool:
    return isinstance(value, Struct)


def _is_list(data: Any) -> bool:
    return isinstance(data, list)


def _same(value: Any) -> Any:
    return value


def _where(convert: Convert | None, concerned: Callable[[Any], bool]) -> Convert:
    inner = convert or _same
    return lambda value: inner(value) if concerned(value) else value


def _as_text(write: Convert | None, read: Convert | None) -> tuple[Convert, Convert]:
    inner_write, inner_read = write or _same, read or _same

    @lru_cache(_MOST_SHARED)
    def write_text(value: Any) -> str:
        return to_bytes(inner_write(value)).decode()

    @lru_cache(_MOST_SHARED)
    def read_text(text: str) -> Any:
        return inner_read(from_bytes(text))

    return write_text, read_text
