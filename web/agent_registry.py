"""Every agent connection of this process: announced to the hub, fed with what the hub sends, and watched for life.

At most one connection of an agent stays: the hub decides which (``CloseAgent``). When the hub comes back all of them are
announced again, each followed by what its agent said meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Protocol

from link.client import HubLink
from link.messages import AgentDown, AgentFrame, AgentsSeen, CloseAgent, ToAgents
from web.agent_session import AgentSession
from web.identities import Identities
from web.ws_frames import text_frame

logger = logging.getLogger("agentcom.web.agents")

#: Close codes of this protocol (docs/protocol.md).
REVOKED = 4403

#: A result that the hub has not answered for so long although it was there is sent once more.
PATIENCE_S = 10.0


class AgentConnection(Protocol):
    """A socket whose agent is identified."""

    session: AgentSession

    def send_frames(self, frames: bytes) -> None: ...

    def close_with(self, code: int, reason: str) -> None: ...


class AgentRegistry:
    def __init__(self, link: HubLink, identities: Identities) -> None:
        self._link = link
        self._identities = identities
        self._sockets: dict[str, AgentConnection] = {}

    def __len__(self) -> int:
        return len(self._sockets)

    def __iter__(self) -> Iterator[AgentConnection]:
        return iter(list(self._sockets.values()))

    # --- from the agents ----------------------------------------------------------------------------------------------

    def add(self, socket: AgentConnection, now: float) -> None:
        """``socket`` identified while the hub was there."""
        self._sockets[socket.session.connection] = socket
        self._link.send(socket.session.announcement(now))

    def remove(self, socket: AgentConnection, *, clean: bool) -> None:
        """``clean``: the agent said goodbye by itself."""
        if self._sockets.pop(socket.session.connection, None) is not None:
            self._link.send(AgentDown(socket.session.connection, clean))

    def forward(self, session: AgentSession, frame: dict[str, Any], size: int, now: float) -> bool:
        """Send ``frame`` to the hub, or keep it until there is one. False: there is none, and no room either."""
        is_up = session.announced_at is not None
        if not session.unanswered.keep(frame, size, now if is_up else None):
            return False
        if is_up:
            self._link.send(AgentFrame(session.connection, frame))
        return True

    # --- from the hub -----------------------------------------------------------------------------------------------

    def hub_is_back(self, now: float) -> None:
        for socket in self._sockets.values():
            session = socket.session
            self._link.send(session.announcement(now))
            for frame in session.unanswered.send_again(now):
                self._link.send(AgentFrame(session.connection, frame))

    def hub_is_away(self, now: float) -> None:
        for socket in self._sockets.values():
            socket.session.hub_went_away(now)

    def relay(self, messages: list[ToAgents]) -> None:
        """All frames for one agent are written at once."""
        outgoing: dict[str, list[bytes]] = {}
        for message in messages:
            frame = text_frame(message.message)
            for connection in message.connections:
                outgoing.setdefault(connection, []).append(frame)
                if message.answers:
                    self._note_answers(connection, message)
        for connection, frames in outgoing.items():
            socket = self._sockets.get(connection)
            if socket is not None:
                socket.session.is_confirmed = True
                socket.send_frames(b"".join(frames))

    def _note_answers(self, connection: str, message: ToAgents) -> None:
        socket = self._sockets.get(connection)
        if socket is not None:
            for type_, task_id in message.answers:
                socket.session.unanswered.answered(type_, task_id)

    def close(self, message: CloseAgent) -> None:
        socket = self._sockets.get(message.connection)
        if socket is not None:
            socket.close_with(message.code, message.reason)

    def close_revoked(self) -> None:
        """The table of identities changed: whose token is not in it any more has to go."""
        for socket in self:
            if not self._identities.has(socket.session.token_id):
                logger.info("agent %s: its token was revoked", socket.session.agent_id)
                socket.close_with(REVOKED, "the token was revoked")

    # --- now and then -----------------------------------------------------------------------------------------------

    def report_seen(self, now: float) -> None:
        """Tell the hub who showed life since the last time, and repeat results that it left unanswered."""
        seen = []
        for connection, socket in self._sockets.items():
            session = socket.session
            if session.announced_at is None:
                continue
            if session.is_seen:
                session.is_seen = False
                seen.append(connection)
            for frame in session.unanswered.overdue(now, PATIENCE_S):
                self._link.send(AgentFrame(connection, frame))
        if seen:
            self._link.send(AgentsSeen(seen))
