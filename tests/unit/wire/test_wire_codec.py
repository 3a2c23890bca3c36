"""The codec takes what every strict reader of JSON takes, and nothing else; what it writes they all read."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wire import codec, limits
from wire.codec import CodecError

MEGABYTE = 1024 * 1024


def decoded(raw: bytes | str) -> Any:
    return codec.decode(raw, max_bytes=8 * MEGABYTE)


def rule_of(raw: bytes | str, **options: Any) -> str:
    with pytest.raises(CodecError) as raised:
        codec.decode(raw, **({"max_bytes": 8 * MEGABYTE} | options))
    return raised.value.rule


POISON: list[tuple[bytes, str]] = [
    *[(raw, "not_json") for raw in (b"NaN", b"Infinity", b"-Infinity", b"[nan]", b"-NaN")],
    *[
        (raw, "not_json")
        for raw in (b"01", b"-01", b"5.", b".5", b"+1", b"1e", b"1e+", b"--1", b"- 1", b"0x10", b"1.2.3")
    ],
    *[(raw, "not_json") for raw in (b'"a\nb"', b'"a\tb"', b'"\x00"', b'"\x1f"', b"\x00", b"1\x00", b"[1]\x00")],
    *[
        (raw, "not_json")
        for raw in (b"", b" ", b"{", b"[1,]", b'{"a":1,}', b"[1 2]", b'{"a" 1}', b'{"a":}', b"{1:2}", b"[,]")
    ],
    *[
        (raw, "not_json")
        for raw in (b"1 2", b"[]]", b'"a"b', b"truefalse", b"tru", b"nulll", b"'a'", b'"\\x41"', b'"\\u12g4"')
    ],
    *[(raw, "not_json") for raw in (b"\xef\xbb\xbf1", b"// x\n1", b"/**/1", b'"abc', b"[1;2]", b"\x0c1", b"\xc2\xa01")],
    *[
        (raw, "not_utf8")
        for raw in (b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\xf8\x88\x80\x80\x80"', b"\xfe\xff1")
    ],
    *[(raw, "number_out_of_range") for raw in (b"1e999", b"-1e999", b"9007199254740992", b"-9007199254740992")],
    *[(raw, "number_out_of_range") for raw in (b"18446744073709551616", b"1" * 400, b"[" + b"1" * 5000 + b"]")],
    *[
        (raw, "lone_surrogate")
        for raw in (b'"\\ud800"', b'"\\udfff"', b'"\\uDC00\\uD800"', b'{"\\ud800":1}', b'["\\ud83dx"]')
    ],
    *[(raw, "too_deep") for raw in (b"[" * 33 + b"]" * 33, b'{"a":' * 40 + b"1" + b"}" * 40, b"[" * 100_000)],
    (b"[" + b"[]," * 400_000 + b"[]]", "too_many_values"),
    (b"{" + b",".join(b'"k%d":0' % n for n in range(1001)) + b"}", "too_many_keys"),
]


@pytest.mark.parametrize(("raw", "rule"), POISON, ids=lambda value: repr(value)[:40])
def test_poison_is_refused_by_name(raw: bytes, rule: str) -> None:
    assert rule_of(raw) == rule


@pytest.mark.parametrize(
    "raw", ['{"a":[1,2.5,-0,1e3,true,false,null,"x\\u00e9\\n\\/"]}', " \t\r\n{ } ", '"\\ud83d\\ude00"', "0", "-1.5E-3"]
)
def test_json_is_taken(raw: str) -> None:
    assert decoded(raw) == decoded(raw.encode()) == json.loads(raw)


def test_each_limit_holds_to_the_unit() -> None:
    assert rule_of(b"123", max_bytes=2) == "too_large"
    assert codec.decode(b"123", max_bytes=3) == 123
    assert rule_of('"é"', max_bytes=3) == "too_large", "bytes are counted, not characters"
    assert codec.decode('"é"', max_bytes=4) == "é"
    deep = limits.JSON_DEPTH
    assert decoded("[" * deep + "]" * deep) is not None
    assert rule_of("[" * (deep + 1) + "]" * (deep + 1)) == "too_deep"
    assert decoded(str(limits.JSON_INTEGER)) == limits.JSON_INTEGER
    assert decoded(str(-limits.JSON_INTEGER)) == -limits.JSON_INTEGER
    assert len(decoded(json.dumps({str(n): 0 for n in range(limits.JSON_KEYS)}))) == limits.JSON_KEYS
    assert rule_of(json.dumps({str(n): 0 for n in range(limits.JSON_KEYS + 1)})) == "too_many_keys"
    assert len(decoded(json.dumps([0] * (limits.JSON_NODES - 1)))) == limits.JSON_NODES - 1
    assert rule_of(json.dumps([0] * limits.JSON_NODES)) == "too_many_values"


def test_commas_and_brackets_inside_strings_are_not_structure() -> None:
    text = json.dumps({"csv": "a,b,[{" * 20_000, "more": '\\"[' * 100})
    assert decoded(text) == json.loads(text)


def test_repeated_keys_are_refused_where_that_is_asked_for() -> None:
    assert decoded('{"a":1,"a":2}') == {"a": 2}
    assert rule_of('{"a":1,"a":2}', unique_keys=True) == "duplicate_key"
    assert rule_of('{"x":{"a":1,"\\u0061":2}}', unique_keys=True) == "duplicate_key"
    assert codec.decode('{"a":{"a":1}}', max_bytes=99, unique_keys=True) == {"a": {"a": 1}}


def test_an_object_is_demanded_where_one_is_needed() -> None:
    for raw in ("[]", "1", '"x"', "null"):
        with pytest.raises(CodecError, match="not_an_object"):
            codec.decode_object(raw, max_bytes=99)


def test_the_error_does_not_repeat_the_input() -> None:
    with pytest.raises(CodecError) as raised:
        decoded('{"password":"hunter2",}')
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_a_surrogate_that_never_was_bytes_is_refused_too(text: str) -> None:
    assert rule_of(f'"{text}"') in ("lone_surrogate", "not_json")


# --- against the standard library ---------------------------------------------------------------------------------------


def strict(text: str) -> Any:
    """What json.loads says when it is told to be as strict as JSON is. Raises ``ValueError``."""

    def refuse(name: str) -> Any:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


def acceptable(value: Any, depth: int = 1) -> bool:
    if isinstance(value, str):
        return not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, dict | list):
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        return depth <= limits.JSON_DEPTH and all(acceptable(part, depth + 1) for part in parts)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool) or abs(value) <= limits.JSON_INTEGER


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down: 1, 1.0 and True are three things."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def check_against_the_standard_library(text: str) -> None:
    try:
        expected = strict(text)
    except (ValueError, RecursionError):
        with pytest.raises(CodecError):
            decoded(text)
        return
    try:
        value = decoded(text)
    except CodecError:
        assert not acceptable(expected), f"refused {text!r}"
        return
    assert acceptable(expected) and same(value, expected), f"{text!r}: {value!r} and not {expected!r}"


TOKENS = st.sampled_from(
    [
        *("{", "}", "[", "]", ",", ":", '"', '""', '"a"', '"\\n"', '"\\ud800"', '"\\ud83d\\ude00"', "\\", "\n", " "),
        *("\x00", "\x1f", "0", "1", "-", "-0", "01", "1.5", "5.", ".5", "1e5", "1e999", "1E-400", "e", "+"),
        *("9007199254740993", "1234567890123456", "true", "false", "null", "NaN", "Infinity", "nul", "é", "\u2028"),
        *("\ufeff", "\x7f", "'", "//"),
    ]
)


@settings(max_examples=3000, deadline=None)
@given(st.lists(TOKENS, max_size=12).map("".join))
@example("[1e308,1e309]")
@example("-")
@example('{"a":1}{"b":2}')
def test_shuffled_pieces_of_json_are_read_as_the_standard_library_reads_them(text: str) -> None:
    check_against_the_standard_library(text)


@settings(max_examples=1000, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_as_the_standard_library_reads_it(text: str) -> None:
    check_against_the_standard_library(text)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_read(raw: bytes) -> None:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        assert rule_of(raw) == "not_utf8"
    else:
        check_against_the_standard_library(text)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=1000, deadline=None)
@given(JSON)
def test_what_is_written_is_strict_json_and_comes_back(value: Any) -> None:
    text = codec.encode_str(value)
    assert text.isascii() and same(strict(text), value)
    assert same(decoded(codec.encode(value)), value)
    assert codec.encoded_size(value) <= len(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")], {"x": object()}, {1, 2}, b"bytes"])
def test_what_json_cannot_say_is_not_written(value: object) -> None:
    with pytest.raises(CodecError):
        codec.encode(value)


def test_a_hostile_text_costs_time_in_proportion_to_its_length() -> None:
    """No backtracking: these shapes blow up naive patterns. The bound is generous; a quadratic reader takes minutes."""
    for raw in (
        '"' + "\\" * 200_000,
        '"' + "\\\\" * 100_000,
        "1" * 300_000,
        "-" * 300_000,
        '"a' * 100_000,
        " " * 500_000,
    ):
        with pytest.raises(CodecError):
            decoded(raw)
