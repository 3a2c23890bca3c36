"""Why a task waits: one reason, the next step, and what every agent says to it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from actors.explanation import AGENTS_SHOWN, Explanation, explain
from actors.vocabulary import tasks as v
from actors.vocabulary.events import AgentView
from actors.vocabulary.tasks import Refused, Task, TaskStatus, Waiting
from tests.unit.queue.conftest import Queue

NOW = 1_000_000


def view(agent_id: str, *capabilities: str, used: int = 0, slots: int = 1, state: str = "idle") -> AgentView:
    return AgentView(agent_id, agent_id, "", capabilities, 1, state, None, (), 1, slots, used)


@pytest.fixture
def task(queue: Queue) -> Task:
    return queue.task(queue.submit())


def why(task: Task, *views: AgentView, ahead: int = 0, is_ready: bool = True, **fields: Any) -> Explanation:
    return explain(Waiting(replace(task, **fields), ahead, is_ready), views, NOW)


def test_the_reason_that_must_go_away_first_is_named_first(task: Task) -> None:
    gpu = {"needed_capabilities": ("gpu",)}
    late = why(task, is_ready=False, not_before=NOW + 4_100, retry_count=1, **gpu)
    assert late.reason == "back_off" and "5 s" in late.sentence and late.due_at == NOW + 4_100
    assert why(task, **gpu).reason == "no_agents"
    assert why(task, view("away", "gpu", state="offline"), **gpu).reason == "no_agents"
    unable = why(task, view("a", "code"), view("b"), **gpu)
    assert unable.reason == "no_capable_agent" and "lacks gpu" in unable.sentence
    assert unable.next_step is not None and "--cap gpu" in unable.next_step
    busy = why(task, view("a", "gpu", used=1), ahead=3, **gpu)
    assert busy.reason == "agents_busy" and "3 tasks are ahead" in busy.sentence and busy.ahead == 3
    assert why(task, view("a", "gpu", used=1, slots=2), **gpu).reason == "next"


def test_a_pinned_task_waits_for_its_agent_whatever_the_others_can(task: Task) -> None:
    pinned = {"assign_to": "x", "needed_capabilities": ("gpu",)}
    assert why(task, view("a", "gpu"), **pinned).reason == "pinned_agent_offline"
    assert why(task, view("x", state="offline"), **pinned).reason == "pinned_agent_offline"
    assert why(task, view("x", used=1), **pinned).reason == "pinned_agent_busy"
    free = why(task, view("x"), view("a", "gpu"), **pinned)
    assert free.reason == "next" and [one.agent_id for one in free.agents if one.may_have_it] == ["x"]


def test_what_does_not_wait_says_so(task: Task) -> None:
    assert why(task, status=TaskStatus.COMPLETED).reason == "completed"
    offered = why(task, status=TaskStatus.ASSIGNED, assigned_to="a")
    assert offered.reason == "assigned" and "not accepted yet" in offered.sentence
    working = why(task, status=TaskStatus.ASSIGNED, assigned_to="a", accepted_at=NOW)
    assert "working" in working.sentence and working.agents == ()


def test_the_answer_is_bounded_and_begins_with_those_that_could(task: Task) -> None:
    many = [view(f"agent-{number:03}", "cpu") for number in range(200)]
    found = why(task, *many, view("zoe", "gpu", used=1), needed_capabilities=("gpu",))
    assert len(found.agents) == AGENTS_SHOWN and found.agents[0].agent_id == "zoe"
    assert "10,000+" in why(task, view("a", used=1), ahead=Waiting.AHEAD_LIMIT).sentence


def test_the_queue_counts_what_is_ahead(queue: Queue) -> None:
    low = queue.submit(priority=v.Priority.LOW)
    for _ in range(3):
        queue.submit()
    queue.claim("a")
    found = queue.ask(v.AskWaiting(low))
    assert (found.ahead, found.is_ready) == (2, True)
    assert isinstance(queue.ask(v.AskWaiting("task-ffffffffffffffff")), Refused)
