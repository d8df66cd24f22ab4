"""Phrases: what a report says, in words of its own and in names that it does not trust, before any format decides how each is written.

The comment and the terminal say the same because both render the same phrases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from analyzers.model.diagnostics import SourceLocation


class Name(Struct, frozen=True):
    """A name, label, path or value from a manifest. Never trusted, never markup."""

    text: str


class Prose(Struct, frozen=True):
    """A sentence that quotes manifests, such as the message of a diagnostic."""

    text: str


class Place(Struct, frozen=True):
    """A line of a file; `side` is `base` or `head`."""

    side: str
    location: SourceLocation


class Folded(Struct, frozen=True):
    """A count, with the members behind it out of the way; `more` members are not named at all."""

    summary: Phrase
    members: tuple[Phrase, ...]
    more: int


Piece = str | Name | Prose | Place | Folded
Phrase = tuple[Piece, ...]
"""What is said; a plain string is the report's own word."""


def counted(number: int, noun: str) -> str:
    """`1 flow`, `2 flows`, `12,000 policies`."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """The plural of a noun that ends in -y after a consonant, or takes an -s."""
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"


def titled(title: str) -> Phrase:
    """A kind and a name: NetworkPolicy `shop/cart`."""
    kind, _, name = title.partition(" ")
    return (kind if is_word(kind) else Name(kind), " ", Name(name))


def is_word(text: str) -> bool:
    """Whether a text is nothing but letters, as a kind is."""
    return text.isascii() and text.isalpha()


def joined(phrases: Iterable[Phrase], separator: str = ", ") -> Phrase:
    """The phrases one after another."""
    pieces: list[Piece] = []
    for phrase in phrases:
        pieces += [separator, *phrase] if pieces else phrase
    return tuple(pieces)


def enumerated(phrases: Sequence[Phrase]) -> Phrase:
    """`a`, `a and b`, `a, b and c`."""
    if len(phrases) < 2:
        return joined(phrases)
    return (*joined(phrases[:-1]), " and ", *phrases[-1])


def first_of(phrases: Sequence[Phrase], most: int) -> Phrase:
    """At most so many of the phrases, then how many more there are."""
    if len(phrases) <= most:
        return enumerated(phrases)
    return (*joined(phrases[:most]), f" and {len(phrases) - most:,} more")
