"""The real web application on one loop with a scripted hub at the other end of a real Unix socket."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import socket
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.websocket import WebSocketClientConnection, websocket_connect

from link.messages import (
    AgentDown,
    AgentFrame,
    AgentsSeen,
    AgentUp,
    Call,
    CalledBy,
    CloseAgent,
    DashboardBatch,
    FromHub,
    FromWeb,
    HubHello,
    IdentityEntry,
    IdentityUpdate,
    Reply,
    Sockets,
    ToAgents,
    WebHello,
)
from link.server import LinkServer
from web.options import WebLimits, WebOptions
from web.process import WebProcess
from wire import tokens
from wire.answers import answered_by

DEADLINE_S = 10.0


class Refuse(Exception):
    """What an operation of the scripted hub raises to refuse."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


class ScriptedHub:
    """Answers calls from ``ops`` (name -> function of the arguments) and writes down everything else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.boot_id = "boot-1"
        self.identities: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.called_by: list[CalledBy | None] = []
        self.ups: list[AgentUp] = []
        self.frames: list[AgentFrame] = []
        self.downs: list[AgentDown] = []
        self.seen: list[list[str]] = []
        self.sockets: list[Sockets] = []
        self.seq = 0
        self.is_mute = False
        self._server: LinkServer | None = None
        self.ops: dict[str, Callable[..., Any]] = {
            "identities.list": lambda: list(self.identities.values()),
            "identities.create": self._create_identity,
            "identities.revoke": self._revoke_identity,
            "agents.list": list,
            "dashboard.snapshot": lambda: self.snapshot_answer(),
            "settings.read": lambda key: None,
        }

    def snapshot_answer(self) -> dict[str, Any]:
        return {"seq": self.seq, "json": json.dumps(self.snapshot()).encode(), "health_number": 0}

    def snapshot(self) -> dict[str, Any]:
        return {"seq": self.seq, "boot_id": self.boot_id, "uptime_ms": 1}

    # --- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self._server = LinkServer(self._path)
        self._server.on_messages = self._received
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.close()
            self._server = None

    async def restart(self, boot_id: str) -> None:
        await self.stop()
        self.boot_id = boot_id
        self.seq = 0
        await self.start()

    def send(self, message: FromHub) -> None:
        assert self._server is not None
        self._server.send(None, message)

    # --- what it gets -------------------------------------------------------------------------------------------------

    def _received(self, peer: int, messages: list[FromWeb]) -> None:
        for message in messages:
            match message:
                case Call():
                    if not self.is_mute:
                        self._answer(peer, message)
                case AgentUp():
                    self.ups.append(message)
                case AgentFrame():
                    self.frames.append(message)
                case AgentDown():
                    self.downs.append(message)
                case AgentsSeen():
                    self.seen.append(message.connections)
                case Sockets():
                    self.sockets.append(message)
                case WebHello():
                    assert self._server is not None
                    self._server.send(peer, HubHello(self.boot_id, 1, self.entries()))

    def _answer(self, peer: int, call: Call) -> None:
        assert self._server is not None
        self.calls.append((call.op, call.args))
        self.called_by.append(call.by)
        try:
            if call.op not in self.ops:
                raise Refuse("invalid", "no such operation here")
            value = self.ops[call.op](**call.args)
        except Refuse as refused:
            self._server.send(peer, Reply(call.call_id, None, refused.code, refused.detail))
        else:
            self._server.send(peer, Reply(call.call_id, value))

    # --- identities -------------------------------------------------------------------------------------------------

    def entries(self) -> list[IdentityEntry]:
        return [
            IdentityEntry(one["token_id"], one["name"], one["role"], one["secret_sha256"])
            for one in self.identities.values()
        ]

    def _create_identity(self, identity: dict[str, Any], rotate: bool) -> dict[str, Any]:
        if not rotate and any(one["name"] == identity["name"] for one in self.identities.values()):
            raise Refuse("already_exists")
        self.identities[identity["token_id"]] = identity
        return identity

    def _revoke_identity(self, name: str) -> int:
        mine = [token_id for token_id, one in self.identities.items() if one["name"] == name]
        for token_id in mine:
            del self.identities[token_id]
        self.send(IdentityUpdate(self.entries()))
        return len(mine)

    def token(self, role: str, name: str, *, tell: bool = True) -> str:
        """A valid token; ``tell``: the web processes hear of it."""
        minted = tokens.mint(role)
        self.identities[minted.token_id] = {
            "token_id": minted.token_id,
            "name": name,
            "role": role,
            "secret_sha256": minted.secret_sha256,
            "created_at": 1,
        }
        if tell and self._server is not None:
            self.send(IdentityUpdate(self.entries()))
        return minted.token

    # --- what it says ---------------------------------------------------------------------------------------------------

    def batch(self, *seqs: int, first_seq: int | None = None, **fields: Any) -> None:
        """One batch with an event for each of ``seqs``."""
        events = [{"type": "task_event", "seq": seq, **fields} for seq in seqs]
        encoded = json.dumps(events, separators=(",", ":")).encode()[1:-1]
        self.seq = max(seqs)
        self.send(DashboardBatch(first_seq if first_seq is not None else seqs[0], seqs[-1], encoded))

    def to_agent(self, connection: str, **frame: Any) -> None:
        answered = answered_by(frame)
        self.send(ToAgents([connection], json.dumps(frame).encode(), (answered,) if answered is not None else ()))

    def close_agent(self, connection: str, code: int, reason: str = "") -> None:
        self.send(CloseAgent(connection, code, reason))


class Socket:
    """A WebSocket client that reads like a conversation."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self.connection = connection

    async def say(self, raw: str | bytes | None = None, **fields: Any) -> None:
        data = json.dumps(fields) if raw is None else raw
        await self.connection.write_message(data, binary=isinstance(data, bytes))

    async def hear(self, timeout_s: float = DEADLINE_S) -> dict[str, Any]:
        text = await asyncio.wait_for(_read(self.connection), timeout_s)
        assert text is not None, f"closed with {self.connection.close_code}"
        frame: dict[str, Any] = json.loads(text)
        return frame

    async def hear_type(self, type_: str) -> dict[str, Any]:
        while True:
            frame = await self.hear()
            if frame["type"] == type_:
                return frame

    async def ask(self, raw: str | bytes | None = None, **fields: Any) -> dict[str, Any]:
        await self.say(raw, **fields)
        return await self.hear()

    async def closed(self) -> int | None:
        async def drain() -> None:
            while await self.connection.read_message() is not None:
                pass

        await asyncio.wait_for(drain(), DEADLINE_S)
        return self.connection.close_code

    async def is_silent(self, seconds: float = 0.1) -> bool:
        try:
            await self.hear(seconds)
        except TimeoutError:
            return True
        return False

    def close(self, code: int = 1000) -> None:
        self.connection.close(code)


