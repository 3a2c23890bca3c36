"""How the notifier looks at the hub: three short reads, what was told written down in one step, nothing twice."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from link.client import HubUnavailable
from notifier.watching import DEAD_READ, LOST_FOR_MS, Watching

NOW = 1_800_000_000_000


class Hub:
    def __init__(self) -> None:
        self.memory: Any = None
        self.dead: list[dict[str, Any]] = []
        self.conditions: list[dict[str, Any]] = []
        self.lost: list[dict[str, Any]] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.notices: list[dict[str, Any]] = []
        self.broken = ""

    async def call(self, op: str, timeout_s: float = 5.0, **args: Any) -> Any:
        self.calls.append((op, args))
        if op == self.broken:
            raise HubUnavailable("away")
        match op:
            case "notify.watch":
                return {"memory": self.memory, "lost": self.lost}
            case "dashboard.health":
                return {"status": "ok", "conditions": self.conditions}
            case "tasks.dead_letter":
                return {"tasks": self.dead[: args["limit"]]}
            case "notify.record":
                self.memory = args["memory"]
                self.notices += args["notices"]
                return len(args["notices"])
        raise AssertionError(op)

    def asked(self, op: str) -> list[dict[str, Any]]:
        return [args for name, args in self.calls if name == op]


def dead(number: int, at: int) -> dict[str, Any]:
    return {
        "id": f"task-{number}",
        "updated_at": at,
        "assigned_to": "a",
        "description": "secret",
        "last_error": "secret",
    }


def look(hub: Hub, now: int) -> int:
    return asyncio.run(Watching(hub).look(now))


def test_nothing_new_costs_three_reads_and_no_write() -> None:
    hub = Hub()
    hub.dead = [dead(number, NOW - number) for number in range(200)]
    assert look(hub, NOW) == 0
    hub.calls.clear()
    assert look(hub, NOW + 2_000) == 0
    assert [op for op, _ in hub.calls] == ["notify.watch", "dashboard.health", "tasks.dead_letter"]
    assert hub.asked("tasks.dead_letter") == [{"limit": 1}]
    assert hub.asked("notify.watch") == [{"lost_before": NOW + 2_000 - LOST_FOR_MS}]


def test_news_is_read_told_and_written_down_in_one_step() -> None:
    hub = Hub()
    look(hub, NOW)
    hub.dead = [dead(number, NOW + 10) for number in range(200)]
    assert look(hub, NOW + 1_000) == 1
    assert [args["limit"] for args in hub.asked("tasks.dead_letter")][-2:] == [1, DEAD_READ]
    [notice] = hub.notices
    assert notice["kind"] == "dead_letters.new" and notice["id"].startswith("msg_")
    assert json.loads(notice["body"])["data"]["count"] == DEAD_READ and "secret" not in notice["body"]
    assert look(hub, NOW + 120_000) == 0


@pytest.mark.parametrize("broken", ["notify.watch", "dashboard.health", "tasks.dead_letter", "notify.record"])
def test_a_look_that_fails_is_made_up_for_by_the_next(broken: str) -> None:
    hub = Hub()
    look(hub, NOW)
    hub.conditions = [{"id": "failure_rate", "severity": "critical", "message": "half of it", "since": NOW}]
    hub.dead = [dead(1, NOW + 10)]
    hub.broken = broken
    with pytest.raises(HubUnavailable):
        look(hub, NOW + 1_000)
    assert hub.notices == []
    hub.broken = ""
    assert look(hub, NOW + 3_000) == 2
    assert sorted(one["kind"] for one in hub.notices) == ["dead_letters.new", "health.worse"]
