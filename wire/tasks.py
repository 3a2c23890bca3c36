"""The bodies with which tasks come in: one, many, or one for a named agent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from wire import codec, limits
from wire.errors import FieldError
from wire.fields import (
    AgentId,
    Capability,
    Count,
    Description,
    IdempotencyKey,
    Milliseconds,
    Name,
    Repo,
    TaskId,
    priority_number,
    size_faults,
)
from wire.parsing import Body, parse

#: Fields that are stored and handed to the agent as they came. Those of later protocol versions are never interpreted.
EXTRAS = (
    *("repo", "branch", "file_hints", "success_criteria", "verification_steps", "complexity_tier"),
    *("max_verification_retries", "skip_verification", "verification_timeout_ms"),
    "duplicate_of",
)

_Items = Annotated[list[str | dict[str, Any]], Meta(max_length=limits.LIST_ITEMS)]


class NewTaskBody(Body):
    """``POST /api/tasks``."""

    description: Description
    priority: int | str = "normal"
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    needed_capabilities: Annotated[list[Capability], Meta(max_length=limits.CAPABILITIES)] = msgspec.field(
        default_factory=list
    )
    max_retries: Annotated[int, Meta(ge=0, le=limits.MAX_RETRIES)] = 3
    """Failures in all, after which the task is a dead letter."""
    complete_by: Milliseconds | None = None
    assign_to: AgentId | None = None
    idempotency_key: IdempotencyKey | None = None
    depends_on: list[Any] = msgspec.field(default_factory=list)
    repo: Repo | None = None
    branch: Name | None = None
    file_hints: _Items | None = None
    success_criteria: _Items | None = None
    verification_steps: _Items | None = None
    complexity_tier: Name | None = None
    max_verification_retries: Count | None = None
    skip_verification: bool | None = None
    verification_timeout_ms: Count | None = None
    duplicate_of: TaskId | None = None
    """The task that this one was made after; shown on both."""
    goal_id: str | None = None

    @property
    def lane(self) -> int:
        """0 (urgent) to 3 (low)."""
        number = priority_number(self.priority)
        assert number is not None  # faults() refused the others
        return number

    @property
    def extras(self) -> dict[str, Any]:
        """The pass-through fields that were given."""
        given = {name: getattr(self, name) for name in EXTRAS}
        return {name: value for name, value in given.items() if value is not None}

    def faults(self) -> Iterator[FieldError]:
        if priority_number(self.priority) is None:
            yield FieldError("priority", "unknown_value", "must be urgent, high, normal, low, or 0 to 3")
        # Taking these in silence would be a lie: a task would run before what it depends on.
        if self.depends_on:
            yield FieldError("depends_on", "not_supported", "this hub does not order tasks by dependencies")
        if self.goal_id:
            yield FieldError("goal_id", "not_supported", "this hub has no goals")
        yield from size_faults("metadata", self.metadata, limits.METADATA_BYTES)
        yield from self._size_fault()

    def _size_fault(self) -> Iterator[FieldError]:
        extras = self.extras
        if extras or len(self.description) > limits.DESCRIPTION_CHARS // 2:
            size = codec.encoded_size([self.description, self.metadata, self.needed_capabilities, extras])
            if size > limits.TASK_BYTES:
                yield FieldError("body", "too_large", f"a task must have at most {limits.TASK_BYTES} bytes as JSON")


class PushTaskBody(Body):
    """``POST /api/admin/push-task``."""

    agent_id: AgentId
    description: Description
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)

    def faults(self) -> Iterator[FieldError]:
        yield from size_faults("metadata", self.metadata, limits.METADATA_BYTES)


def parse_new_task(value: object, where: str = "") -> NewTaskBody:
    """Raises ``wire.errors.Invalid``."""
    return parse(NewTaskBody, value, where)


def submission(body: NewTaskBody) -> dict[str, Any]:
    """The fields of ``actors.vocabulary.tasks.NewTask``, as plain types."""
    fields: dict[str, Any] = {
        "description": body.description,
        "priority": body.lane,
        "metadata": body.metadata,
        "needed_capabilities": list(dict.fromkeys(body.needed_capabilities)),
        "max_retries": body.max_retries,
    }
    for name in ("complete_by", "assign_to", "idempotency_key"):
        value = getattr(body, name)
        if value is not None:
            fields[name] = value
    extras = body.extras
    if extras:
        fields["extras"] = msgspec.to_builtins(extras)
    return fields
