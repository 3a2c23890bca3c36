"""``agentcom task list QUERY``, ``agentcom dead …`` and bulk operations, as a person types them, against a real hub."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.harness.hub import REPOSITORY, Hub
from tests.harness.seed import Mix, seed

MIX = Mix(600, queued=60, dead=90)


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("commands")
    seed(folder / "data", MIX)
    with Hub(folder / "data", "--retention-days", "36500", web_processes=1) as hub:
        yield hub


def say(hub: Hub, *words: str) -> Said:
    done = subprocess.run(
        [sys.executable, "-m", "agentcom", *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        cwd=REPOSITORY,
        env={"AGENTCOM_HUB": hub.url, "AGENTCOM_TOKEN": hub.admin_token, "PATH": "", "HOME": str(hub.data_dir)},
    )
    return Said(done.returncode, done.stdout, done.stderr)


def dead(hub: Hub) -> int:
    return int(hub.get("/api/tasks/stats").json["dead_letter"])


def groups(hub: Hub) -> list[dict[str, Any]]:
    said = say(hub, "dead", "groups", "--json")
    assert said.status == 0, said
    found: list[dict[str, Any]] = json.loads(said.out)["groups"]
    return found


def test_a_list_by_a_query_says_how_many_match_and_refuses_an_unknown_key(seeded: Hub) -> None:
    said = say(seeded, "task", "list", "state:queued", "lane:low,normal", "--limit", "3")
    assert said.status == 0 and len(said.out.splitlines()) == 4
    assert "tasks match" in said.err and "--cursor" in said.err
    minus = say(seeded, "task", "list", "--json", "--", "-state:completed", "-state:dead_letter")
    assert json.loads(minus.out)["total"] == {"count": 60, "is_exact": True}
    wrong = say(seeded, "task", "list", "agnet:x")
    assert wrong.status == 2 and "did you mean agent:?" in wrong.err


def test_a_group_is_previewed_and_nothing_happens_without_consent(seeded: Hub) -> None:
    before = dead(seeded)
    group = groups(seeded)[0]
    said = say(seeded, "dead", "retry", "--group", group["id"])
    assert said.status == 2 and f"{group['count']} tasks would be retried" in said.err and "--yes" in said.err
    assert dead(seeded) == before


def test_a_group_is_retried_discarded_and_recovered(seeded: Hub) -> None:
    first, second, *_ = groups(seeded)
    before = dead(seeded)
    said = say(seeded, "dead", "retry", "--group", first["id"], "--yes")
    assert said.status == 0 and f"{first['count']} retried, 0 skipped, 0 failed" in said.out
    assert dead(seeded) == before - first["count"]
    said = say(seeded, "dead", "discard", "--group", second["id"], "--yes", "--json")
    assert json.loads(said.out)["operation"]["done"] == second["count"]
    assert dead(seeded) == before - first["count"] - second["count"]
    assert say(seeded, "dead", "recover", "--query", f"group:{second['id']}", "--yes").status == 0
    assert dead(seeded) == before - first["count"]
    listed = say(seeded, "operation", "list")
    assert listed.status == 0 and len(listed.out.splitlines()) == 4


def test_queued_tasks_are_moved_and_cancelled_by_a_query(seeded: Hub) -> None:
    query = "state:queued lane:low submitted-by:team-4"
    count = seeded.get(f"/api/tasks/count?q={query.replace(' ', '+')}").json["count"]
    assert count > 0
    said = say(seeded, "task", "move", "urgent", "--query", query, "--yes")
    assert said.status == 0 and f"{count} moved" in said.out
    assert seeded.get(f"/api/tasks/count?q={query.replace(' ', '+')}").json["count"] == 0
    urgent = "state:queued lane:urgent submitted-by:team-4"
    assert say(seeded, "task", "cancel", "--query", urgent, "--yes").status == 0
    assert say(seeded, "task", "cancel", "--query", urgent, "--yes").status == 9


def test_queued_tasks_are_reassigned_by_name_and_by_a_query(seeded: Hub) -> None:
    seeded.agent_token("ulla")
    task_id = seeded.submit("for ulla", assign_to="nobody")
    assert say(seeded, "task", "reassign", task_id, "--to", "ulla").status == 0
    assert seeded.task(task_id)["assign_to"] == "ulla"
    said = say(seeded, "task", "reassign", "--query", "pinned-to:ulla", "--to-anybody", "--yes")
    assert said.status == 0 and "1 reassigned" in said.out
    assert seeded.task(task_id)["assign_to"] is None


def test_an_operation_is_started_without_waiting_shown_and_cancelled(seeded: Hub) -> None:
    said = say(seeded, "dead", "retry", "--query", "state:dead_letter", "--over", "1h", "--yes", "--no-wait")
    operation = said.out.strip()
    assert said.status == 0 and operation.startswith("op-")
    assert "running" in say(seeded, "operation", "show", operation).out
    assert "cancelled by admin" in say(seeded, "operation", "cancel", operation).out
    assert say(seeded, "operation", "show", "op-000000000000").status == 3


@pytest.mark.parametrize(
    "words",
    [
        ("dead", "retry"),
        ("dead", "retry", "--all", "--group", "x"),
        ("dead", "discard"),
        ("dead", "retry", "--query", "x", "--over", "soon"),
        ("task", "cancel"),
        ("task", "cancel", "task-1", "--query", "x"),
        ("task", "move", "fast", "task-1"),
        ("task", "reassign", "task-1"),
        ("task", "reassign", "task-1", "--to", "a", "--to-anybody"),
        ("task", "reassign", "--to", "a"),
    ],
)
def test_wrong_usage_is_said(seeded: Hub, words: tuple[str, ...]) -> None:
    assert say(seeded, *words).status == 2
