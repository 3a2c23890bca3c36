"""The work of an operator without a mouse, with the focus always to be seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Watched
from tests.harness.hub import Hub
from tests.harness.seed import Mix, seed

MOST_STOPS = 60

#: Whether what has the focus, or what is drawn around it, shows that, inside the window and not covered by a bar.
IS_SEEN = """() => {
  const focused = document.activeElement;
  if (!focused || focused === document.body) return false;
  const drawn = [focused, focused.parentElement].some((one) => {
    const style = getComputedStyle(one);
    return one.matches(':focus-visible, :focus-within') && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  });
  const { left, top, right, bottom } = focused.getBoundingClientRect();
  const x = (Math.max(left, 0) + Math.min(right, innerWidth)) / 2;
  const y = (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2;
  const there = document.elementFromPoint(x, y);
  return drawn && there !== null && (focused.contains(there) || there.contains(focused));
}"""


def tab_to(page: Any, selector: str) -> None:
    """Press Tab until an element that matches has the focus; at each stop on the way it must be seen."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        assert page.evaluate(IS_SEEN), f"the focus is not seen at {stop}"
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not lead to {selector}")


def has_focus(page: Any, expect: Any, selector: str) -> None:
    expect(page.locator(f"{selector}:focus")).to_have_count(1)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """With six dead letters of one cause."""
    seed(tmp_path / "data", Mix(40, dead=6, causes=1), newest_ms=int(time.time() * 1000) - 120_000)
    with Hub(tmp_path / "data", web_processes=1) as started:
        yield started


def test_A81_a_group_is_retried_and_a_task_cancelled_without_a_mouse(
    hub: Hub, watch: Callable[..., Watched], expect: Any
) -> None:
    watched = watch()
    page = watched.open("/")
    page.locator("[data-testid=connection-chip][data-phase=live]").wait_for(timeout=10_000)
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.get_by_test_id("dead-group").wait_for()
    has_focus(page, expect, "h1")

    retry = "[data-testid=dead-group] [data-testid=bulk-retry]"
    tab_to(page, retry)
    page.keyboard.press("Enter")
    page.get_by_test_id("bulk-start").wait_for()
    page.keyboard.press("Escape")
    has_focus(page, expect, retry)  # what opened the dialog
    page.keyboard.press("Enter")
    page.get_by_test_id("bulk-start").wait_for()
    tab_to(page, "[data-testid=bulk-start]")
    page.keyboard.press("Enter")
    operation = page.get_by_test_id("bulk-dialog").get_by_test_id("operation")
    expect(operation).to_have_attribute("data-state", "finished", timeout=20_000)
    expect(page.locator(retry)).to_have_count(0)  # nothing is left of the group
    page.keyboard.press("Escape")
    has_focus(page, expect, "h1")
    assert hub.get("/api/tasks/stats").json["by_status"].get("dead_letter", 0) == 0

    page.keyboard.press("g")
    page.keyboard.press("t")
    page.get_by_test_id("task-row").first.wait_for()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_test_id("path").wait_for()
    task_id = page.url.rsplit("/", 1)[1]
    assert hub.task(task_id)["status"] == "queued"
    tab_to(page, ".task-actions .danger")
    page.keyboard.press("Enter")
    page.get_by_test_id("cancel-dialog").wait_for()
    tab_to(page, "[data-testid=cancel-dialog] .danger")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("path")).to_have_attribute("data-at", "cancelled", timeout=10_000)
    assert hub.task(task_id)["status"] == "cancelled"
    has_focus(page, expect, "h1")  # the button that was pressed is gone
    watched.check()
