"""Turning decoded JSON into typed structs, and msgspec's complaints into errors that never repeat a value."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from wire import limits
from wire.errors import FieldError, Invalid

T = TypeVar("T")

AgentId = Annotated[str, Meta(min_length=1, max_length=limits.AGENT_ID_CHARS, pattern=r"^[A-Za-z0-9._-]+$")]
TaskId = Annotated[str, Meta(min_length=1, max_length=limits.TASK_ID_CHARS, pattern=r"^[A-Za-z0-9_-]+$")]
Name = Annotated[str, Meta(min_length=1, max_length=limits.NAME_CHARS)]
CapabilityName = Annotated[str, Meta(min_length=1, max_length=limits.CAPABILITY_CHARS)]
Count = Annotated[int, Meta(ge=0, le=limits.JSON_INTEGER)]
Milliseconds = Annotated[int, Meta(ge=0, le=limits.JSON_INTEGER)]

_PATH = re.compile(r" - at `\$?\.?(.*?)`$")


def convert(value: object, kind: type[T], *, prefix: str = "") -> T:
    """``value`` as ``kind``. Raises ``Invalid`` with the path of the field and the rule."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Invalid([field_error(str(error), prefix)]) from None


def field_error(message: str, prefix: str = "") -> FieldError:
    """msgspec says ``Expected `int`, got `str` - at `$.a.b` ``; missing fields are named inside the sentence."""
    found = _PATH.search(message)
    path = found.group(1) if found else ""
    detail = _PATH.sub("", message)
    missing = re.search(r"missing required field `(\w+)`", detail)
    if missing:
        path = f"{path}.{missing.group(1)}" if path else missing.group(1)
        return FieldError(_join(prefix, path), "required", "the field is missing")
    detail = re.sub(r"'.*'", "", detail).replace("  ", " ").strip()
    return FieldError(_join(prefix, path), "invalid", detail)


def _join(prefix: str, path: str) -> str:
    if not prefix or not path:
        return prefix or path or "body"
    return f"{prefix}{path}" if path.startswith("[") else f"{prefix}.{path}"


def check_capabilities(capabilities: list[Any], field: str) -> None:
    """Strings, or objects with a ``name``; at most 50 of at most 64 characters. Raises ``Invalid``."""
    if len(capabilities) > limits.CAPABILITIES:
        raise Invalid([FieldError(field, "too_many", f"at most {limits.CAPABILITIES} capabilities")])
    for index, capability in enumerate(capabilities):
        name = capability.get("name") if isinstance(capability, dict) else capability
        if not isinstance(name, str) or not 1 <= len(name) <= limits.CAPABILITY_CHARS:
            rule = f"a string of 1 to {limits.CAPABILITY_CHARS} characters, or an object with such a name"
            raise Invalid([FieldError(f"{field}[{index}]", "invalid", rule)])
