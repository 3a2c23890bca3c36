"""Each committed fact becomes one object for the browser, with all that is needed to order it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actors.dashboard_events import (
    SHOWN_TASK_EVENTS,
    browser_event,
    is_shown,
    replaced_key,
)
from actors.vocabulary.events import (
    AgentChanged,
    AgentJoined,
    AgentLeft,
    AgentView,
    TaskEvent,
)
from actors.vocabulary.tasks import Task, TaskStatus


def test_a_task_event_carries_number_generation_status_and_agent_lessons_50(make_task: Callable[..., Task]) -> None:
    task = make_task(status=TaskStatus.ASSIGNED, generation=3, assigned_to="alpha", priority=1)
    event = TaskEvent("task_accepted", task, at=1234, agent_id="alpha", previous="assigned")
    assert browser_event(42, event) == {
        "type": "task_event",
        "seq": 42,
        "task_id": "task-0",
        "event": "task_accepted",
        "generation": 3,
        "task_status": "assigned",
        "priority": 1,
        "agent_id": "alpha",
        "timestamp": 1234,
    }


def test_the_agent_is_taken_from_the_task_when_the_event_names_none(make_task: Callable[..., Task]) -> None:
    event = TaskEvent("task_completed", make_task(assigned_to="alpha"), at=1)
    assert browser_event(1, event)["agent_id"] == "alpha"
    assert browser_event(1, TaskEvent("task_submitted", make_task(), at=1))["agent_id"] is None


def test_progress_is_shown_where_there_is_one(make_task: Callable[..., Task]) -> None:
    assert browser_event(1, TaskEvent("task_progress", make_task(), at=1, progress=0))["progress"] == 0
    assert "progress" not in browser_event(1, TaskEvent("task_progress", make_task(), at=1))


@pytest.mark.parametrize("event", ["task_ready", "task_pruned", "something_new"])
def test_what_only_actors_need_is_not_shown(make_task: Callable[..., Task], event: str) -> None:
    assert not is_shown(TaskEvent(event, make_task(), at=1))


def test_a_fact_has_one_name_lessons_38() -> None:
    assert not SHOWN_TASK_EVENTS & {"task_complete", "task_failed"}


def test_presence_events_have_the_fields_of_the_contract(make_agent: Callable[..., AgentView]) -> None:
    agent = make_agent(
        capabilities=("code", {"name": "gpu"}), fsm_state="working", current_task_id="task-1", flags=("x",)
    )
    assert browser_event(1, AgentJoined(agent, at=5)) == {
        "type": "agent_joined",
        "seq": 1,
        "agent_id": "alpha",
        "name": "Alpha",
        "capabilities": ["code", {"name": "gpu"}],
        "status": "connected",
        "fsm_state": "working",
        "timestamp": 5,
    }
    assert browser_event(2, AgentLeft("alpha", "Alpha", clean=False, at=6)) == {
        "type": "agent_left",
        "seq": 2,
        "agent_id": "alpha",
        "clean": False,
        "timestamp": 6,
    }
    assert browser_event(3, AgentChanged(agent, at=7)) == {
        "type": "status_changed",
        "seq": 3,
        "agent_id": "alpha",
        "name": "Alpha",
        "status": "connected",
        "fsm_state": "working",
        "current_task_id": "task-1",
        "flags": ["x"],
        "mode": "active",
        "slots": 1,
        "slots_used": 0,
        "timestamp": 7,
    }


def test_only_progress_of_a_task_and_the_state_of_an_agent_replace_earlier_ones(
    make_task: Callable[..., Task], make_agent: Callable[..., AgentView]
) -> None:
    progress = TaskEvent("task_progress", make_task(), at=1, progress=1)
    changed = AgentChanged(make_agent(), at=1)
    assert replaced_key(progress) == replaced_key(TaskEvent("task_progress", make_task(), at=2, progress=2))
    assert replaced_key(progress) != replaced_key(TaskEvent("task_progress", make_task(id="task-1"), at=2))
    assert replaced_key(changed) == replaced_key(AgentChanged(make_agent(status="busy"), at=2))
    assert replaced_key(AgentJoined(make_agent(), at=1)) is None
    assert replaced_key(TaskEvent("task_completed", make_task(), at=1)) is None
