"""The list of tasks and the page of one task, in a real browser against a real hub with a real agent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Watched
from tests.harness.fleet import Fleet
from tests.harness.hub import Hub
from tests.harness.waiting import wait_for

Watch = Callable[..., Watched]

HOSTILE = "<img src=x onerror=alert(1)>&amp;"


@pytest.fixture
def agent(hub: Hub, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(hub, tmp_path / "fleet") as fleet:
        fleet.add("coder")
        wait_for(lambda: fleet.online() == 1, 20, "the agent")
        yield fleet


def submit(hub: Hub, description: str = "work", **fields: Any) -> str:
    answer = hub.request("POST", "/api/tasks", {"description": description, **fields})
    assert answer.status == 201, answer
    return str(answer.json["task_id"])


def rows(page: Any) -> Any:
    return page.get_by_test_id("task-row")


def test_a_waiting_task_says_why_and_its_life_is_told_when_it_is_over(
    hub: Hub, watch: Watch, agent: Fleet, expect: Any
) -> None:
    waiting = submit(hub, HOSTILE, needed_capabilities=["gpu"], metadata={"note": HOSTILE})
    watched = watch()
    page = watched.open("/tasks")
    rows(page).get_by_role("link").click()
    expect(page.get_by_test_id("task-title")).to_have_text(HOSTILE)
    expect(page.get_by_test_id("why")).to_contain_text("coder, which lacks gpu")
    agent.add("gpu-box", "gpu")
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible(timeout=20_000)
    expect(page.get_by_test_id("history")).to_contain_text("gpu-box (generation 1)")
    expect(page.get_by_role("group", name="Result", exact=True)).to_contain_text('by: "gpu-box"')
    expect(page.get_by_role("heading", name="Why is it waiting?")).to_be_hidden()
    assert waiting in page.url
    watched.check()


def test_a_task_that_is_not_there_is_said_plainly(hub: Hub, watch: Watch, expect: Any) -> None:
    page = watch().open("/tasks/task-00000000deadbeef")
    expect(page.get_by_text("There is no such task.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_and_the_pages_fit_the_window(hub: Hub, watch: Watch, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="NOT TESTED: axe is not installed")
    task_id = submit(hub, HOSTILE, needed_capabilities=["gpu"], metadata={"a": [1, 2]})
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}
    for path, there in (
        ("/tasks", "[data-testid=task-row]"),
        (f"/tasks/{task_id}", "[data-testid=why]"),
        ("/tasks?status=completed", ".empty button"),
    ):
        page = watch(color_scheme=scheme).open(path)
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_selector(there)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        found = axe.Axe().run(page, options=tags)
        assert found.violations_count == 0, found.generate_report()
