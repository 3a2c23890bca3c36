"""The only door for JSON: strict on the way in, strict on the way out.

ujson parses fast but accepts more than JSON is (``NaN``, ``01``, raw control characters, lone surrogates, 1,000 levels), so bytes
are checked before it sees them and values afterwards. Everything that leaves is valid JSON for every browser.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import ujson

from wire import limits

JsonValue: TypeAlias = "None | bool | int | float | str | list[JsonValue] | dict[str, JsonValue]"


class CodecError(ValueError):
    """Not acceptable JSON; ``rule`` names what was broken, never the input."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


#: Outside strings: what may stand there at all, numbers in JSON's own grammar, and the three names.
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"')
_TOKENS = re.compile(
    r"(?:[\s,:{}\[\]]|true|false|null|-?(?:0|[1-9]\d{0,320})(?:\.\d{1,320})?(?:[eE][+-]?\d{1,3})?(?![\d.eE+-]))*"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(raw: bytes | str, *, max_bytes: int) -> JsonValue:
    """Parse one document. Raises ``CodecError``: too_large, not_utf8, not_json, too_deep, too_many_keys, too_many_values,
    number_out_of_range, lone_surrogate."""
    text = _as_text(raw, max_bytes)
    _check_grammar(text)
    try:
        value = ujson.loads(text)
    except (ValueError, RecursionError, OverflowError):
        raise CodecError("not_json") from None
    _check_values(value)
    return value  # type: ignore[no-any-return]


def decode_object(raw: bytes | str, *, max_bytes: int) -> dict[str, Any]:
    """As ``decode``, for documents that have to be an object: otherwise ``CodecError("not_an_object")``."""
    value = decode(raw, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise CodecError("not_an_object")
    return value


def encode(value: object) -> bytes:
    """Compact JSON as UTF-8. Raises ``CodecError`` for what JSON cannot say (NaN, unknown types)."""
    return encode_str(value).encode()


def encode_str(value: object) -> str:
    """Compact JSON; only ASCII, so no character in it can be misread in transit."""
    try:
        return str(ujson.dumps(value, ensure_ascii=True, escape_forward_slashes=False, allow_nan=False))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise CodecError("cannot_encode") from error


def _as_text(raw: bytes | str, max_bytes: int) -> str:
    if len(raw) > max_bytes:
        raise CodecError("too_large")
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise CodecError("not_utf8") from None


def _check_grammar(text: str) -> None:
    """Depth and grammar before parsing, in time linear in the text."""
    skeleton = _STRING.sub("", text)
    if '"' in skeleton or _TOKENS.fullmatch(skeleton) is None:
        raise CodecError("not_json")
    depth = 0
    for bracket in re.findall(r"[\[{\]}]", skeleton):
        depth += 1 if bracket in "[{" else -1
        if depth > limits.JSON_DEPTH:
            raise CodecError("too_deep")


def _check_values(value: Any) -> None:
    pending = [value]
    seen = 0
    while pending:
        item = pending.pop()
        seen += 1
        if seen > limits.JSON_NODES:
            raise CodecError("too_many_values")
        if isinstance(item, str):
            if _SURROGATE.search(item):
                raise CodecError("lone_surrogate")
        elif isinstance(item, dict):
            if len(item) > limits.JSON_KEYS:
                raise CodecError("too_many_keys")
            if any(_SURROGATE.search(key) for key in item):
                raise CodecError("lone_surrogate")
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, float):
            if item != item or item in (float("inf"), float("-inf")):
                raise CodecError("number_out_of_range")
        elif isinstance(item, int) and not isinstance(item, bool) and abs(item) > limits.JSON_INTEGER:
            raise CodecError("number_out_of_range")
