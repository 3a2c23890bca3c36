"""``/ws``: an agent says who it is, then speaks with the hub through this process.

What an agent may say at which point::

    UNIDENTIFIED   identify -> IDENTIFYING; anything else is answered not_identified
    IDENTIFYING    its token is checked, the hub is waited for; nothing is read meanwhile
    IDENTIFIED     ping and list_agents are answered here, identify is refused, everything else goes to the hub

Each refused frame is answered with an error frame and counts as a violation; ten in a minute close the connection. While the
hub is away the connection stays: frames are kept, and sent when it is back (``web.unanswered``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from enum import Enum, auto
from typing import Any

from link.client import HubRefused, HubUnavailable
from link.messages import AgentFrame, IdentityEntry
from web.agent_session import AgentSession
from web.agent_view import socket_object
from web.bulk_submission import BulkSubmission
from web.errors import ApiError, json_detail
from web.handlers.socket import TRY_LATER, VIOLATION, GuardedSocket, no_room
from web.pacing import Budget, Strikes
from wire import codec, limits
from wire.codec import CodecError
from wire.errors import Invalid
from wire.frames import (
    FRAMES,
    UNSUPPORTED,
    Identify,
    ListAgents,
    Ping,
    Status,
    Submit,
    TaskOutput,
    as_dict,
    parse_frame,
)
from wire.output import encoded_lines
from wire.roles import Role

logger = logging.getLogger("agentcom.web.agents")

#: Close code after three tokens that were not good.
BAD_TOKEN = 4401

#: Codes with which an agent says goodbye.
GOODBYE = frozenset({1000, 1001})

#: ``submit`` frames of one agent that may wait for the hub at the same time.
SUBMITS_AT_ONCE = 16

#: How a message of output begins when it comes from our sidecar; there what is too much can be dropped unread.
OUTPUT_BEGINS = '{"type":"task_output"'

#: Bytes of output of one agent, sustained and at once. A sidecar sends half of it.
AGENT_OUTPUT_PER_S = 512 * limits.KIB
AGENT_OUTPUT_AT_ONCE = 4096 * limits.KIB


class Phase(Enum):
    UNIDENTIFIED = auto()
    IDENTIFYING = auto()
    IDENTIFIED = auto()


class AgentSocket(GuardedSocket):
    route = "/ws"
    message_limit = limits.UNIDENTIFIED_FRAME_BYTES

    def initialize(self) -> None:
        super().initialize()
        self.phase = Phase.UNIDENTIFIED
        self.session: AgentSession
        """From IDENTIFIED on."""
        self._timer: asyncio.TimerHandle | None = None
        self._bad_identifies = 0
        self._submitting = asyncio.Semaphore(SUBMITS_AT_ONCE)
        self._printing = Budget(AGENT_OUTPUT_PER_S, AGENT_OUTPUT_AT_ONCE)

    def check_origin_headers(self) -> None:
        """An agent is a program; a page that wants to be one is somebody else's."""
        if "Origin" in self.request.headers:
            raise ApiError(403, "forbidden_origin", "a browser cannot be an agent")

    def check_room(self) -> None:
        if self.services.unidentified >= self.services.limits.unidentified_agents:
            raise no_room("connections that have not identified")

    # --- life -------------------------------------------------------------------------------------------------------

    def opened(self) -> None:
        self.services.unidentified += 1
        self._strikes = Strikes(self.services.limits.violations, self.services.limits.violations_window_s)
        self._expect_identify()

    def closed(self) -> None:
        self._cancel_timer()
        if self.phase is Phase.IDENTIFIED:
            self.services.agents.remove(self, clean=not self.closed_by_us and self.close_code in GOODBYE)
        else:
            self.services.unidentified -= 1

    def _expect_identify(self) -> None:
        timeout_s = self.services.limits.identify_timeout_s
        self._timer = asyncio.get_running_loop().call_later(timeout_s, self._too_late)

    def _too_late(self) -> None:
        self.close_with(VIOLATION, "no identify in time")

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _heard(self) -> None:
        super()._heard()
        if self.phase is Phase.IDENTIFIED:
            self.session.is_seen = True

    # --- any frame ----------------------------------------------------------------------------------------------------

    def received(self, message: str | bytes) -> Awaitable[None] | None:
        if isinstance(message, bytes):
            self._refuse({"error": "invalid_frame", "detail": "frames are text"})
            return None
        if message.startswith(OUTPUT_BEGINS) and not self._may_print(len(message)):
            return None
        try:
            value = codec.decode(message, max_bytes=self.message_limit, unique_keys=self.phase is Phase.UNIDENTIFIED)
        except CodecError as error:
            self._refuse({"error": "invalid_json", "detail": json_detail(error)})
            return None
        if self.phase is not Phase.IDENTIFIED:
            return self._first_frame(value)
        if isinstance(value, list):
            return self._frames(value, len(message))
        if not isinstance(value, dict):
            self._refuse({"error": "invalid_frame", "detail": "a message is a JSON object, or an array of them"})
            return None
        return self._frame(value, len(message))

    def _may_print(self, size: int) -> bool:
        """Before the message is even read: output is worth a part of the time of this process, and not more."""
        now = self.services.clock()
        return self._printing.take(size, now) and self.services.printing.take(size, now)

    async def _frames(self, values: list[Any], size: int) -> None:
        """Several frames in one message: as if each had come alone."""
        if not 0 < len(values) <= limits.BATCH_FRAMES or not all(isinstance(value, dict) for value in values):
            detail = f"an array holds 1 to {limits.BATCH_FRAMES} frames, each a JSON object"
            self._refuse({"error": "invalid_frame", "detail": detail})
            return
        for value in values:
            if not self._is_open or self.closed_by_us:
                return
            later = self._frame(value, size // len(values))
            if later is not None:
                await later

    def _refuse(self, error: dict[str, Any]) -> None:
        """Answer an error frame; the last of too many closes the connection."""
        self.services.rejected.add()
        self.say({"type": "error", **error})
        if self._strikes.add(self.services.clock()):
            self.close_with(VIOLATION, "too many violations")

    # --- before it is identified ------------------------------------------------------------------------------------

    def _first_frame(self, value: object) -> Awaitable[None] | None:
        if not isinstance(value, dict) or value.get("type") != "identify":
            self._refuse({"error": "not_identified", "detail": "the first frame must be identify"})
            return None
        try:
            frame = parse_frame(value)
        except Invalid as error:
            self._refuse({"error": "not_identified", "errors": [one.as_dict() for one in error.errors]})
            return None
        assert isinstance(frame, Identify)
        return self._identify(frame)

    async def _identify(self, frame: Identify) -> None:
        """Tornado reads nothing more from this connection until it is done."""
        self.phase = Phase.IDENTIFYING
        self._cancel_timer()
        try:
            identity = await self._authenticate(frame)
        except HubUnavailable:
            self._leave_identifying()
            self.close_with(TRY_LATER, "the hub is away")
            return
        if isinstance(identity, str):
            self._leave_identifying()
            self._refuse_identify(frame.agent_id, identity)
        elif self._is_open:
            self._enter(frame, identity)

    def _leave_identifying(self) -> None:
        self.phase = Phase.UNIDENTIFIED
        if self._is_open:
            self._expect_identify()

    async def _authenticate(self, frame: Identify) -> IdentityEntry | str:
        """The identity, or the code of what is wrong. Waits for a hub that is away; raises ``HubUnavailable``."""
        services = self.services
        if not services.link.is_up and not await services.link.wait_until_up(services.limits.hub_wait_s):
            raise HubUnavailable("the hub is away")
        given = [token for token in (frame.token, self.bearer_token()) if token]
        found = [await services.authenticator.authenticate(token) for token in given]
        identities = [identity for identity in found if identity is not None]
        if not identities or len(identities) < len(found) or any(one.role != Role.AGENT for one in identities):
            return "invalid_token"
        if any(one.name != frame.agent_id for one in identities):
            return "token_agent_mismatch"
        if not services.link.is_up:
            raise HubUnavailable("the hub went away")
        return identities[0]

    def _refuse_identify(self, agent_id: str, code: str) -> None:
        """Three bad ones close the connection; somebody who keeps guessing gets one."""
        self._bad_identifies += 1
        address = self.request.remote_ip or ""
        is_guessing = self.services.guesses.add(address, agent_id, self.services.clock())
        self.say({"type": "error", "error": code})
        if is_guessing or self._bad_identifies >= self.services.limits.bad_identifies:
            self.close_with(BAD_TOKEN, "no valid token")

    def _enter(self, frame: Identify, identity: IdentityEntry) -> None:
        services = self.services
        self.phase = Phase.IDENTIFIED
        services.unidentified -= 1
        self.message_limit = limits.AGENT_FRAME_BYTES
        self.accept_messages()
        self.session = AgentSession(
            connection=services.new_connection_id(),
            agent_id=frame.agent_id,
            name=frame.name or frame.agent_id,
            status=frame.status,
            capabilities=list(frame.capabilities),
            presence=frame.presence,
            connected_at=services.now_ms(),
            token_id=identity.token_id,
            slots=frame.slots,
            batch=frame.batch,
        )
        services.agents.add(self, services.clock())
        self.say({"type": "identified", "agent_id": frame.agent_id} | ({"output": True} if frame.output else {}))

    # --- afterwards -------------------------------------------------------------------------------------------------

    def _frame(self, value: dict[str, Any], size: int) -> Awaitable[None] | None:
        type_ = value.get("type")
        if type_ in UNSUPPORTED:
            self.say({"type": "error", "error": "not_supported", "message_type": type_})
            return None
        try:
            frame = parse_frame(value)
        except Invalid as error:
            self._refuse(_invalid(value, error))
            return None
        match frame:
            case Ping():
                self.say({"type": "pong", "timestamp": self.services.now_ms()})
            case ListAgents():
                return self._list_agents()
            case Submit():
                return self._submit(frame)
            case Identify():
                self._refuse({"error": "already_identified", "detail": "this connection has its agent"})
            case TaskOutput():
                self._print(frame)
            case _:
                if isinstance(frame, Status):
                    self.session.status = frame.status
                self._forward(as_dict(frame), size)
        return None

    def _forward(self, frame: dict[str, Any], size: int) -> None:
        if not self.services.agents.forward(self.session, frame, size, self.services.clock()):
            self.say({"type": "error", "error": "hub_unavailable"} | _about(frame))

    def _print(self, frame: TaskOutput) -> None:
        """Never kept for later, unlike what the hub has to answer."""
        if self.session.announced_at is None:
            return
        lines = encoded_lines(frame.lines)
        about = {"task_id": frame.task_id, "generation": frame.generation, "seq": frame.seq}
        printed = {"type": "task_output", **about, "count": len(frame.lines), "lines": lines}
        self.services.link.send(AgentFrame(self.session.connection, printed))

    async def _list_agents(self) -> None:
        try:
            agents = await self.services.link.call("agents.list", self.services.limits.call_timeout_s)
        except (HubUnavailable, HubRefused):
            self.say({"type": "error", "error": "hub_unavailable"})
            return
        self.say({"type": "agents", "agents": [socket_object(agent) for agent in agents]})

    async def _submit(self, frame: Submit) -> None:
        """Several may wait for the hub at once; what is too many waits here, and the agent with it."""
        await self._submitting.acquire()
        asyncio.create_task(self._answer_submit(frame)).add_done_callback(lambda _: self._submitting.release())

    async def _answer_submit(self, frame: Submit) -> None:
        bulk = BulkSubmission()
        for task in frame.tasks:
            bulk.add(task)
        answer: dict[str, Any] = {"type": "submitted", "request_id": frame.request_id}
        try:
            answers = await self._submit_to_hub(bulk.accepted) if bulk.accepted else []
        except HubUnavailable:
            answer = {"type": "error", "error": "hub_unavailable", "request_id": frame.request_id}
        except HubRefused as refused:
            answer = {"type": "error", "error": refused.code, "request_id": frame.request_id}
        else:
            answer["results"] = bulk.results(answers)
        if self._is_open:
            self.say(answer)

    async def _submit_to_hub(self, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        services = self.services
        answers: list[dict[str, Any]] = await services.link.call(
            "tasks.submit", services.limits.call_timeout_s, tasks=tasks, submitted_by=self.session.agent_id
        )
        return answers


def _invalid(value: dict[str, Any], error: Invalid) -> dict[str, Any]:
    type_ = value.get("type")
    if not isinstance(type_, str) or type_ not in FRAMES:
        return {"error": "unknown_message_type", "known_types": sorted(FRAMES)}
    errors = [one.as_dict() for one in error.errors]
    return {"error": "validation_failed", "message_type": type_, "errors": errors} | _about(value)


def _about(frame: dict[str, Any]) -> dict[str, str]:
    """Which task an error is about, so that the agent can tell."""
    task_id = frame.get("task_id")
    is_id = isinstance(task_id, str) and len(task_id) <= limits.TASK_ID_CHARS
    return {"task_id": task_id} if isinstance(task_id, str) and is_id else {}
