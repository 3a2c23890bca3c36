"""What an agent may send on ``/ws``: one struct for each frame, told apart by ``type``.

Unknown fields are ignored and dropped. ``generation`` may be missing where old clients do not send it. What a frame
means stands in ``docs/protocol.md``; here is only what it looks like.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from wire import limits
from wire.errors import FieldError, Invalid
from wire.fields import (
    AgentId,
    Count,
    Generation,
    Name,
    StatusText,
    TaskId,
    Token,
    capability_faults,
    size_faults,
)
from wire.parsing import Body, parse


class AgentFrameT(Body, tag_field="type", omit_defaults=True):
    """Any frame of an agent."""


class Identify(AgentFrameT, tag="identify"):
    agent_id: AgentId
    token: Token = ""
    name: Name = ""
    status: StatusText = "connected"
    capabilities: Annotated[list[str | dict[str, Any]], Meta(max_length=limits.CAPABILITIES)] = msgspec.field(
        default_factory=list
    )
    """Names, or objects with a ``name``; handed on as they came."""
    presence: bool = False
    """Whether it wants agent_joined, agent_left and status_changed."""
    slots: Annotated[int, Meta(ge=1, le=limits.SLOTS)] = 1
    """How many tasks it works on at once."""
    batch: bool = False
    """Whether it reads several frames in one message, as a JSON array."""
    output: bool = False
    """Whether it sends ``task_output``; a hub that takes it says the same in its answer."""

    def faults(self) -> Iterator[FieldError]:
        yield from capability_faults("capabilities", self.capabilities)


class Ping(AgentFrameT, tag="ping"):
    pass


class ListAgents(AgentFrameT, tag="list_agents"):
    pass


class Submit(AgentFrameT, tag="submit"):
    """Delegates work: tasks as ``POST /api/tasks/bulk`` takes them. ``request_id`` comes back with the answer."""

    tasks: Annotated[list[Any], Meta(min_length=1, max_length=limits.BULK_TASKS)]
    request_id: Annotated[str, Meta(max_length=limits.NAME_CHARS)] | int | None = None


class Status(AgentFrameT, tag="status"):
    status: StatusText


class TaskAccepted(AgentFrameT, tag="task_accepted"):
    task_id: TaskId
    generation: Generation | None = None


class TaskProgress(AgentFrameT, tag="task_progress"):
    task_id: TaskId
    generation: Generation | None = None
    progress: Annotated[float, Meta(ge=0, le=100)] | None = None


class TaskOutput(AgentFrameT, tag="task_output"):
    """Lines that the task printed, numbered from 1 within one attempt; a number that is left out was lost on the way.

    Best effort, and so never answered: it is dropped when the hub is away or there is too much of it.
    """

    task_id: TaskId
    generation: Generation
    seq: Annotated[int, Meta(ge=1, le=limits.JSON_INTEGER - limits.OUTPUT_LINES)]
    """The number of the first line."""
    lines: Annotated[list[tuple[Literal["out", "err"], str]], Meta(min_length=1, max_length=limits.OUTPUT_LINES)]
    """Stream and text of each, without the line's end. What a terminal would obey is taken out, colours stay."""


class TaskComplete(AgentFrameT, tag="task_complete"):
    task_id: TaskId
    generation: Generation = 0
    result: Any = None
    tokens_used: Count | None = None

    def faults(self) -> Iterator[FieldError]:
        yield from size_faults("result", self.result, limits.RESULT_BYTES)


class TaskFailed(AgentFrameT, tag="task_failed"):
    task_id: TaskId
    generation: Generation = 0
    error: str | None = None
    reason: str | None = None


class TaskRejected(AgentFrameT, tag="task_rejected"):
    task_id: TaskId
    generation: Generation | None = None
    reason: str | None = None


class TaskRecovering(AgentFrameT, tag="task_recovering"):
    task_id: TaskId
    generation: Generation | None = None
    last_status: str | None = None


class StateReport(AgentFrameT, tag="state_report"):
    task_id: TaskId
    generation: Generation | None = None
    status: str | None = None


class WakeResult(AgentFrameT, tag="wake_result"):
    task_id: TaskId
    status: StatusText
    error: str | None = None
    reason: str | None = None


class ResourceReport(AgentFrameT, tag="resource_report"):
    cpu_percent: float | None = None
    ram_used_bytes: float | None = None
    ram_total_bytes: float | None = None
    vram_used_bytes: float | None = None
    vram_total_bytes: float | None = None


class AgentRestarting(AgentFrameT, tag="agent_restarting"):
    reason: str | None = None


_KINDS: tuple[type[AgentFrameT], ...] = (
    *(Identify, Ping, ListAgents, Submit, Status),
    *(TaskAccepted, TaskProgress, TaskOutput, TaskComplete, TaskFailed, TaskRejected, TaskRecovering),
    *(StateReport, WakeResult, ResourceReport, AgentRestarting),
)

FRAMES: dict[str, type[AgentFrameT]] = {str(kind.__struct_config__.tag): kind for kind in _KINDS}
"""Every known ``type``."""

UNSUPPORTED = frozenset(
    {
        *("message", "channel_subscribe", "channel_unsubscribe", "channel_publish", "channel_history", "list_channels"),
        "ollama_report",
    }
)
"""Types of the first protocol that this hub does not offer: known, so not a violation."""


def parse_frame(value: dict[str, Any]) -> AgentFrameT:
    """Raises ``Invalid``; for a ``type`` that is missing or unknown its only error is about the field ``type``."""
    type_ = value.get("type")
    kind = FRAMES.get(type_) if isinstance(type_, str) else None
    if kind is None:
        code = "unknown_type" if isinstance(type_, str) else "required"
        raise Invalid([FieldError("type", code, "must name a kind of frame")])
    return parse(kind, value)


def as_dict(frame: AgentFrameT) -> dict[str, Any]:
    """The frame as a JSON object with its known fields only; fields that were not sent stay absent."""
    fields: dict[str, Any] = msgspec.to_builtins(frame)
    for name in ("error", "reason"):
        if name in fields:
            fields[name] = shortened(fields[name])
    if "progress" in fields:
        fields["progress"] = round(fields["progress"])
    return fields


def shortened(text: str) -> str:
    """An error text within its limit. Its end says what went wrong more often than its middle does."""
    if len(text) <= limits.ERROR_CHARS:
        return text
    half = limits.ERROR_CHARS // 2
    return f"{text[: half - 1]}…{text[-half:]}"
