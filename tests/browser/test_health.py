"""Each rule of health that can be provoked, on every surface with the same id and severity, and its acknowledgement."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Watched
from tests.harness.hub import REPOSITORY, Hub
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for

Watch = Callable[..., Watched]

#: Conditions come and go in seconds even here, and each is looked for on five surfaces.
pytestmark = pytest.mark.timeout(240)

#: So that nobody has to wait: what takes minutes in life takes a second here. The rules are those of every hub.
IMPATIENT = (
    *("--boot-grace", "1s", "--offline-after", "2s", "--stuck-after", "2s", "--grace", "0s"),
    *("--wait-targets", "2s,2s,2s,2s", "--retry-base", "1s", "--retry-cap", "1s"),
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(tmp_path / "data", *IMPATIENT, web_processes=1) as started:
        yield started


def agent_of(hub: Hub, agent_id: str) -> Socket:
    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id=agent_id, token=hub.agent_token(agent_id))
    return agent


def command(hub: Hub, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "AGENTCOM_TOKEN": hub.admin_token}
    argv = [sys.executable, "-m", "agentcom", *words, "--hub", hub.url, "--json"]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=30, check=False)


Surfaces = dict[str, dict[str, str]]


def on_every_surface(hub: Hub, page: Any) -> Surfaces:
    """id -> severity, as the list of the page, the API, the snapshot and the metrics have it."""
    rows = page.get_by_test_id("condition")
    metrics = hub.get("/metrics", token=None).body.decode()
    present = re.findall(r'^agentcom_health_condition\{condition="(\w+)",severity="(\w+)"\} 1$', metrics, re.MULTILINE)
    api = hub.get("/api/health", token=None).json["conditions"]
    return {
        "page": dict(rows.evaluate_all("rows => rows.map(row => [row.dataset.condition, row.dataset.severity])")),
        "snapshot": {one["id"]: one["severity"] for one in hub.snapshot()["health"]["details"]},
        "api": {one["id"]: one["severity"] for one in api},
        "metrics": dict(present),
    }


def opened_list(watch: Watch) -> Any:
    page = watch().open()
    page.locator("[data-testid=connection-chip][data-phase=live]").wait_for(timeout=10_000)
    page.get_by_test_id("health-pill").click()
    return page


def expect(hub: Hub, page: Any, wanted: dict[str, str]) -> None:
    seen: list[Surfaces] = []

    def agree() -> bool:
        seen.append(on_every_surface(hub, page))
        return all(found == wanted for found in seen[-1].values())

    try:
        wait_for(agree, 25, "the same conditions everywhere")
    except AssertionError:
        raise AssertionError(f"wanted {wanted}, saw {seen[-1]}") from None
    spoken = json.loads(command(hub, "health", "list").stdout)["conditions"]
    assert {one["id"]: one["severity"] for one in spoken} == wanted


def test_A60_every_rule_is_the_same_on_the_page_the_api_the_metrics_and_the_command_line(
    hub: Hub, watch: Watch
) -> None:
    page = opened_list(watch)
    assert page.get_by_text("Everything is well.").is_visible()
    agent = agent_of(hub, "clumsy")
    for number in range(10):
        hub.submit("to fail", max_retries=1)
        frame = agent.hear_type("task_assign")
        agent.ask(type="task_failed", task_id=frame["task_id"], generation=frame["generation"], error=f"no {number}")
    expect(hub, page, {"failure_rate": "critical", "dead_letters_new": "warning"})
    pill = page.get_by_test_id("health-pill")
    assert pill.get_attribute("data-status") == "critical" and "Critical 2" in pill.inner_text()
    assert command(hub, "status").returncode == 1

    # They clear: the rate with successes, what is new with somebody who has seen it.
    for _ in range(16):
        hub.submit("to work")
        frame = agent.hear_type("task_assign")
        agent.ask(type="task_complete", task_id=frame["task_id"], generation=frame["generation"])
    assert command(hub, "health", "ack", "dead_letters_new").returncode == 0
    expect(hub, page, {})

    for _ in range(60):
        assert hub.post("/api/tasks", {"description": ""}).status == 422
    hub.submit("to be held", needed_capabilities=[])
    agent.hear_type("task_assign")
    hub.submit("to wait")
    expect(hub, page, {"rejected_input": "warning", "stuck_tasks": "warning", "oldest_wait": "warning"})
    assert "Warning 3" in pill.inner_text()
    assert command(hub, "status").returncode == 0

    agent.close(code=3000)  # no goodbye
    gone = {"rejected_input": "warning", "oldest_wait": "warning", "agent_offline": "warning", "no_agents": "critical"}
    expect(hub, page, gone)
    agent = agent_of(hub, "clumsy")
    for _ in range(2):
        frame = agent.hear_type("task_assign")
        agent.ask(type="task_complete", task_id=frame["task_id"], generation=frame["generation"])
    expect(hub, page, {"rejected_input": "warning"})
    agent.close()


def test_A61_an_acknowledgement_says_who_and_when_and_ends_with_the_condition(hub: Hub, watch: Watch) -> None:
    page = opened_list(watch)
    hub.submit("for nobody", priority="urgent", assign_to="nobody")
    row = page.locator("[data-testid=condition][data-condition=no_agents]")
    row.wait_for(timeout=25_000)
    other = opened_list(watch)
    row.get_by_role("button", name=re.compile("^Acknowledge")).click()
    for one in (page, other):
        shown = one.locator("[data-testid=condition][data-condition=no_agents] .acknowledged")
        shown.wait_for(timeout=5_000)  # nothing else happens: it is told, before it would ask
        assert "dashboard" in shown.inner_text()
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", shown.get_attribute("title"))
    answer = command(hub, "health", "ack", "oldest_wait", "--note", "nobody is asked for")
    assert json.loads(answer.stdout)["condition"]["acknowledged"]["by"] == "admin"
    pill = page.get_by_test_id("health-pill")
    wait_for(lambda: "Critical, seen" in pill.inner_text(), 25, "a pill that asks for nothing")
    assert not page.title().startswith("(")
    assert page.get_by_text("seen by admin: nobody is asked for").is_visible()

    # It clears and fires again: then nobody looks after it.
    agent = agent_of(hub, "somebody")
    row.wait_for(state="detached", timeout=25_000)
    agent.close()
    row.get_by_role("button", name=re.compile("^Acknowledge")).wait_for(timeout=25_000)
    assert row.locator(".acknowledged").count() == 0
    assert "Critical 1" in pill.inner_text()
