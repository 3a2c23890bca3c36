"""The vocabulary of the link. Every struct is one frame element, encoded by msgspec as a tagged MessagePack array.

Web process -> hub: ``WebHello``, ``Call``, ``AgentUp``, ``AgentFrame``, ``AgentsSeen``, ``AgentDown``, ``WatchOutput``,
``InputRejected``, ``Sockets``.
Hub -> web process: ``HubHello``, ``Reply``, ``ToAgents``, ``CloseAgent``, ``DashboardBatch``, ``HealthUpdate``,
``IdentityUpdate``, ``TaskPrinted``.

None of them can be part of a cycle, so none is of interest to the collector.

A *connection* is one agent socket; its id is unique over all web processes and boots.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec


class WebHello(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """First frame of a web process; its ``AgentUp`` announcements follow at once."""

    web_id: str
    pid: int


class CalledBy(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """On whose behalf. ``role``: that of the token, or ``local`` for a page without one. ``way``: page, cli or api."""

    name: str
    role: str
    way: str


class Call(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """A request. ``op`` is a key of ``actors.gateway.OPERATIONS``; ``args`` are the fields of its message."""

    call_id: int
    op: str
    args: dict[str, Any]
    by: CalledBy | None = None
    """For what the audit log names; plain submits and reads go without."""


class AgentUp(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """An authenticated agent has a connection. ``resumed``: it had it before this hub started (re-announcement)."""

    connection: str
    agent_id: str
    name: str
    status: str
    capabilities: list[Any]
    presence: bool
    connected_at: int
    resumed: bool
    slots: int = 1
    batch: bool = False
    """Whether it reads several frames in one message (a JSON array)."""


class AgentFrame(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """A validated frame of an agent: ``frame`` is the JSON object as decoded, ``type`` included."""

    connection: str
    frame: dict[str, Any]


class AgentsSeen(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """These connections showed life (any inbound frame or pong) since the last such message."""

    connections: list[str]


class AgentDown(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """``clean``: the agent closed with 1000 or 1001; anything else is a loss."""

    connection: str
    clean: bool


class WatchOutput(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """All tasks whose output some page of this process shows now; replaces what it said before."""

    task_ids: list[str]


class InputRejected(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """So many messages of agents and clients broke the rules since the last such message."""

    messages: int


class Sockets(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """What this process serves, said when it is another than before, at most once a second.

    ``frames_per_s``: to dashboards. ``lagging``: those of them that have not taken all they were sent. ``requests``: under way.
    """

    agents: int = 0
    dashboards: int = 0
    lagging: int = 0
    frames_per_s: int = 0
    requests: int = 0


class IdentityEntry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    token_id: str
    name: str
    role: str
    secret_sha256: bytes


class HubHello(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """First frame of the hub. ``identities`` is the complete table, so that authentication needs no round trip."""

    boot_id: str
    pid: int
    identities: list[IdentityEntry]


class Reply(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Answer to ``Call``: ``refusal`` None and a ``value`` of plain types, or a code (``Refusal`` values, ``unavailable``,
    ``invalid``) with a safe ``detail``. ``snapshot`` replies carry bytes of JSON in ``value``."""

    call_id: int
    value: Any = None
    refusal: str | None = None
    detail: str = ""


class ToAgents(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Send one message to these connections: a JSON frame, or an array of frames (an encoded presence push goes to many).

    ``answers``: the type and the task of each frame of the agent that this answers (``wire.answers``), so that the web
    process need not send them again after the hub came back."""

    connections: list[str]
    message: bytes
    answers: tuple[tuple[str, str | None], ...] = ()


class CloseAgent(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    connection: str
    code: int
    reason: str


class DashboardBatch(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """See ``actors.vocabulary.dashboard.Batch``."""

    first_seq: int
    last_seq: int
    events: bytes


class HealthUpdate(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """See ``actors.vocabulary.dashboard.HealthChanged``."""

    number: int
    json: bytes


class IdentityUpdate(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """The complete table after a change; sockets of a revoked identity are closed with 4403."""

    identities: list[IdentityEntry]


class TaskPrinted(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Lines of a task whose output this process watches; see ``actors.vocabulary.output.Printed``."""

    task_id: str
    generation: int
    first_seq: int
    last_seq: int
    lines: bytes


FromWeb: TypeAlias = (
    WebHello | Call | AgentUp | AgentFrame | AgentsSeen | AgentDown | WatchOutput | InputRejected | Sockets
)
FromHub: TypeAlias = (
    HubHello | Reply | ToAgents | CloseAgent | DashboardBatch | HealthUpdate | IdentityUpdate | TaskPrinted
)
