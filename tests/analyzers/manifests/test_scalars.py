"""Scalars and keys as sigs.k8s.io/yaml 1.6 (go.yaml.in/yaml/v2 2.4.2) turns them into JSON; the tables were taken from running it."""

from __future__ import annotations

from math import inf, isnan

import pytest

from analyzers.manifests.scalars import HINTS, NUMBER_HINTS, WORDS, Undecodable, key, plain, plain_key, tagged
from analyzers.model.manifest import YamlList, YamlMap, YamlValue

TAG = "tag:yaml.org,2002:"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, True) for word in ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")),
        *((word, False) for word in ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")),
        *((word, None) for word in ("", "~", "null", "Null", "NULL")),
        *((word, word) for word in ("yEs", "oN", "tRUE", "nULL", "~x", "yesterday", "none", "=", "<<", "shop")),
    ],
)
def test_words_are_those_of_yaml_1_1_in_three_spellings(text: str, value: YamlValue) -> None:
    assert plain(text) is value or plain(text) == value == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("80", 80),
        ("+1", 1),
        ("-0", 0),
        ("017", 15),
        ("-017", -15),
        ("00", 0),
        ("0o17", 15),
        ("0O17", 15),
        ("0x1F", 31),
        ("0X1f", 31),
        ("-0x1F", -31),
        ("0x1e2", 482),
        ("0b101", 5),
        ("-0b101", -5),
        ("+0B101", 5),
        ("0b-1", -1),
        ("1_000", 1000),
        ("1__0", 10),
        ("1_", 1),
        ("0_7", 7),
        ("0x_1f", 31),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", 2**63),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("08", 8),
        ("1.", 1),
        ("1e3", 1000),
        ("1.e3", 1000),
        ("80.0", 80),
        ("-0.0", 0),
        (".1e2", 10),
        ("1e-400", 0),
    ],
)
def test_integers_have_every_spelling_of_go_and_whole_floats_are_integers(text: str, value: int) -> None:
    assert plain(text) == value
    assert type(plain(text)) is int


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", 1.5),
        (".5", 0.5),
        ("+.5", 0.5),
        ("-.5", -0.5),
        ("1_0.5", 10.5),
        (".1_2", 0.12),
        ("09.5", 9.5),
        ("18446744073709551616", 2.0**64),
        ("0777777777777777777777777", 777777777777777777777777.0),
        (".inf", inf),
        ("+.Inf", inf),
        ("-.INF", -inf),
    ],
)
def test_floats_are_those_of_go(text: str, value: float) -> None:
    assert plain(text) == value
    assert type(plain(text)) is float


def test_not_a_number_is_a_number_to_yaml() -> None:
    found = plain(".NaN")
    assert isinstance(found, float)
    assert isnan(found)


@pytest.mark.parametrize(
    "text",
    [
        *("22:22", "1:20:30", "2001-01-01", "2001-12-14t21:59:43.10-05:00", "100m", "1d", "128Mi", "1.2.3", "10.0.0.0/8", "::1"),
        *("0x", "0xg", "0b", "0b2", "0o8", "-0b-1", "0x10000000000000000", "+-1", "--1", "_1", "+", "-x"),
        *("1e", ".e3", ".", "..", "._5", ".5."),
        *("inf", "nan", "+inf", "Infinity", ".infinity", "+.nan", "1e400", "-1e400", "9" * 5000, "١٢", "0x1p3"),
    ],
)
def test_what_only_looks_like_a_number_is_a_string(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "tag", "value"),
    [
        ("12", "str", "12"),
        ("", "str", ""),
        ("null", "str", "null"),
        ("12", "int", 12),
        ("017", "int", 15),
        ("12", "float", 12),
        ("1.5", "float", 1.5),
        ("yes", "bool", True),
        ("", "null", None),
        ("~", "null", None),
        ("2001-01-01", "timestamp", "2001-01-01"),
        ("aGVs\nbG8=", "binary", "hello"),
        ("x", "value", "x"),
    ],
)
def test_an_explicit_tag_decides(text: str, tag: str, value: YamlValue) -> None:
    assert tagged(text, TAG + tag) == value
    assert type(tagged(text, TAG + tag)) is type(value)


@pytest.mark.parametrize("tag", ["!", "!foo", "!Ref", "tag:example.com,2020:x", TAG + "unheard-of"])
def test_an_unknown_tag_leaves_a_string(tag: str) -> None:
    assert tagged("017", tag) == "017"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        *(("1.5", "int"), ("x", "int"), ("", "int"), ("yes", "int"), ("x", "float"), ("true", "float"), ("maybe", "bool"), ("1", "bool")),
        *(("x", "null"), ("0", "null"), ("noon", "timestamp"), ("not base64!", "binary"), ("YQ", "binary")),
    ],
)
def test_a_tag_that_cannot_hold_its_text_is_an_error_that_names_both(text: str, tag: str) -> None:
    with pytest.raises(Undecodable, match=f"!!{tag}"):
        tagged(text, TAG + tag)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        *(("app", "app"), ("on", "true"), ("No", "false"), ("1", "1"), ("017", "15"), ("0x10", "16"), ("-1", "-1")),
        *(("1_0", "10"), ("=", "=")),
        *(("1.5", "1.5"), ("1.10", "1.1"), ("1.0", "1"), (".5", "0.5"), ("-0.08", "-0.08"), ("1e3", "1000"), ("1e6", "1e+06")),
        *(("0.0001", "0.0001"), ("0.00001", "1e-05"), ("123456789.5", "1.2345679e+08"), ("1e100", ".inf"), ("-1e100", "-.inf")),
        *((".inf", ".inf"), (".nan", ".nan"), ("99999999999999999999999", "1e+23"), ("2001-01-01", "2001-01-01")),
    ],
)
def test_a_key_becomes_the_string_that_json_makes_of_it(text: str, name: str) -> None:
    assert plain_key(text) == name


@pytest.mark.parametrize("value", [None, YamlMap(), YamlList(), 2**63, -(2**63) - 1])
def test_null_collections_and_huge_numbers_are_no_keys(value: YamlValue) -> None:
    with pytest.raises(Undecodable, match="mapping key"):
        key(value)


def test_the_hints_tell_of_every_text_that_is_no_string() -> None:
    assert {word[:1] for word in WORDS} <= HINTS
    assert NUMBER_HINTS <= HINTS
    assert all(plain(first + "x9") == first + "x9" for first in map(chr, range(32, 127)) if first not in HINTS)
