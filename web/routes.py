"""The routing table, made from the handlers, and the check that none of them is without a guard or an access rule."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tornado.routing import URLSpec
from tornado.web import RequestHandler

from web.access import ACCESS
from web.handlers import (
    agents,
    audit,
    bulk,
    export,
    hub,
    observation,
    operations,
    output,
    page,
    push,
    settings,
    tasks,
    tokens,
    webhooks,
)
from web.handlers.agent_socket import AgentSocket
from web.handlers.base import ApiHandler, Guard
from web.handlers.dashboard_socket import DashboardSocket

#: Routes with a fixed last part come before those that take anything there.
HANDLERS: tuple[type[Guard], ...] = (
    *(page.Start, *page.SHELLS, page.ServiceWorker, page.Static),
    *(AgentSocket, DashboardSocket),
    *(hub.Alive, hub.Health, hub.DashboardState, hub.RecentEvents, hub.Tree, hub.Figures, hub.Reset),
    *(observation.HealthAcknowledge, observation.Trends, observation.Metrics),
    *(agents.Agents, agents.AgentStates, agents.AgentState, agents.AgentForget),
    *(tasks.Tasks, bulk.BulkTasks, tasks.TaskStats, tasks.TaskCount, tasks.DeadLetters, tasks.OneTask),
    *(tasks.TaskExplanation, tasks.DashboardTasks, tasks.DashboardTaskCount, tasks.DashboardTaskSuggestions),
    *(
        tasks.DashboardDeadGroups,
        export.TaskExport,
        tasks.DashboardTask,
        output.TaskOutput,
        tasks.TaskRetry,
        tasks.TaskCancel,
    ),
    *(tasks.DeadGroupMute, tasks.DeadGroupUnmute),
    *(tasks.TaskDiscard, tasks.TaskRecover, tasks.TaskLane, tasks.TaskReassign, tasks.PushTask),
    *(operations.OperationPreview, operations.Operations, operations.OneOperation, operations.OperationCancel),
    *(agents.AgentPause, agents.AgentDrain, agents.AgentResume, agents.AgentDisconnect),
    *(agents.AgentToken, agents.AgentOldTokens, audit.Audit),
    *(agents.DashboardAgents, agents.DashboardAgent),
    *(webhooks.Webhooks, webhooks.OneWebhook, webhooks.WebhookEnable, webhooks.WebhookTest),
    *(webhooks.WebhookDeliveries, webhooks.WebhookRedeliver),
    *(push.Push, push.PushKey, push.PushSubscriptions, push.OnePushSubscription, push.PushTest),
    *(tokens.Tokens, tokens.DashboardTokens, tokens.Token, tokens.EnrolmentCodes, tokens.Register),
    *(settings.HeartbeatInterval, settings.DefaultRepo),
)


def pattern_of(route: str) -> str:
    """``:name`` is one part of a path, ``:name*`` the rest of it."""
    quoted = re.escape(route).replace(r"\*", "*")
    return re.sub(r":\w+", "([^/]+)", re.sub(r":\w+\*", "(.+)", quoted))


def routes() -> list[URLSpec]:
    """Raises ``RuntimeError`` when the handlers and ``web.access.ACCESS`` do not fit together."""
    problems = faults(HANDLERS)
    if problems:
        raise RuntimeError("; ".join(problems))
    return [URLSpec(pattern_of(handler.route), handler) for handler in HANDLERS]


def faults(handlers: Iterable[type[RequestHandler]]) -> list[str]:
    """Handlers without a guard, methods without an access rule, and rules that belong to nothing."""
    found = []
    served: set[tuple[str, str]] = set()
    for handler in handlers:
        if not issubclass(handler, Guard):
            found.append(f"{handler.__name__} does not derive from Guard")
            continue
        served |= {(method, handler.route) for method in methods_of(handler)}
    found += [f"{method} {route} has no row in web.access" for method, route in sorted(served - ACCESS.keys())]
    found += [f"{method} {route} has no handler" for method, route in sorted(ACCESS.keys() - served)]
    return found


def methods_of(handler: type[Guard]) -> set[str]:
    if not issubclass(handler, ApiHandler):
        return {"GET"}
    return {method for method in RequestHandler.SUPPORTED_METHODS if hasattr(handler, f"on_{method.lower()}")}
