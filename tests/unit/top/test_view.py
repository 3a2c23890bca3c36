"""What ``agentcom top`` says about the freshness of what it shows, its rates and its order; and frames of any size."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from agentcom.top import frame
from agentcom.top.view import STALE_S, Connection, Sort, View

AT_MS = 1_000_000_000_000


def agent(name: str, state: str, since: int) -> dict[str, Any]:
    return {
        "agent_id": name,
        "name": name,
        "fsm_state": state,
        "current_task_id": None,
        "capabilities": [],
        "last_state_change": since,
        "flags": [],
    }


def snapshot(
    at_ms: int = AT_MS, *, completed: int = 0, queued: int = 0, boot_id: str = "b", **more: Any
) -> dict[str, Any]:
    return {
        "boot_id": boot_id,
        "timestamp": at_ms,
        "uptime_ms": 1000,
        "environment": None,
        "health": {"status": "ok", "details": []},
        "agents": [],
        "queue": {
            "by_status": {"queued": queued, "assigned": 0, "completed": completed, "cancelled": 0},
            "by_priority": {"0": queued, "1": 0, "2": 0, "3": 0},
            "dead_letter": 0,
        },
        "dead_letter_tasks": [],
        "dead_letter_total": 0,
        "recent_completions": [],
        "throughput": {"completed_last_hour": 0, "avg_completion_ms": 0, "total_tokens_hour": 0},
        **more,
    }


def drawn(view: View, now_s: float, width: int = 100, height: int = 30) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, height=height, force_terminal=False)
    console.print(frame.screen(view, "http://hub", now_s, width, height))
    return out.getvalue().splitlines()


def test_silence_makes_what_is_shown_stale_and_a_word_makes_it_live_again() -> None:
    view = View()
    assert view.connection(0.0) is Connection.CONNECTING
    view.take(snapshot(), 10.0)
    assert view.connection(10.0 + STALE_S) is Connection.LIVE
    assert view.connection(10.1 + STALE_S) is Connection.STALE
    assert any("Nothing heard for 20 s" in line for line in drawn(view, 30.0))
    view.heard(30.0)
    assert view.connection(31.0) is Connection.LIVE


def test_a_lost_connection_stays_lost_until_a_snapshot_comes_and_time_stands_still_meanwhile() -> None:
    view = View()
    view.take(snapshot(), 10.0)
    assert view.now_ms(14.0) == AT_MS + 4_000
    view.heard(12.0)
    view.lost("refused", at_ms=AT_MS + 4_000, retry_at_s=20.0)
    view.connecting()
    assert view.connection(15.0) is Connection.LOST
    assert view.now_ms(15.0) == view.now_ms(500.0) == AT_MS + 2_000
    assert any("Connection lost at" in line and "Next try in 5 s" in line for line in drawn(view, 15.0))
    view.take(snapshot(AT_MS + 60_000), 70.0)
    assert view.connection(70.0) is Connection.LIVE and view.lost_at_ms is None
    assert view.now_ms(71.0) == AT_MS + 61_000


def test_what_is_paused_does_not_change_and_going_on_shows_the_newest() -> None:
    view = View()
    view.take(snapshot(queued=1), 0.0)
    view.toggle_pause(2.0)
    view.take(snapshot(AT_MS + 5_000, queued=2), 5.0)
    view.take(snapshot(AT_MS + 6_000, queued=3), 6.0)
    assert view.snapshot["queue"]["by_status"]["queued"] == 1 and view.pending == 2
    assert view.now_ms(100.0) == AT_MS + 2_000
    view.toggle_pause(7.0)
    assert view.snapshot["queue"]["by_status"]["queued"] == 3 and view.pending == 0
    assert view.now_ms(8.0) == AT_MS + 8_000


def test_rates_are_of_the_last_minute_and_begin_anew_with_another_hub() -> None:
    view = View()
    for second in range(0, 121, 5):
        view.take(snapshot(completed=second * 2, queued=10), float(second))
    rates = view.rates(120.0)
    assert rates.completed == pytest.approx(120.0) and rates.submitted == pytest.approx(120.0)
    view.take(snapshot(boot_id="another", completed=9), 121.0)
    assert view.rates(121.0).completed is None


def test_who_needs_help_comes_first() -> None:
    agents = [agent("c", "idle", 1), agent("b", "working", 2), agent("a", "offline", 3), agent("d", "working", 1)]
    view = View(snapshot=snapshot(agents=agents))
    assert [one["agent_id"] for one in view.agents()] == ["a", "d", "b", "c"]
    view.next_sort()
    assert view.sort is Sort.NAME and [one["agent_id"] for one in view.agents()] == ["a", "b", "c", "d"]
    view.next_sort()
    assert [one["agent_id"] for one in view.agents()] == ["c", "d", "b", "a"]


def test_what_is_wanted_of_an_agent_stands_beside_its_name() -> None:
    view = View()
    paused = {**agent("a", "working", AT_MS), "mode": "paused", "flags": ["unresponsive"]}
    view.take(snapshot(agents=[paused, {**agent("b", "idle", AT_MS), "mode": "active"}]), 1.0)
    lines = drawn(view, 1.0)
    assert any("a (paused, unresponsive)" in line for line in lines)
    assert not any("active" in line for line in lines)


@pytest.mark.parametrize("width", [20, 40, 80, 109, 110, 220])
@pytest.mark.parametrize("height", [3, 8, 24, 60])
def test_a_frame_fits_every_terminal(width: int, height: int) -> None:
    full = snapshot(
        agents=[agent(f"agent-{number}", "working", AT_MS) for number in range(40)],
        dead_letter_tasks=[{"last_error": "x" * 300, "description": "y" * 300}] * 40,
        dead_letter_total=40,
        recent_completions=[
            {"completed_at": AT_MS, "duration_ms": 1, "agent_id": "a", "description": "z" * 300} for _ in range(100)
        ],
        health={"status": "critical", "details": [{"severity": "critical", "message": "m" * 200, "since": 1}] * 9},
    )
    view = View()
    view.take(full, 1.0)
    lines = drawn(view, 2.0, width, height)
    assert len(lines) <= height and max(map(len, lines)) <= width
