"""The only door for JSON: strict on the way in, strict on the way out.

ujson parses fast but accepts more than JSON is (``NaN``, ``01``, raw control characters, lone surrogates, depth 1,000),
so the text is held against JSON's grammar before ujson sees it, and its values against our limits afterwards. What a
document cannot contain judging by its text alone (no escape that could be a surrogate, no long number, few commas) is
not looked for again in its values: a common frame costs some 3 µs. Everything that leaves is valid JSON for every
browser.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeAlias

import ujson

from wire import limits

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"


class CodecError(ValueError):
    """Not acceptable JSON; ``rule`` names what was broken, never the input."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


#: JSON's lexical grammar. Possessive repeats throughout, so that no input makes it backtrack. The two groups catch what
#: only the values can tell to be harmless: an escaped surrogate, and a number with an exponent or more than 15 digits.
_UNESCAPED = r'[^"\\\x00-\x1f]*+'
_ESCAPE = r'\\(?:["\\/bfnrt]|u(?:[0-9a-ce-fA-CE-F]|([dD]))[0-9a-fA-F]{3})'
_STRING_PATTERN = rf'"{_UNESCAPED}(?:{_ESCAPE}{_UNESCAPED})*+"'
_SHORT_NUMBER = r"-?+(?:0|[1-9][0-9]{0,14}+)(?:\.[0-9]{1,15}+)?+(?![0-9.eE+\-])"
_ANY_NUMBER = r"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+\-]?+[0-9]++)?+(?![0-9.eE+\-])"
_GRAMMAR = re.compile(rf"(?:[ \t\r\n,:{{}}\[\]]++|{_STRING_PATTERN}|{_SHORT_NUMBER}|true|false|null|({_ANY_NUMBER}))*+")
_STRING = re.compile(_STRING_PATTERN)
_BRACKET = re.compile(r"[\[{\]}]")
_SURROGATE = re.compile("[\ud800-\udfff]")

#: Digits of a number beyond which no two parsers agree; every honest one is shorter.
_NUMBER_DIGITS = re.compile(r"[0-9]{400}")


def decode(
    raw: bytes | str, *, max_bytes: int, max_values: int = limits.JSON_NODES, unique_keys: bool = False
) -> JsonValue:
    """Parse one document.

    ``unique_keys``: refuse a repeated key, where two readers that each take another one would be a danger. Raises
    ``CodecError`` with the rule too_large, not_utf8, not_json, too_deep, too_many_keys, too_many_values,
    number_out_of_range, lone_surrogate or duplicate_key.
    """
    text = _as_text(raw, max_bytes)
    grammar = _GRAMMAR.fullmatch(text)
    if grammar is None:
        raise CodecError("not_json")
    is_suspect = _check_structure(text, max_values)
    if grammar.lastindex is not None:
        is_suspect = True
        _check_digits(text)
    value = _parse(text)
    if is_suspect:
        _check_values(value)
    if unique_keys:
        _check_keys(text)
    return value


def decode_object(raw: bytes | str, *, max_bytes: int, unique_keys: bool = False) -> dict[str, Any]:
    """As ``decode``, for documents that have to be an object: otherwise ``CodecError("not_an_object")``."""
    value = decode(raw, max_bytes=max_bytes, unique_keys=unique_keys)
    if not isinstance(value, dict):
        raise CodecError("not_an_object")
    return value


def decode_own(raw: bytes) -> Any:
    """Parse what another process of this program encoded with this module: nothing is checked."""
    return ujson.loads(raw)


def encode(value: object) -> bytes:
    """Compact JSON as UTF-8. Raises ``CodecError`` for what JSON cannot say (NaN, unknown types)."""
    return encode_str(value).encode()


def encode_str(value: object) -> str:
    """Compact JSON; only ASCII, so no character in it can be misread in transit."""
    return _dump(value, ensure_ascii=True)


def encoded_size(value: object) -> int:
    """Bytes of ``value`` as UTF-8 JSON without needless escapes: what a limit on a field counts."""
    return len(_dump(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _dump(value: object, *, ensure_ascii: bool) -> str:
    try:
        return str(ujson.dumps(value, ensure_ascii=ensure_ascii, escape_forward_slashes=False, allow_nan=False))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise CodecError("cannot_encode") from error


# --- before parsing ---------------------------------------------------------------------------------------------


def _as_text(raw: bytes | str, max_bytes: int) -> str:
    if len(raw) > max_bytes:
        raise CodecError("too_large")
    if isinstance(raw, str):
        if not raw.isascii() and _size(raw) > max_bytes:
            raise CodecError("too_large")
        return raw
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise CodecError("not_utf8") from None


def _size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise CodecError("lone_surrogate") from None


def _check_structure(text: str, max_values: int) -> bool:
    """Depth and number of values, in time linear in the text. True when one object could have too many keys."""
    opened = text.count("{") + text.count("[")
    separators = text.count(",")
    if opened > limits.JSON_DEPTH or separators + opened >= min(max_values, limits.JSON_KEYS):
        skeleton = _STRING.sub("", text)
        opened = skeleton.count("{") + skeleton.count("[")
        separators = skeleton.count(",")
        if opened > limits.JSON_DEPTH:
            _check_depth(skeleton)
        # Every value but the first is the first of a container or follows a comma.
        if separators + opened >= max_values:
            raise CodecError("too_many_values")
    return separators >= limits.JSON_KEYS


def _check_depth(skeleton: str) -> None:
    depth = 0
    for bracket in _BRACKET.findall(skeleton):
        depth += 1 if bracket in "[{" else -1
        if depth > limits.JSON_DEPTH:
            raise CodecError("too_deep")


def _check_digits(text: str) -> None:
    """Before parsing: the time to read a number grows with the square of its digits."""
    if _NUMBER_DIGITS.search(text) and _NUMBER_DIGITS.search(_STRING.sub("", text)):
        raise CodecError("number_out_of_range")


def _parse(text: str) -> JsonValue:
    try:
        value: JsonValue = ujson.loads(text)
    except (ValueError, RecursionError, OverflowError):
        raise CodecError("not_json") from None
    return value


# --- after parsing ----------------------------------------------------------------------------------------------


def _check_values(value: Any) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if _SURROGATE.search(item):
                raise CodecError("lone_surrogate")
        elif isinstance(item, dict):
            if len(item) > limits.JSON_KEYS:
                raise CodecError("too_many_keys")
            pending.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, float):
            if item in (float("inf"), float("-inf")):
                raise CodecError("number_out_of_range")
        elif isinstance(item, int) and abs(item) > limits.JSON_INTEGER:
            raise CodecError("number_out_of_range")


def _check_keys(text: str) -> None:
    """ujson keeps the last of two equal keys and does not say so; the standard library tells."""

    def refuse_repeated(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) < len(pairs):
            raise CodecError("duplicate_key")

    json.loads(text, object_pairs_hook=refuse_repeated)
