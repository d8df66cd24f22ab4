"""Scalars as Kubernetes reads them.

The API machinery turns YAML into JSON with sigs.k8s.io/yaml, which follows go-yaml v2: YAML 1.1 booleans (`y`, `on`), octal `017`, no
base-60 numbers, timestamps as text. JSON then knows no difference between `80.0` and `80`, nor a mapping key that is not a string.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from math import inf, isfinite, isnan, nan
from typing import Final

from analyzers.model.manifest import YamlValue

Scalar = None | bool | int | float | str

_WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -inf),
}
_NOT_A_WORD: Final = object()

WORDS: Final = frozenset(_WORDS)
"""Every plain scalar that is a boolean, null, infinite or no number."""
NUMBER_HINTS: Final = frozenset("+-.0123456789")
"""What `text[:1]` is for every plain scalar that is a number."""
HINTS: Final = NUMBER_HINTS | {word[:1] for word in WORDS}
"""What `text[:1]` is for every plain scalar that is not a string."""

_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,19})", re.ASCII)
_PREFIXED = re.compile(r"(?P<sign>[-+]?)0(?:[xX](?P<hex>[0-9a-fA-F]+)|[bB](?P<bin>[01]+)|[oO]?(?P<oct>[0-7]+))", re.ASCII)
_SIGN_AFTER_PREFIX = re.compile(r"0b([-+][01]{1,63})", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_POINT_FLOAT = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].+)?", re.ASCII)

_TAG: Final = "tag:yaml.org,2002:"
_EXACT: Final = 2.0**53
"""Whole floats up to here are exact integers, and Go writes them as such in JSON."""


class Undecodable(ValueError):
    """A scalar that its explicit tag cannot hold, or a value that cannot be a mapping key."""


def plain(text: str) -> Scalar:
    """What a plain, untagged scalar means. Whole floats become integers, as they do on the way through JSON."""
    value = _resolve(text)
    return _as_json(value) if isinstance(value, float) else value


def tagged(text: str, tag: str) -> Scalar:
    """What a scalar with an explicit tag means, quoted or not; an unknown tag leaves a string. `Undecodable` where it does not fit."""
    match tag.removeprefix(_TAG) if tag.startswith(_TAG) else "":
        case "int" | "float" | "bool" | "null" as name:
            return _as_json(_coerced(text, name))
        case "binary":
            return _binary(text)
        case "timestamp" if not _DATE.fullmatch(text):
            raise Undecodable(f"!!timestamp cannot hold {_shown(text)}")
    return text


def key(value: YamlValue) -> str:
    """The string that JSON makes of a mapping key: `on` is "true", `1` is "1". `Undecodable` for null and collections."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() if -(2**63) <= value < 2**63:
            return str(value)
        case float():
            return _float_key(value)
        case None:
            raise Undecodable("null cannot be a mapping key")
        case int():
            raise Undecodable(f"the number {value} is too large for a mapping key")
    raise Undecodable("a list or mapping cannot be a mapping key")


def plain_key(text: str) -> str:
    """The string that a plain, untagged mapping key becomes."""
    return key(_resolve(text))


def _resolve(text: str) -> Scalar:
    word = _WORDS.get(text, _NOT_A_WORD)
    if word is not _NOT_A_WORD:
        return word  # type: ignore[return-value]  # the sentinel is excluded
    first = text[0]
    if first == ".":
        return _float(text) if _POINT_FLOAT.fullmatch(text) else text
    if first not in NUMBER_HINTS:
        return text
    digits = text.replace("_", "")
    number = _integer(digits)
    if number is not None:
        return number
    return _float(digits, text) if _FLOAT.fullmatch(digits) else text


def _integer(digits: str) -> int | None:
    """The integer, if it fits into 64 bits: signed, or unsigned when it carries no sign."""
    if _DECIMAL.fullmatch(digits):
        number = int(digits)
    elif found := _PREFIXED.fullmatch(digits):
        magnitude = int(found["hex"] or found["bin"] or found["oct"], 16 if found["hex"] else 2 if found["bin"] else 8)
        number = -magnitude if found["sign"] == "-" else magnitude
    elif found := _SIGN_AFTER_PREFIX.fullmatch(digits):
        number = int(found[1], 2)
    else:
        return None
    largest = 2**63 if digits[0] in "+-" else 2**64
    return number if -(2**63) <= number < largest else None


def _float(digits: str, text: str = "") -> float | str:
    """The float; the text itself where the number is out of range."""
    number = float(digits)
    return number if isfinite(number) else text or digits


def _as_json(value: Scalar) -> Scalar:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    return value


def _coerced(text: str, name: str) -> Scalar:
    value = _resolve(text)
    match name, value:
        case ("null", None) | ("bool", bool()) | ("float", float()):
            return value
        case ("int" | "float", int()) if not isinstance(value, bool):
            return value
    raise Undecodable(f"!!{name} cannot hold {_shown(text)}")


def _binary(text: str) -> str:
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise Undecodable("!!binary holds invalid base64") from error


def _float_key(value: float) -> str:
    """A float in the shortest form that survives single precision, with an exponent outside 1e-4 to 1e6, as sigs.k8s.io/yaml has it."""
    single = _single(value)
    if not isfinite(single):
        return ".nan" if isnan(single) else ".inf" if single > 0 else "-.inf"
    short = next(form for digits in range(9) if _single(float(form := f"{single:.{digits}e}")) == single)
    mantissa, exponent = short.split("e")
    if not -4 <= int(exponent) < 6:
        return short
    decimals = len(mantissa.lstrip("-").replace(".", "")) - 1 - int(exponent)
    return f"{single:.{max(decimals, 0)}f}"


def _single(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return inf if value > 0 else -inf


def _shown(text: str) -> str:
    return repr(text if len(text) <= 20 else text[:17] + "...")
