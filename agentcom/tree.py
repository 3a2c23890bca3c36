"""The supervision tree inside the hub process (docs/layout.md draws it)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from actors.agent_fsm import AgentOptions
from actors.broadcaster import Broadcaster
from actors.dashboard_state import DashboardState
from actors.gateway import Gateway, Outlet
from actors.health import HealthOptions
from actors.output import Output
from actors.scheduler import Scheduler
from actors.task_queue import TaskQueue, TaskQueueOptions
from actors.vocabulary import names
from actors.vocabulary.dashboard import Boot
from supervision.spec import ChildSpec, Strategy, SupervisorFlags
from supervision.supervisor import Supervisor, child
from supervision.watcher import Watcher


@dataclass(frozen=True, slots=True)
class TreeOptions:
    database: Path
    queue: TaskQueueOptions
    agents: AgentOptions
    max_restarts: int
    period_s: float
    health: HealthOptions = HealthOptions()  # noqa: RUF009 - it is frozen


def hub_flags(options: TreeOptions) -> SupervisorFlags:
    """What stands later depends on what stands earlier, so it is restarted with it."""
    return SupervisorFlags(Strategy.REST_FOR_ONE, options.max_restarts, options.period_s)


def hub_children(options: TreeOptions, outlet: Outlet, boot: Boot, pid: int) -> list[ChildSpec]:
    agents = SupervisorFlags(Strategy.ONE_FOR_ONE, options.max_restarts, options.period_s)
    return [
        child(TaskQueue, options.database, options.queue, name=names.TASK_QUEUE, shutdown_s=8.0, start_timeout_s=120.0),
        child(Supervisor, agents, name=names.AGENT_SUPERVISOR, dynamic=True),
        child(Scheduler, name=names.SCHEDULER),
        child(Gateway, outlet, boot.boot_id, pid, options.agents, name=names.GATEWAY),
        child(Supervisor, hub_flags(options), observers(boot, options.health), name=names.OBSERVATION_SUPERVISOR),
    ]


def observers(boot: Boot, health: HealthOptions) -> list[ChildSpec]:
    """They only look on; giving up here must not take the work down, so their supervisor's limit is its own."""
    return [
        child(DashboardState, boot, health, name=names.DASHBOARD_STATE),
        child(Broadcaster, name=names.BROADCASTER),
        child(Watcher, name=names.WATCHER),
        child(Output, name=names.OUTPUT),
    ]
