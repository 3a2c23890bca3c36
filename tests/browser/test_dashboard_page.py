"""The page in a real browser: live, honest, keyboard-usable, and silent towards every other origin."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Watched
from tests.harness.fleet import Fleet
from tests.harness.hub import Hub
from tests.harness.waiting import wait_for

Watch = Callable[..., Watched]


@pytest.fixture
def fleet(hub: Hub, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(hub, tmp_path / "fleet") as started:
        yield started


def shows(page: Any, testid: str, text: str, within_s: float) -> None:
    """The page's policy forbids evaluating strings, so it is asked again and again instead of waiting inside it."""
    element = page.get_by_test_id(testid)
    wait_for(lambda: element.inner_text().strip() == text, within_s, f"{testid} showing {text}")


def test_a_task_is_shown_within_a_second_and_followed_to_completion(hub: Hub, watch: Watch, fleet: Fleet) -> None:
    watched = watch()
    page = watched.open()
    page.get_by_test_id("connection-chip").get_by_text(re.compile("live", re.I)).wait_for(timeout=10_000)
    task_id = hub.submit("Paint the fence")
    shows(page, "counter-queued", "1", 1)
    fleet.add("painter", work_ms=50)
    row = page.locator(f"[data-testid=completion-row][data-task-id='{task_id}']")
    row.wait_for(timeout=15_000)
    assert "Paint the fence" in row.inner_text() and "painter" in row.inner_text()
    page.locator("[data-testid=agent-row][data-agent-id=painter]").wait_for(timeout=5000)
    watched.check()


def test_a_lost_hub_looks_lost_and_comes_back(hub: Hub, watch: Watch) -> None:
    watched = watch()
    page = watched.open()
    page.get_by_test_id("connection-chip").get_by_text(re.compile("live", re.I)).wait_for(timeout=10_000)
    before = hub.hub_pid
    os.kill(before, signal.SIGSTOP)
    os.kill(before, signal.SIGKILL)
    page.get_by_test_id("banner").wait_for(state="visible", timeout=5000)
    wait_for(lambda: hub.hub_pid != before, 15, "the new hub")
    page.get_by_test_id("banner").wait_for(state="hidden", timeout=15_000)
    page.get_by_test_id("connection-chip").get_by_text(re.compile("live", re.I)).wait_for(timeout=10_000)
    hub.submit("after the restart")
    shows(page, "counter-queued", "1", 3)
    watched.check()


def test_a_dead_letter_can_be_retried_from_the_page(hub: Hub, watch: Watch) -> None:
    from tests.harness.socket import Socket

    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="clumsy", token=hub.agent_token("clumsy"))
    task_id = hub.submit("Drop the vase", max_retries=1)
    agent.hear_type("task_assign")
    agent.ask(type="task_failed", task_id=task_id, generation=1, error="it slipped")
    watched = watch()
    page = watched.open()
    row = page.locator(f"[data-testid=dead-row][data-task-id='{task_id}']")
    row.wait_for(timeout=10_000)
    assert "it slipped" in row.inner_text()
    row.get_by_test_id("retry-button").click()
    page.get_by_text("The task is queued again.").first.wait_for(timeout=10_000)
    page.mouse.move(2, 2)
    page.evaluate("document.activeElement.blur()")
    row.wait_for(state="detached", timeout=10_000)  # rows stay while the pointer or the focus is among them
    frame = agent.hear_type("task_assign")
    assert (frame["task_id"], frame["generation"]) == (task_id, 3)
    agent.ask(type="task_complete", task_id=task_id, generation=3)
    page.locator(f"[data-testid=completion-row][data-task-id='{task_id}']").wait_for(timeout=10_000)
    watched.check()


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "');alert(1)//",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "W" * 3000,
]


def test_hostile_text_is_shown_as_text(hub: Hub, watch: Watch) -> None:
    """Lesson 55."""
    from tests.harness.socket import Socket

    watched = watch()
    dialogs: list[str] = []
    watched.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page = watched.open()
    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="evil", token=hub.agent_token("evil"), name="<b>evil</b>", capabilities=["<i>"])
    for words in HOSTILE:
        task_id = hub.submit(words, max_retries=1)
        agent.hear_type("task_assign")
        agent.ask(type="task_failed", task_id=task_id, generation=1, error=words[:1900])
    page.locator("[data-testid=dead-row]").nth(len(HOSTILE) - 1).wait_for(timeout=10_000)
    assert dialogs == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("img[src=x], b, i").count() == 0
    watched.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(hub: Hub, watch: Watch, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="NOT TESTED: axe is not installed")
    watched = watch(color_scheme=scheme)
    page = watched.open()
    hub.submit("for the lanes", priority="urgent")
    shows(page, "counter-queued", "1", 5)
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}
    # axe is put into the page by the test itself, past the page's own policy, so only its findings are judged here.
    results = axe.Axe().run(page, options=tags)
    assert results.violations_count == 0, results.generate_report()


def test_a_narrow_screen_needs_no_sideways_scrolling(hub: Hub, watch: Watch) -> None:
    watched = watch()
    watched.page.set_viewport_size({"width": 320, "height": 568})
    page = watched.open()
    page.get_by_test_id("health-pill").wait_for(timeout=10_000)
    hub.submit("a task with a rather long description that has to wrap somewhere")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    watched.check()
