"""From a decoded JSON object to a struct, or to the list of everything that is wrong with it.

Unknown fields are ignored and ``null`` counts as absent, as in every version of the protocol. What a struct's types
cannot say it says in ``faults``. The messages of msgspec can hold the offending value, so none of them leaves this
module as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TypeVar

import msgspec

from wire.errors import FieldError, Invalid
from wire.fields import PATTERN_SENTENCES


class Body(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A JSON object from outside."""

    def faults(self) -> Iterator[FieldError]:
        """What is wrong although every field has its type."""
        yield from ()


B = TypeVar("B", bound=Body)


def parse(kind: type[B], value: object, where: str = "") -> B:
    """``where`` precedes the names of fields in errors, for example ``tasks[3].``. Raises ``Invalid``."""
    if not isinstance(value, dict):
        raise Invalid([FieldError(where.rstrip(".") or "body", "wrong_type", "must be a JSON object")])
    given = {name: item for name, item in value.items() if item is not None}
    try:
        body = msgspec.convert(given, kind)
    except msgspec.ValidationError:
        errors = list(_field_faults(kind, given))
    else:
        errors = list(body.faults())
        if not errors:
            return body
    raise Invalid([FieldError(where + error.field, error.error, error.detail) for error in errors])


def _field_faults(kind: type[Body], given: Mapping[str, object]) -> Iterator[FieldError]:
    """One fault for each field that is wrong by itself."""
    for name, alone in _fields_alone(kind):
        try:
            msgspec.convert({name: given[name]} if name in given else {}, alone)
        except msgspec.ValidationError as error:
            yield _fault(str(error))


@cache
def _fields_alone(kind: type[Body]) -> list[tuple[str, type[msgspec.Struct]]]:
    """For each field a struct that has only it, because msgspec reports the first fault of a struct and stops."""
    alone = []
    for field in msgspec.structs.fields(kind):
        definition = (field.name, field.type) if field.required else (field.name, field.type, None)
        alone.append((field.name, msgspec.defstruct(f"{kind.__name__}_{field.name}", [definition])))
    return alone


#: msgspec's sentence -> (code, detail). Only type names and our own limits are taken over from it.
_RULES: list[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[str, str]]]] = [
    (
        re.compile(r"Expected `str` of length >= (\d+)"),
        lambda m: ("too_short", f"must have at least {m[1]} characters"),
    ),
    (re.compile(r"Expected `str` of length <= (\d+)"), lambda m: ("too_long", f"must have at most {m[1]} characters")),
    (re.compile(r"Expected `array` of length >= (\d+)"), lambda m: ("too_few", f"must have at least {m[1]} items")),
    (re.compile(r"Expected `array` of length <= (\d+)"), lambda m: ("too_many", f"must have at most {m[1]} items")),
    (re.compile(r"Expected `\w+` (>=|<=) (-?[\d.]+)"), lambda m: ("out_of_range", f"must be {m[1]} {m[2]}")),
    (
        re.compile(r"Expected `([\w| ]+)`, got `(\w+)`"),
        lambda m: ("wrong_type", f"must be {_type(m[1])}, not {_type(m[2])}"),
    ),
    (
        re.compile(r"Expected `str` matching regex (.*?)(?: - at .*)?$", re.DOTALL),
        lambda m: ("bad_format", _pattern(m[1])),
    ),
    (re.compile(r"Invalid enum value"), lambda _: ("unknown_value", "is none of the allowed values")),
]


def _fault(message: str) -> FieldError:
    missing = re.match(r"Object missing required field `(\w+)`", message)
    if missing is not None:
        return FieldError(missing[1], "required", "is missing")
    at = re.search(r" - at `\$\.([^`]*)`$", message)
    path = at[1] if at is not None else "body"
    for pattern, describe in _RULES:
        match = pattern.match(message)
        if match is not None:
            return FieldError(path, *describe(match))
    return FieldError(path, "invalid", "is not acceptable")


_TYPE_NAMES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def _type(shown: str) -> str:
    """JSON's names for types; ``shown`` is one of msgspec's, or several with bars between them."""
    names = [_TYPE_NAMES.get(name, name) for name in shown.split(" | ") if name != "null" or shown == "null"]
    return " or ".join(names)


def _pattern(shown: str) -> str:
    for pattern, sentence in PATTERN_SENTENCES.items():
        if shown.startswith(repr(pattern)):
            return f"must {sentence}"
    return "has a form that is not allowed"
