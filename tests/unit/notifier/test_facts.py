"""What is told, what is not, and how a flood becomes one sentence. The clock is a number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from notifier.facts import GAP_MS, RECOVERED_AFTER_MS, Fact, Seen, body_of, look, push_message
from wire.notices import NoticeKind

NOW = 1_800_000_000_000


class Hub:
    """What the hub says; ``look`` at it again and again, as the notifier does."""

    def __init__(self) -> None:
        self.now = NOW
        self.conditions: list[dict[str, Any]] = []
        self.lost: list[dict[str, Any]] = []
        self.dead: list[dict[str, Any]] = []
        self.memory: dict[str, Any] | None = None

    def look(self, after_ms: int = 0) -> list[Fact]:
        self.now += after_ms
        told = look(Seen(self.now, self.conditions, self.lost, self.dead, 50), self.memory)
        self.memory = json.loads(json.dumps(told.memory))  # as it comes back from the database
        return list(told.facts)

    def lose(self, *names: str) -> None:
        self.now += 1
        self.lost[:0] = [{"agent_id": name, "name": name, "since": self.now} for name in names]

    def give_up(self, count: int, agent: str = "a") -> None:
        self.now += 1
        new = [{"id": f"task-{self.now}-{n}", "updated_at": self.now, "assigned_to": agent} for n in range(count)]
        self.dead = (new + self.dead)[:50]


def kinds(facts: Sequence[Fact]) -> list[str]:
    return [fact.kind.value for fact in facts]


def condition(id_: str, severity: str = "warning") -> dict[str, Any]:
    return {"id": id_, "severity": severity, "message": f"{id_} is so", "since": NOW}


def settled() -> Hub:
    hub = Hub()
    assert hub.look() == []
    return hub


def test_what_was_so_before_the_first_look_is_no_news() -> None:
    hub = Hub()
    hub.conditions = [condition("failure_rate", "critical")]
    hub.lose("old")
    hub.give_up(3)
    assert hub.look() == [] and hub.look(GAP_MS) == []


def test_an_agent_that_went_away_is_told_once() -> None:
    hub = settled()
    hub.lose("builder")
    [fact] = hub.look()
    assert (fact.kind, fact.title, fact.path) == (
        NoticeKind.AGENT_OFFLINE,
        "Agent builder is offline",
        "/agents/builder",
    )
    assert fact.data == {"agent_ids": ["builder"], "count": 1}
    assert hub.look(GAP_MS) == []


def test_many_agents_are_one_notice() -> None:
    hub = settled()
    hub.lose(*(f"a{number}" for number in range(12)))
    [fact] = hub.look()
    assert fact.title == "12 agents are offline" and "and 7 more" in fact.text and fact.path == "/agents"


def test_a_flood_of_dead_letters_is_one_notice_a_minute_that_counts() -> None:
    hub = settled()
    told: list[Fact] = []
    for _ in range(600):  # two minutes, five tasks a second
        hub.give_up(1)
        told += hub.look(199)
    assert len(told) == 2
    assert told[0].title == "A task was given up" and told[0].path == f"/tasks/{told[0].data['task_ids'][0]}"
    assert told[1].title == "50 or more tasks were given up" and told[1].path == "/dead"
    assert told[1].data["count_is_exact"] is False and len(told[1].data["task_ids"]) == 20
    assert [fact.title for fact in hub.look(GAP_MS)] == ["50 or more tasks were given up"], "what came last is told too"
    assert hub.look(GAP_MS) == []


def test_a_few_dead_letters_are_counted_exactly_and_their_agents_named() -> None:
    hub = settled()
    hub.give_up(2, "x")
    hub.give_up(1, "y")
    [fact] = hub.look()
    assert fact.title == "3 tasks were given up" and "x (2), y (1)" in fact.text and fact.data["count_is_exact"]


def test_health_is_told_when_a_condition_is_new_or_graver_and_not_again() -> None:
    hub = settled()
    hub.conditions = [condition("queue_growing")]
    [fact] = hub.look()
    assert (fact.kind, fact.title, fact.text) == (NoticeKind.HEALTH_WORSE, "Health: warning", "queue_growing is so.")
    assert hub.look() == []
    hub.conditions = [condition("queue_growing", "critical")]
    assert [fact.title for fact in hub.look()] == ["Health: critical"]
    hub.conditions = [condition("queue_growing"), condition("failure_rate", "critical")]
    [fact] = hub.look()
    assert [one["id"] for one in fact.data["conditions"]] == ["failure_rate"]


def test_recovery_is_told_once_and_only_when_it_lasts() -> None:
    hub = settled()
    hub.conditions = [condition("stuck_tasks")]
    assert kinds(hub.look()) == ["health.worse"]
    hub.conditions = []
    assert hub.look() == [] and hub.look(RECOVERED_AFTER_MS - 1) == []
    hub.conditions = [condition("stuck_tasks")]
    assert hub.look() == [], "it was never over"
    hub.conditions = []
    assert hub.look() == []
    [fact] = hub.look(RECOVERED_AFTER_MS)
    assert fact.kind is NoticeKind.HEALTH_RECOVERED and fact.data == {"conditions": ["stuck_tasks"]}
    assert hub.look(GAP_MS) == []


def test_what_has_a_notice_of_its_own_is_not_told_as_health_too() -> None:
    hub = settled()
    hub.conditions = [condition("agent_offline"), condition("dead_letters_new")]
    assert hub.look() == [] and hub.look(RECOVERED_AFTER_MS) == []


def test_a_clock_that_is_set_back_does_not_keep_it_silent() -> None:
    hub = settled()
    hub.give_up(1)
    assert len(hub.look()) == 1
    hub.now -= 24 * 3_600_000
    hub.dead = []
    hub.look()
    hub.give_up(1)
    assert len(hub.look()) == 1


def test_a_body_has_type_timestamp_and_data_and_a_push_message_no_more_than_people_need() -> None:
    fact = Fact(NoticeKind.DEAD_LETTERS, "T" * 500, "<b>" * 500, "/dead", {"task_ids": ["task-1"], "count": 1})
    body = body_of(fact, NOW)
    parsed = json.loads(body)
    assert set(parsed) == {"type", "timestamp", "data"} and parsed["type"] == "dead_letters.new"
    assert parsed["timestamp"] == "2027-01-15T08:00:00.000Z"
    message = push_message(body, "msg_1")
    shown = json.loads(message)
    assert set(shown) == {"id", "tag", "title", "body", "path"} and shown["tag"] == "dead_letters.new"
    assert len(message) < 3 * 1024 and len(shown["title"]) == 120
