"""Who may use which route: one table, and what it does not list does not exist (security.md T6).

A start-up check walks the routes and this table against each other, so a new route without a row here does not start.
"""

from __future__ import annotations

from dataclasses import dataclass

from wire.roles import Role

ANYBODY = frozenset[Role]()
EVERY_ROLE = frozenset(Role)
OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Access:
    """``roles`` may do it with any object, ``own`` only with what they submitted themselves.

    ``is_open``: needs no token. ``is_dashboard``: needs none either, unless reading the dashboard was closed
    (``--dashboard-auth=token``), and then any. ``is_for_page`` is the only way to write without one
    (``Guard.is_our_page``); a token that is sent decides all the same.
    """

    reason: str
    roles: frozenset[Role] = ANYBODY
    own: frozenset[Role] = ANYBODY
    is_open: bool = False
    is_dashboard: bool = False
    is_for_page: bool = False
    """A page of ours on this machine may write here without a token, where reading the dashboard is open."""


_PAGE = Access("the page holds no data; what it shows it has to read", is_open=True)
_HEALTH = Access("load balancers and people who wonder ask without a token", is_open=True)
_DASHBOARD = Access("reading the dashboard is open by the protocol's decision", EVERY_ROLE, is_dashboard=True)
_READ = Access("every token could read from the first protocol on", EVERY_ROLE)
_SUBMIT_PAGE = Access("every token could submit; the page on this machine may too", EVERY_ROLE, is_for_page=True)
_SUBMIT = Access("every token could submit from the first protocol on; agents delegate work", EVERY_ROLE)
_STEER = Access("changes the work of others", OPERATORS, own=frozenset({Role.SUBMITTER}), is_for_page=True)
_BULK = Access("changes the work of everybody at once", OPERATORS, is_for_page=True)
_OPERATE = Access("acts on agents", OPERATORS)
_OPERATE_PAGE = Access("acts on the fleet; the page on this machine may too", OPERATORS, is_for_page=True)
_ADMIT = Access("lets an agent in or renews its token; no other right can come of it", OPERATORS, is_for_page=True)
_ADMINISTER = Access("gives or takes rights, or changes the hub for everybody", ADMINS)
_TOKENS = Access("gives or takes rights; the page on this machine may too, below admin", ADMINS, is_for_page=True)
_TELL = Access("decides where this hub sends requests; the page on this machine may too", OPERATORS, is_for_page=True)

