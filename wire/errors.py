"""What is wrong with an input: the field and the rule, never the value."""

from __future__ import annotations

from dataclasses import dataclass

from wire.limits import FIELD_ERRORS


@dataclass(frozen=True, slots=True)
class FieldError:
    """``field`` is a path such as ``tasks[3].priority``; ``error`` a code; ``detail`` a sentence without the value."""

    field: str
    error: str
    detail: str

    def as_dict(self) -> dict[str, str]:
        return {"field": self.field, "error": self.error, "detail": self.detail}


class Invalid(Exception):
    """The input breaks at least one rule; nothing was changed."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.detail}" for error in errors[:FIELD_ERRORS]))
        self.errors = errors[:FIELD_ERRORS]
