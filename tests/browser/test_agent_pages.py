"""Agents, one agent, activity: orders from the page, an agent that joins, and what the audit log says of it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.hub import Hub
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for
from tests.processes.test_agent_orders import environment, stopped

Watch = Callable[..., Any]

pytestmark = pytest.mark.timeout(180)


def agent(hub: Hub, agent_id: str, *capabilities: str, **fields: object) -> Socket:
    socket = Socket(f"{hub.ws_url}/ws")
    token = hub.agent_token(agent_id)
    answer = socket.ask(type="identify", agent_id=agent_id, token=token, capabilities=list(capabilities), **fields)
    assert answer["type"] == "identified"
    return socket


def test_A57_an_agent_is_drained_from_its_page_finishes_and_is_forgotten(hub: Hub, watch: Watch) -> None:
    worker = agent(hub, "worker", "x", name='<img src=x onerror="violations.push(1)">')
    first = hub.submit("The task in hand", needed_capabilities=["x"])
    about = {"task_id": first, "generation": worker.hear_type("task_assign")["generation"]}
    worker.ask(type="task_accepted", **about)
    watched = watch()
    page = watched.open("/agents")
    row = page.get_by_test_id("fleet-row")
    row.filter(has_text="Working").filter(has_text="The task in hand").wait_for()
    assert '<img src=x onerror="violations.push(1)">' in row.inner_text(), "a name is text"
    row.get_by_role("rowheader").get_by_role("link").click()
    head = page.get_by_test_id("agent-head")
    page.get_by_test_id("held-row").filter(has_text="The task in hand").wait_for()
    page.get_by_role("button", name="Drain", exact=True).click()
    page.locator('[data-testid="agent-head"][data-state="draining"]').wait_for()
    assert "still working" in head.inner_text()
    waiting = hub.submit("Not for it", needed_capabilities=["x"])
    assert worker.ask(type="task_complete", **about)["status"] == "complete"
    page.locator('[data-testid="agent-head"][data-state="drained"]').wait_for()
    page.get_by_test_id("last-row").filter(has_text="The task in hand").filter(has_text="Completed").wait_for()
    assert hub.task(waiting)["status"] == "queued"
    assert page.get_by_role("button", name="Forget…").count() == 0, "not while it is here"
    worker.close()
    page.get_by_role("button", name="Forget…").click()
    page.get_by_test_id("forget-dialog").get_by_role("button", name="Forget ").click()
    page.get_by_text("No agent has ever been here.").wait_for()
    assert hub.get("/api/health").json["status"] != "critical"
    watched.check()


def test_A73_what_is_ordered_on_the_page_stands_in_the_audit_log_with_before_and_after(hub: Hub, watch: Watch) -> None:
    worker = agent(hub, "worker")
    hub.post("/api/agents/worker/pause", headers={"User-Agent": "agentcom-cli/1"})
    watched = watch()
    page = watched.open("/agents/worker")
    page.locator('[data-testid="agent-head"][data-state="paused"]').wait_for()
    page.get_by_role("button", name="Resume").click()
    page.locator('[data-testid="agent-head"][data-state="idle"]').wait_for()
    page.get_by_role("button", name="New token…").click()
    dialog = page.get_by_test_id("rotate-dialog")
    dialog.get_by_role("button", name="Make a new token").click()
    token = dialog.locator("code").inner_text()
    assert token.startswith("hub_agent_")
    dialog.get_by_role("button", name="End old tokens").click()
    dialog.get_by_text("old token").last.wait_for()
    assert worker.closed() == 4403
    page.keyboard.press("Escape")
    page.goto(f"{hub.url}/activity?view=audit")
    rows = page.get_by_test_id("audit-row")
    resumed = rows.filter(has_text="agent.resume")
    resumed.wait_for()
    words = resumed.inner_text()
    assert "dashboard" in words and "Page" in words and "paused → active" in words
    assert "Command line" in rows.filter(has_text="agent.pause").inner_text()
    page.get_by_label("Action").fill("token.end")
    page.locator('[data-testid="audit-row"]:not([data-action="token.end_old"])').first.wait_for(state="detached")
    assert rows.count() == 1 and "action=token.end" in page.url
    assert token not in page.content() and token not in page.evaluate("JSON.stringify(localStorage)")
    watched.check()


def test_an_agents_page_says_how_busy_it_was_and_still_does_after_a_restart(hub: Hub, watch: Watch) -> None:
    worker = agent(hub, "worker")
    hub.submit("held", assign_to="worker")
    worker.hear_type("task_assign")

    def found() -> dict[str, Any]:
        answer: dict[str, Any] = hub.get("/api/dashboard/agents/worker", token=None).json
        return answer

    wait_for(lambda: (found()["utilisation_day"] or 0) > 0, 10, "some of its time counted")
    watched = watch()
    page = watched.open("/agents/worker")
    shown = page.get_by_test_id("utilisation")
    wait_for(lambda: re.findall(r"\d+\s%", shown.inner_text()) != [], 10, "shares on the page")
    assert "7 days" in shown.inner_text() and page.locator(".hours rect").count() == 1
    assert len(found()["utilisation_hours"]["shares"]) == 168
    worker.close()
    hub.stop()
    hub.start()
    kept = found()
    assert kept["utilisation_day"] > 0 and kept["utilisation_week"] > 0
    assert kept["utilisation"] is None, "while this hub has run it was not there"
    watched.check()


def test_an_agent_joins_with_the_line_of_the_page_and_the_page_says_hello(
    hub: Hub, watch: Watch, tmp_path: Path
) -> None:
    watched = watch()
    page = watched.open("/agents")
    page.get_by_text("No agent has ever been here.").wait_for()
    page.get_by_role("button", name="Add an agent").first.click()
    line = page.get_by_test_id("join-dialog").locator("code").inner_text()
    words = shlex.split(line)
    assert words[:4] == ["agentcom", "agent", "join", hub.url] and words[-1] == "./my-script.sh"
    begin = words[1 : words.index("--")]
    argv = [sys.executable, "-m", "agentcom", *begin, "--state-dir", str(tmp_path / "state")]
    sidecar = subprocess.Popen([*argv, "--", "cat"], env=environment(), stdin=subprocess.DEVNULL)
    try:
        page.get_by_test_id("joined").get_by_text("my-agent").wait_for(timeout=30_000)
        page.keyboard.press("Escape")
        page.get_by_test_id("fleet-row").filter(has_text="my-agent").wait_for()
    finally:
        stopped(sidecar)
    watched.check()


def test_a_fleet_is_narrowed_by_state_and_by_words_and_the_address_keeps_it(hub: Hub, watch: Watch) -> None:
    sockets = [agent(hub, f"agent-{number:02}", "gpu" if number < 3 else "cpu") for number in range(65)]
    hub.post("/api/agents/agent-07/pause")
    watched = watch()
    page = watched.open("/agents")
    rows = page.get_by_test_id("fleet-row")
    page.get_by_text("65 of 65 agents").wait_for()
    assert rows.count() == 65
    assert page.get_by_role("button", name="Idle 64").is_visible()
    page.get_by_role("button", name="Paused 1").click()
    page.get_by_text("1 of 65 agents").wait_for()
    assert "agent-07" in rows.inner_text() and "state=paused" in page.url
    page.get_by_role("button", name="Paused 1").click()
    page.get_by_label("Find agents by name or capability").fill("gpu")
    page.get_by_text("3 of 65 agents").wait_for()
    page.reload()
    page.get_by_text("3 of 65 agents").wait_for()
    page.goto(f"{hub.url}/activity?kind=agents")
    page.get_by_test_id("event-row").first.wait_for()
    hub.submit("of no interest here", needed_capabilities=["nobody-has-this"])
    hub.post("/api/agents/agent-07/resume")
    page.get_by_test_id("event-row").filter(has_text="agent-07").filter(has_text="take work").first.wait_for()
    assert page.locator('[data-event="task_submitted"]').count() == 0
    for socket in sockets:
        socket.close()
    watched.check()
