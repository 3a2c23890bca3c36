"""Makers of tasks, overviews and agents: everything has a default, a test names only what it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from actors.vocabulary.events import AgentView
from actors.vocabulary.tasks import Overview, QueueStats, Task, TaskStatus

TASK = Task(
    id="task-0",
    key=0,
    seq=1,
    description="do it",
    metadata={},
    priority=2,
    status=TaskStatus.QUEUED,
    assigned_to=None,
    assigned_at=None,
    accepted_at=None,
    accepted_on=None,
    generation=0,
    retry_count=0,
    max_retries=3,
    reclaim_count=0,
    needed_capabilities=(),
    assign_to=None,
    last_error=None,
    complete_by=None,
    not_before=None,
    result=None,
    tokens_used=0,
    submitted_by=None,
    created_at=1_000,
    updated_at=1_000,
    completed_at=None,
    extras={},
)

EMPTY = Overview(
    stats=QueueStats(by_status={}, queued_by_priority={}, dead_letter=0, ready=0),
    completions=(),
    dead_letters=(),
    assigned=(),
    minutes=(),
    agents=(),
)

AGENT = AgentView(
    agent_id="alpha",
    name="Alpha",
    status="connected",
    capabilities=("code",),
    connected_at=1_000,
    fsm_state="idle",
    current_task_id=None,
    flags=(),
    last_state_change=1_000,
)


@pytest.fixture(scope="session")
def make_task() -> Callable[..., Task]:
    def make(**fields: Any) -> Task:
        return structs.replace(TASK, **fields)

    return make


@pytest.fixture(scope="session")
def make_overview() -> Callable[..., Overview]:
    def make(*, stats: dict[str, Any] | None = None, **fields: Any) -> Overview:
        return structs.replace(EMPTY, stats=structs.replace(EMPTY.stats, **(stats or {})), **fields)

    return make


@pytest.fixture(scope="session")
def make_agent() -> Callable[..., AgentView]:
    def make(**fields: Any) -> AgentView:
        return structs.replace(AGENT, **fields)

    return make