ACCESS: dict[tuple[str, str], Access] = {
    ("GET", "/"): _PAGE,
    ("GET", "/dashboard"): _PAGE,
    ("GET", "/tasks"): _PAGE,
    ("GET", "/tasks/:id"): _PAGE,
    ("GET", "/dead"): _PAGE,
    ("GET", "/agents"): _PAGE,
    ("GET", "/agents/:id"): _PAGE,
    ("GET", "/activity"): _PAGE,
    ("GET", "/trends"): _PAGE,
    ("GET", "/system"): _PAGE,
    ("GET", "/settings"): _PAGE,
    ("GET", "/sw.js"): _PAGE,
    ("GET", "/static/:path*"): _PAGE,
    ("GET", "/health"): _HEALTH,
    ("GET", "/api/health"): _HEALTH,
    ("GET", "/metrics"): _DASHBOARD,
    ("POST", "/api/health/:id/acknowledge"): _OPERATE_PAGE,
    ("GET", "/ws"): Access("an agent says who it is in its first frame", is_open=True),
    ("GET", "/ws/dashboard"): Access("checked by the socket, as a browser cannot send headers", is_open=True),
    ("GET", "/api/dashboard/state"): _DASHBOARD,
    ("GET", "/api/dashboard/trends"): _DASHBOARD,
    ("GET", "/api/dashboard/events"): _DASHBOARD,
    ("GET", "/api/system/tree"): _DASHBOARD,
    ("GET", "/api/system/figures"): _DASHBOARD,
    ("GET", "/api/agents"): _DASHBOARD,
    ("GET", "/api/agents/states"): _READ,
    ("GET", "/api/agents/:id/state"): _READ,
    ("POST", "/api/agents/:id/forget"): _OPERATE_PAGE,
    ("POST", "/api/agents/:id/pause"): _OPERATE_PAGE,
    ("POST", "/api/agents/:id/drain"): _OPERATE_PAGE,
    ("POST", "/api/agents/:id/resume"): _OPERATE_PAGE,
    ("POST", "/api/agents/:id/disconnect"): _OPERATE_PAGE,
    ("POST", "/api/agents/:id/rotate-token"): _ADMIT,
    ("POST", "/api/agents/:id/end-old-tokens"): _ADMIT,
    ("GET", "/api/dashboard/audit"): _DASHBOARD,
    ("GET", "/api/dashboard/agents"): _DASHBOARD,
    ("GET", "/api/dashboard/agents/:id"): _DASHBOARD,
    ("GET", "/api/tasks"): _READ,
    ("POST", "/api/tasks"): _SUBMIT_PAGE,
    ("POST", "/api/tasks/bulk"): _SUBMIT,
    ("GET", "/api/tasks/stats"): _READ,
    ("GET", "/api/tasks/count"): _READ,
    ("GET", "/api/tasks/dead-letter"): _READ,
    ("GET", "/api/tasks/:id"): _READ,
    ("GET", "/api/tasks/:id/explain"): _READ,
    ("GET", "/api/dashboard/tasks"): _DASHBOARD,
    ("GET", "/api/dashboard/tasks/:id"): _DASHBOARD,
    ("GET", "/api/dashboard/tasks/:id/output"): _DASHBOARD,
    ("GET", "/api/dashboard/tasks/count"): _DASHBOARD,
    ("GET", "/api/dashboard/tasks/export"): _DASHBOARD,
    ("GET", "/api/dashboard/tasks/suggest"): _DASHBOARD,
    ("GET", "/api/dashboard/dead-letter/groups"): _DASHBOARD,
    ("POST", "/api/dead-letter/groups/:id/mute"): _OPERATE_PAGE,
    ("POST", "/api/dead-letter/groups/:id/unmute"): _OPERATE_PAGE,
    ("POST", "/api/tasks/:id/discard"): _STEER,
    ("POST", "/api/tasks/:id/recover"): _STEER,
    ("POST", "/api/tasks/:id/lane"): _STEER,
    ("POST", "/api/tasks/:id/reassign"): _STEER,
    ("POST", "/api/operations/preview"): _BULK,
    ("POST", "/api/operations"): _BULK,
    ("GET", "/api/operations"): _DASHBOARD,
    ("GET", "/api/operations/:id"): _DASHBOARD,
    ("POST", "/api/operations/:id/cancel"): _BULK,
    ("POST", "/api/tasks/:id/retry"): _STEER,
    ("POST", "/api/tasks/:id/cancel"): _STEER,
    ("POST", "/api/admin/push-task"): _OPERATE,
    ("POST", "/api/admin/reset"): _ADMINISTER,
    ("GET", "/admin/tokens"): _ADMINISTER,
    ("POST", "/admin/tokens"): _TOKENS,
    ("DELETE", "/admin/tokens/:id"): _TOKENS,
    ("GET", "/api/dashboard/tokens"): _DASHBOARD,
    ("GET", "/api/webhooks"): _DASHBOARD,
    ("POST", "/api/webhooks"): _TELL,
    ("DELETE", "/api/webhooks/:id"): _TELL,
    ("POST", "/api/webhooks/:id/enable"): _TELL,
    ("POST", "/api/webhooks/:id/test"): _TELL,
    ("GET", "/api/webhooks/:id/deliveries"): _DASHBOARD,
    ("POST", "/api/webhooks/:id/deliveries/:delivery/redeliver"): _TELL,
    ("GET", "/api/push"): _DASHBOARD,
    ("POST", "/api/push/key"): _TELL,
    ("POST", "/api/push/subscriptions"): _TELL,
    ("DELETE", "/api/push/subscriptions/:id"): _TELL,
    ("POST", "/api/push/subscriptions/:id/test"): _TELL,
    ("POST", "/api/onboard/codes"): _ADMIT,
    ("POST", "/api/onboard/register"): Access("the code in the body, or an admin's token", is_open=True),
    ("GET", "/api/config/heartbeat-interval"): _READ,
    ("PUT", "/api/config/heartbeat-interval"): _ADMINISTER,
    ("GET", "/api/config/default-repo"): _READ,
    ("PUT", "/api/config/default-repo"): _ADMINISTER,
}


def access_of(method: str, route: str) -> Access | None:
    """None: there is no such route for this method. ``HEAD`` is ``GET`` without the body."""
    return ACCESS.get(("GET" if method == "HEAD" else method, route))
