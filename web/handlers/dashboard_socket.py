"""``/ws/dashboard``: snapshots and events for a page, and its few commands.

Anybody may read, unless ``--dashboard-auth=token`` says otherwise; then the page sends ``{"type": "auth", "token": …}``
first. Commands need a page of ours on this machine, or a token of an operator.

A page that connects to ``/ws/dashboard?protocol=2`` is greeted with ``hello`` and then gets what it subscribes to, nothing else;
any other page gets the overview from the start. Views are ``overview``, ``task:ID`` and ``output:ID`` (``web.page_views``).
"""

from __future__ import annotations

import asyncio
from typing import Any

from link.client import HubRefused, HubUnavailable
from link.messages import CalledBy, IdentityEntry
from web.access import OPERATORS
from web.dashboard_page import AWAY, BACK, OVERVIEW, DashboardPage
from web.handlers.agent_socket import BAD_TOKEN
from web.handlers.base import LOCAL_PAGE, LOCAL_ROLE
from web.handlers.socket import GuardedSocket, no_room
from web.page_views import OUTPUT, TASK
from wire import codec, limits
from wire.codec import CodecError
from wire.fields import is_task_id

#: What a page may command: frame -> (operation, who argument, type of the result, status of success).
COMMANDS = {
    "retry_task": ("tasks.retry", "requested_by", "retry_result", "requeued"),
    "cancel_task": ("tasks.cancel", "cancelled_by", "cancel_result", "cancelled"),
}

#: Of the page's side of this socket; a page that says it in its address speaks of views.
PROTOCOL = 2


class DashboardSocket(GuardedSocket):
    route = "/ws/dashboard"
    message_limit = limits.DASHBOARD_FRAME_BYTES

    def initialize(self) -> None:
        super().initialize()
        self.page: DashboardPage
        self.identity: IdentityEntry | None = None
        self._bad_tokens = 0
        self._is_reading = False
        self._may_command = False

    @property
    def token_id(self) -> str | None:
        return self.identity.token_id if self.identity is not None else None

    def check_room(self) -> None:
        if len(self.services.viewers) >= self.services.limits.dashboards:
            raise no_room("dashboards")

    # --- life -------------------------------------------------------------------------------------------------------

    def opened(self) -> None:
        services = self.services
        self._may_command = services.is_our_page(self.request)
        self._speaks_of_views = self.request.query_arguments.get("protocol", [])[-1:] == [str(PROTOCOL).encode()]
        self.page = DashboardPage(
            services.feed,
            self.write_counted,
            asyncio.get_running_loop(),
            services.limits,
            speaks_of_views=self._speaks_of_views,
        )
        services.viewers.add(self)
        if services.options.dashboard_auth == "open":
            self._start_reading()

    def _start_reading(self) -> None:
        if not self._is_reading:
            self._is_reading = True
            if self._speaks_of_views:
                self.page.tell(self._hello())
            self.services.feed.join(self.page)
            self.page.pump()

    def _hello(self) -> dict[str, object]:
        feed = self.services.feed
        return {
            "type": "hello",
            "protocol": PROTOCOL,
            "boot_id": feed.boot_id,
            "seq": feed.last_seq,
            "server_time": self.services.now_ms(),
            "hub": BACK if feed.is_hub_up else AWAY,
            "role": self.identity.role if self.identity is not None else None,
            "may_write": self._is_allowed(),
        }

    def closed(self) -> None:
        self.page.close()
        self.services.feed.leave(self.page)
        self.services.viewers.remove(self)

    def is_deaf(self) -> bool:
        return self.page.is_deaf()

    @property
    def is_lagging(self) -> bool:
        return self.page.is_lagging

    # --- from the page ------------------------------------------------------------------------------------------------

    async def received(self, message: str | bytes) -> None:
        """What it does not understand it ignores, as it always did. One command at a time."""
        try:
            frame = codec.decode(message, max_bytes=self.message_limit)
        except CodecError:
            return
        if not isinstance(frame, dict):
            return
        type_ = frame.get("type")
        if type_ == "auth":
            await self._authenticate(frame.get("token"))
        elif not self._is_reading:
            return
        elif type_ == "request_snapshot":
            self.page.ask_for_snapshot()
        elif type_ in ("subscribe", "unsubscribe"):
            self._change_view(frame, opens=type_ == "subscribe")
        elif isinstance(type_, str) and type_ in COMMANDS and is_task_id(frame.get("task_id")):
            await self._command(type_, str(frame["task_id"]))

    def _change_view(self, frame: dict[str, Any], *, opens: bool) -> None:
        """The overview says whether it goes on where the page was; of other views only refusals are answered."""
        view = frame.get("view")
        if view == OVERVIEW:
            if not opens:
                self.page.leave_overview()
                return
            boot_id, seq = frame.get("boot_id"), frame.get("seq")
            is_known = isinstance(boot_id, str) and isinstance(seq, int)
            self.page.read_overview(*((boot_id, seq) if is_known else ()))
            return
        kind, _, task_id = view.partition(":") if isinstance(view, str) else ("", "", "")
        if kind not in (TASK, OUTPUT) or not is_task_id(task_id):
            self.page.tell({"type": "subscribe_result", "status": "unknown_view"})
        elif not opens:
            self.page.views.close(kind, task_id)
        elif not self.page.views.open(kind, task_id):
            self.page.tell({"type": "subscribe_result", "view": view, "status": "too_many_views"})

    async def _authenticate(self, token: Any) -> None:
        try:
            found = await self.services.authenticator.authenticate(token) if isinstance(token, str) else None
        except HubUnavailable:
            self.page.tell({"type": "auth_result", "status": "unavailable"})
            return
        if found is None:
            self._bad_tokens += 1
            self.page.tell({"type": "auth_result", "status": "refused"})
            if self._bad_tokens >= self.services.limits.bad_identifies:
                self.close_with(BAD_TOKEN, "no valid token")
            return
        self.identity = found
        self.page.tell({"type": "auth_result", "status": "ok", "role": found.role})
        self._start_reading()

    async def _command(self, type_: str, task_id: str) -> None:
        op, who, result, success = COMMANDS[type_]
        status = success
        if not self._is_allowed():
            status = "forbidden"
        else:
            name, role = (LOCAL_PAGE, LOCAL_ROLE) if self.identity is None else (self.identity.name, self.identity.role)
            by = CalledBy(name, role, "page")
            try:
                timeout_s = self.services.limits.call_timeout_s
                await self.services.link.call(op, timeout_s, by, task_id=task_id, **{who: name})
            except HubRefused as refused:
                status = refused.code
            except HubUnavailable:
                status = "unavailable"
        self.page.tell({"type": result, "task_id": task_id, "status": status})

    def _is_allowed(self) -> bool:
        """A token, once shown, decides; without one a page of ours on this machine may, where reading is open."""
        if self.identity is not None:
            return self.identity.role in OPERATORS
        return self._may_command