async def _read(connection: WebSocketClientConnection) -> str | bytes | None:
    return await connection.read_message()


class ErrorLog(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class Kit:
    """One web process with its hub. Use as an asynchronous context manager; leaving it checks that no error was logged."""

    def __init__(self, *, with_hub: bool = True, limits: WebLimits | None = None, **options: Any) -> None:
        self.errors = ErrorLog()
        self._with_hub = with_hub
        self._limits = limits or WebLimits()
        self._options = options

    async def __aenter__(self) -> Self:
        logging.getLogger().addHandler(self.errors)
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        static = folder / "static"
        static.mkdir()
        (static / "js").mkdir()
        (static / "index.html").write_text('<script type="module" src="{{static}}/js/main.js"></script>{{preload}}')
        (static / "js" / "main.js").write_text("export const x = 1;")
        self.hub = ScriptedHub(folder / "hub.sock")
        self.admin = self.hub.token("admin", "admin", tell=False)
        if self._with_hub:
            await self.hub.start()
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        options = WebOptions(
            listen_fd=listening.detach(),
            hub_socket=str(folder / "hub.sock"),
            web_id="web-0",
            limits=self._limits,
            **{"static_dir": str(static), **self._options},
        )
        self.web = WebProcess(options)
        await self.web.start()
        if self._with_hub:
            await self.web.wait_for_greeting(DEADLINE_S)
        self._client = AsyncHTTPClient(force_instance=True)
        self._sockets: list[Socket] = []
        return self

    async def __aexit__(self, *_: object) -> None:
        for opened in self._sockets:
            opened.close()
        self._client.close()
        await self.web.stop()
        await self.hub.stop()
        self._folder.cleanup()
        logging.getLogger().removeHandler(self.errors)
        assert not self.errors.lines, "\n".join(self.errors.lines)

    # --- HTTP -------------------------------------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = "admin",
        headers: dict[str, str] | None = None,
        follow: bool = False,
    ) -> Answer:
        """``token`` "admin" is the admin's; ``body`` bytes are sent as they are, anything else as JSON."""
        sent = HTTPHeaders(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {self.admin if token == 'admin' else token}")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        request = HTTPRequest(
            self.url + path,
            method=method,
            headers=sent,
            body=data,
            follow_redirects=follow,
            allow_nonstandard_methods=True,
            request_timeout=DEADLINE_S,
            decompress_response="Accept-Encoding" not in sent,
        )
        try:
            return Answer(await self._client.fetch(request, raise_error=False))
        except HTTPClientError as error:
            raise AssertionError(f"{method} {path}: {error}") from error

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.request("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.request("POST", path, {} if body is None else body, **options)

    async def raw(self, data: bytes) -> bytes:
        """Send bytes over a connection of their own; what comes back until the other side closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), DEADLINE_S)
        finally:
            writer.close()

    # --- sockets ----------------------------------------------------------------------------------------------------

    async def socket(self, path: str, headers: dict[str, str] | None = None) -> Socket:
        request = HTTPRequest(f"ws://{self.host}{path}", headers=headers or {})
        opened = Socket(await websocket_connect(request, max_message_size=2**26))
        self._sockets.append(opened)
        return opened

    async def upgrade_status(self, path: str, headers: dict[str, str]) -> int:
        """With what an upgrade is refused."""
        try:
            await self.socket(path, headers)
        except HTTPClientError as error:
            return error.code
        raise AssertionError("it was not refused")

    async def agent(self, agent_id: str, **fields: Any) -> Socket:
        """An identified agent."""
        opened = await self.socket("/ws")
        token = self.hub.token("agent", agent_id)
        answer = await opened.ask(type="identify", agent_id=agent_id, token=token, **fields)
        assert answer == {"type": "identified", "agent_id": agent_id}
        await until(lambda: any(up.agent_id == agent_id for up in self.hub.ups))
        return opened

    def connection_of(self, agent_id: str) -> str:
        return next(up.connection for up in reversed(self.hub.ups) if up.agent_id == agent_id)

    async def dashboard(self, **headers: str) -> Socket:
        return await self.socket("/ws/dashboard", {"Origin": self.url, **headers})


class Answer:
    """An HTTP answer. ``json`` is None when the body is not JSON."""

    def __init__(self, response: HTTPResponse) -> None:
        self.status = response.code
        self.headers = response.headers
        self.body = response.body or b""
        try:
            self.json: Any = json.loads(self.body)
        except ValueError:
            self.json = None


async def until(condition: Callable[[], Any], what: str = "the condition") -> Any:
    """The first truthy value of ``condition()``; fails after ``DEADLINE_S``."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while not (value := condition()):
        assert asyncio.get_running_loop().time() < deadline, f"{what} did not come true"
        await asyncio.sleep(0.005)
    return value


def with_kit(**options: Any) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., None]]:
    """Runs an asynchronous test with a ``Kit`` as its first argument."""

    def decorate(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*args: Any, **kwargs: Any) -> None:
            async def main() -> None:
                async with Kit(**options) as kit:
                    await test(kit, *args, **kwargs)

            asyncio.run(main())

        del run.__wrapped__  # type: ignore[attr-defined]  # pytest would look for a fixture named kit
        return run

    return decorate
