"""The fields that frames and bodies are made of: types with their limits, and the rules that a type cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

from msgspec import Meta

from wire import codec, limits
from wire.errors import FieldError
from wire.notices import NoticeKind

# ``\Z`` and not ``$``, which would let a line end through.
_IDENTIFIER = r"^[A-Za-z0-9_][A-Za-z0-9._-]*\Z"
_ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z"
_TEXT = r"^(?=\s*\S)[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\Z"
_DIGITS = r"^[0-9]{1,15}\Z"
_CURSOR = r"^[0-9]{1,16}--?[0-9]{1,19}\Z"  # as the queue hands them out; longer numbers would not fit its storage
_PLACE = r"^-?[0-9]{1,19}(?:\.-?[0-9]{1,19})?\Z"
_PRINTABLE = r"^[\x21-\x7e]*\Z"

#: What a pattern demands, as the second half of "must …".
PATTERN_SENTENCES = {
    _IDENTIFIER: "consist of letters, digits, '.', '_' and '-', and begin with a letter, a digit or '_'",
    _ONE_LINE: "be one line without control characters",
    _TEXT: "be text that is not blank and has no control characters but tabs and line ends",
    _CURSOR: "be the next_cursor of an earlier answer",
    _DIGITS: "be a whole number",
    _PLACE: "be a cursor of an earlier answer",
    _PRINTABLE: "consist of printable ASCII characters without spaces",
}

AgentId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=limits.AGENT_ID_CHARS, pattern=_IDENTIFIER)]
TaskId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=limits.TASK_ID_CHARS, pattern=_PRINTABLE)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=limits.NAME_CHARS, pattern=_ONE_LINE)]
StatusText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=limits.STATUS_CHARS, pattern=_ONE_LINE)]
Token: TypeAlias = Annotated[str, Meta(max_length=limits.TOKEN_CHARS)]
Code: TypeAlias = Annotated[str, Meta(min_length=1, max_length=limits.CODE_CHARS, pattern=_PRINTABLE)]
Capability: TypeAlias = Annotated[str, Meta(min_length=1, max_length=limits.CAPABILITY_CHARS, pattern=_ONE_LINE)]
Description: TypeAlias = Annotated[str, Meta(max_length=limits.DESCRIPTION_CHARS, pattern=_TEXT)]
IdempotencyKey: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=limits.IDEMPOTENCY_KEY_CHARS, pattern=_PRINTABLE)
]
Note: TypeAlias = Annotated[str, Meta(min_length=1, max_length=limits.NOTE_CHARS, pattern=_ONE_LINE)]
Repo: TypeAlias = Annotated[str, Meta(min_length=1, max_length=limits.REPO_CHARS, pattern=_ONE_LINE)]
Cursor: TypeAlias = Annotated[str, Meta(pattern=_CURSOR)]
Digits: TypeAlias = Annotated[str, Meta(pattern=_DIGITS)]
"""A number in an address."""
Place: TypeAlias = Annotated[str, Meta(pattern=_PLACE)]
Generation: TypeAlias = Annotated[int, Meta(ge=0, le=limits.JSON_INTEGER)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=limits.JSON_INTEGER)]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=1, le=limits.JSON_INTEGER)]

Endpoint: TypeAlias = Annotated[str, Meta(min_length=1, max_length=limits.URL_CHARS, pattern=_PRINTABLE)]
NoticeKinds: TypeAlias = Annotated[list[NoticeKind], Meta(max_length=len(NoticeKind))]
PushKey: TypeAlias = Annotated[str, Meta(min_length=1, max_length=limits.PUSH_KEY_CHARS, pattern=_PRINTABLE)]

#: Words and numbers for the four lanes; the lower number goes first. ``critical`` was offered by old clients.
PRIORITIES = {"urgent": 0, "critical": 0, "high": 1, "normal": 2, "low": 3}

_NAME = re.compile(_ONE_LINE)
_ID = re.compile(_PRINTABLE)


def priority_number(value: int | str) -> int | None:
    """The lane for a word, a number or a digit in a query; None when there is no such lane."""
    if isinstance(value, int):
        return value if value in PRIORITIES.values() else None
    if value.isascii() and value.isdigit() and len(value) == 1:
        return priority_number(int(value))
    return PRIORITIES.get(value)


def is_task_id(value: object) -> bool:
    """Whether a task could have this id."""
    return isinstance(value, str) and 0 < len(value) <= limits.TASK_ID_CHARS and _ID.match(value) is not None


def capability_faults(field: str, capabilities: list[str | dict[str, Any]]) -> Iterator[FieldError]:
    """Names, and objects with a ``name``.

    Not said by a type: msgspec 0.22.0 corrupts memory when it frees a union of a string with a pattern and a container.
    """
    for index, capability in enumerate(capabilities):
        is_object = isinstance(capability, dict)
        name = capability.get("name") if isinstance(capability, dict) else capability
        if not isinstance(name, str) or not 0 < len(name) <= limits.CAPABILITY_CHARS or not _NAME.match(name):
            detail = f"must be a name of 1 to {limits.CAPABILITY_CHARS} characters without control characters"
            yield FieldError(f"{field}[{index}]{'.name' if is_object else ''}", "invalid_name", detail)


def size_faults(field: str, value: object, limit_bytes: int) -> Iterator[FieldError]:
    """One fault when ``value`` as JSON has more than ``limit_bytes``."""
    if value and codec.encoded_size(value) > limit_bytes:
        yield FieldError(field, "too_large", f"must have at most {limit_bytes} bytes as JSON")
