"""The page of the supervision tree: live, honest, and it marks what was started again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from agentcom.cli.tree import with_processes
from tests.browser.conftest import Watched
from tests.harness.hub import Hub
from tests.harness.waiting import wait_for

Watch = Callable[..., Watched]


def names_in(tree: dict[str, Any]) -> list[str]:
    return [tree["id"], *(name for child in tree["children"] for name in names_in(child))]


def shows_the_tree(page: Any, hub: Hub) -> bool:
    nodes = page.locator("[data-node]")
    shown = [nodes.nth(number).get_attribute("data-node") for number in range(nodes.count())]
    return shown == names_in(with_processes(hub.get("/api/system/tree", token=None).json))


def test_it_draws_the_tree_of_the_hub_and_marks_a_restart(hub: Hub, watch: Watch) -> None:
    watched = watch()
    page = watched.open("/system")
    wait_for(lambda: shows_the_tree(page, hub), 15.0, "the whole tree")
    hub.post("/api/admin/reset")
    wait_for(lambda: page.locator(".was-restarted").count() > 0, 10.0, "a mark at what was started again")
    reports = page.get_by_test_id("events")
    wait_for(lambda: "child terminated" in reports.inner_text(), 10.0, "the report of the restart")
    watched.check()


def test_it_shows_storage_link_and_sockets_as_the_api_has_them(hub: Hub, watch: Watch) -> None:
    watched = watch()
    page = watched.open("/system")
    storage = page.get_by_test_id("storage")
    storage.wait_for(timeout=15_000)
    found = hub.get("/api/system/figures", token=None).json
    assert found["storage"]["path"] in storage.inner_text() and "Last commit" in storage.inner_text()
    rows = page.get_by_test_id("link-row")
    ids = rows.evaluate_all("rows => rows.map(row => row.dataset.process)")
    assert ids == [one["id"] for one in found["processes"]]

    def dashboards() -> int:
        return sum(int(text) for text in page.get_by_test_id("link-pages").all_inner_texts())

    wait_for(lambda: dashboards() == 1, 15.0, "this page among the dashboards")
    watched.check()


def test_it_says_when_what_it_shows_is_from_before(hub: Hub, watch: Watch) -> None:
    watched = watch()
    page = watched.open("/system")
    page.locator("[data-node]").first.wait_for(timeout=15_000)
    problem = page.get_by_test_id("system-problem")
    pid = hub.hub_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: problem.count() == 1 and "from before" in problem.inner_text(), 30.0, "the page saying so")
    finally:
        os.kill(pid, signal.SIGCONT)
    problem.wait_for(state="detached", timeout=15_000)


@pytest.mark.parametrize("width", [1440, 390])
def test_it_leads_to_the_dashboard_and_back_and_fits_the_window(hub: Hub, watch: Watch, width: int) -> None:
    watched = watch()
    page = watched.open("/system")
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("[data-node]").first.wait_for(timeout=15_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="Overview").click()
    page.get_by_test_id("counter-queued").wait_for(timeout=5000)
    if width < 720:  # the bar of a phone has five entries
        page.get_by_role("button", name="More").click()
    page.get_by_role("link", name="System").click()
    page.locator("[data-node]").first.wait_for(timeout=15_000)
    watched.check()
