"""The snapshot has the fields of the wire contract, all of them, always, and nothing unbounded."""

from __future__ import annotations

from collections.abc import Callable

from actors.health import Moment
from actors.snapshot import (
    TEXT_SHOWN,
    Picture,
    agent_entry,
    build_snapshot,
    completion_entry,
    dead_letter_entry,
)
from actors.vocabulary.dashboard import Acknowledged, Boot, Condition, Health
from actors.vocabulary.events import AgentView
from actors.vocabulary.tasks import Overview, Task, TaskStatus

BOOT = Boot(boot_id="b00t", started_at_ms=1_700_000_000_000, started_monotonic=100.0)
NOW = Moment(102.5, 1_700_000_002_500)
WELL = Health("ok", (), "ok")


def test_an_empty_hub_has_every_field(make_overview: Callable[..., Overview]) -> None:
    snapshot = build_snapshot(boot=BOOT, seq=7, now=NOW, agents=[], picture=Picture(make_overview(), NOW), health=WELL)
    assert snapshot == {
        "seq": 7,
        "boot_id": "b00t",
        "environment": None,
        "uptime_ms": 2_500,
        "timestamp": 1_700_000_002_500,
        "health": {"status": "ok", "attention": "ok", "conditions": [], "details": []},
        "agents": [],
        "queue": {
            "by_status": {"queued": 0, "assigned": 0, "completed": 0, "cancelled": 0},
            "by_priority": {"0": 0, "1": 0, "2": 0, "3": 0},
            "dead_letter": 0,
        },
        "dead_letter_tasks": [],
        "dead_letter_total": 0,
        "recent_completions": [],
        "throughput": {"completed_last_hour": 0, "avg_completion_ms": 0, "total_tokens_hour": 0},
    }


def test_counters_come_from_the_overview(make_overview: Callable[..., Overview]) -> None:
    stats = {
        "by_status": {"queued": 3, "assigned": 2, "completed": 9, "cancelled": 1},
        "queued_by_priority": {0: 1, 3: 2},
        "dead_letter": 4,
    }
    picture = Picture(make_overview(stats=stats), NOW)
    snapshot = build_snapshot(boot=BOOT, seq=0, now=NOW, agents=[], picture=picture, health=WELL)
    assert snapshot["queue"] == {
        "by_status": {"queued": 3, "assigned": 2, "completed": 9, "cancelled": 1},
        "by_priority": {"0": 1, "1": 0, "2": 0, "3": 2},
        "dead_letter": 4,
    }
    assert snapshot["dead_letter_total"] == 4


def test_conditions_are_sentences_and_details_carry_id_severity_and_since(
    make_overview: Callable[..., Overview],
) -> None:
    by = Acknowledged("ann", 7, "on it")
    health = Health("warning", (Condition("stuck_tasks", "warning", "Stuck tasks: a", 5, 1, by),), "ok")
    picture = Picture(make_overview(), NOW)
    snapshot = build_snapshot(boot=BOOT, seq=0, now=NOW, agents=[], picture=picture, health=health)
    assert snapshot["health"] == {
        "status": "warning",
        "attention": "ok",
        "conditions": ["Stuck tasks: a"],
        "details": [
            {
                "id": "stuck_tasks",
                "severity": "warning",
                "message": "Stuck tasks: a",
                "since": 5,
                "count": 1,
                "acknowledged": {"by": "ann", "at": 7, "note": "on it"},
            }
        ],
    }


def test_capabilities_become_objects_with_a_name(make_agent: Callable[..., AgentView]) -> None:
    agent = make_agent(
        capabilities=("code", {"name": "gpu", "memory": 8}, 7, {"title": "x"}, None), current_task_id="task-1"
    )
    assert agent_entry(agent) == {
        "agent_id": "alpha",
        "name": "Alpha",
        "fsm_state": "idle",
        "current_task_id": "task-1",
        "capabilities": [{"name": "code"}, {"name": "gpu"}],
        "connected_at": 1_000,
        "last_state_change": 1_000,
        "flags": [],
        "mode": "active",
        "slots": 1,
        "slots_used": 0,
    }


def test_a_completion_lasts_from_its_assignment_and_never_less_than_nothing(make_task: Callable[..., Task]) -> None:
    done = make_task(
        status=TaskStatus.COMPLETED, assigned_to="alpha", assigned_at=2_000, completed_at=4_500, tokens_used=12
    )
    assert completion_entry(done) == {
        "task_id": "task-0",
        "agent_id": "alpha",
        "description": "do it",
        "duration_ms": 2_500,
        "tokens_used": 12,
        "completed_at": 4_500,
    }
    clock_set_back = make_task(assigned_at=9_000, completed_at=4_500)
    assert completion_entry(clock_set_back)["duration_ms"] == 0
    assert completion_entry(make_task(completed_at=4_500))["duration_ms"] == 0


def test_long_texts_are_cut_so_that_a_snapshot_stays_small(make_task: Callable[..., Task]) -> None:
    task = make_task(description="d" * 10_000, last_error="e" * 2_000, retry_count=3)
    entry = dead_letter_entry(task)
    assert entry == {
        "id": "task-0",
        "description": "d" * (TEXT_SHOWN - 1) + "…",
        "last_error": "e" * (TEXT_SHOWN - 1) + "…",
        "retry_count": 3,
        "created_at": 1_000,
    }
    exactly = make_task(description="d" * TEXT_SHOWN)
    assert dead_letter_entry(exactly)["description"] == "d" * TEXT_SHOWN
    assert dead_letter_entry(exactly)["last_error"] is None
