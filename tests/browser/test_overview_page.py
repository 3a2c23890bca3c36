"""The first screen in a real browser against a real hub: live, honest, and still under the reader's hands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Watched
from tests.browser.pages import counted, counters
from tests.harness.fleet import Fleet
from tests.harness.hub import Hub
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for

Watch = Callable[..., Watched]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One for all: every test looks at its own tasks, and at how numbers change."""
    with Hub(tmp_path_factory.mktemp("overview") / "data") as started:
        yield started


@pytest.fixture
def fleet(hub: Hub, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(hub, tmp_path / "fleet") as started:
        yield started


def live(watched: Watched, path: str = "/") -> Any:
    page = watched.open(path)
    page.locator("[data-testid=connection-chip][data-phase=live]").wait_for(timeout=10_000)
    return page


def shows(page: Any, testid: str, text: str, within_s: float = 5.0) -> None:
    """The page's policy forbids evaluating strings, so it is asked again and again instead of waiting inside it."""
    element = page.get_by_test_id(testid)
    wait_for(lambda: element.inner_text().strip() == text, within_s, f"{testid} showing {text}")


def wait_until_equal(page: Any, hub: Hub, within_s: float = 5.0) -> None:
    wait_for(lambda: counters(page) == counted(hub), within_s, "the page showing what the hub counts")


def fill(hub: Hub, number: int, **fields: Any) -> None:
    """So many tasks that no agent of these tests can do."""
    for begin in range(0, number, 1000):
        some = range(begin, min(number, begin + 1000))
        tasks = [{"description": f"fill {place}", "needed_capabilities": ["nobody"], **fields} for place in some]
        assert hub.request("POST", "/api/tasks/bulk", tasks, timeout_s=30).status == 201


def clumsy_agent(hub: Hub, agent_id: str, **fields: Any) -> Socket:
    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id=agent_id, token=hub.agent_token(agent_id), **fields)
    return agent


def kill_letters(hub: Hub, agent: Socket, capability: str, texts: list[str], error: str) -> list[str]:
    made = []
    for text in texts:
        task_id = hub.submit(text, max_retries=1, needed_capabilities=[capability])
        agent.hear_type("task_assign")
        agent.ask(type="task_failed", task_id=task_id, generation=1, error=error)
        made.append(task_id)
    return made


def test_A01_A02_A03_the_first_view_equals_the_hub_and_asks_no_other_origin(hub: Hub, watch: Watch) -> None:
    fill(hub, 5000, priority="low")
    watched = watch()
    page = live(watched)
    assert page.get_by_role("heading", level=1).inner_text() == "Overview"
    wait_until_equal(page, hub)
    assert page.get_by_test_id("lane-3").inner_text().split()[-1] == f"{hub.snapshot()['queue']['by_priority']['3']:,}"
    assert page.get_by_test_id("health-pill").get_attribute("data-status") == hub.get("/api/health").json["status"]
    watched.check()


def test_A10_A11_a_task_is_seen_from_its_submission_to_its_completion(hub: Hub, watch: Watch, fleet: Fleet) -> None:
    watched = watch()
    page = live(watched)
    before = counters(page)
    task_id = hub.submit("Paint the fence", needed_capabilities=["paint"])
    shows(page, "counter-queued", f"{before['queued'] + 1:,}")
    fleet.add("painter", "paint", work_ms=1500)
    agent = page.locator("[data-testid=agent-row][data-agent-id=painter]")
    agent.and_(page.locator("[data-state=working]")).wait_for(timeout=15_000)
    wait_for(lambda: "Paint the fence" in agent.inner_text(), 10, "the agent's row saying what it works at")
    row = page.locator(f"[data-testid=completion-row][data-task-id='{task_id}']")
    row.wait_for(timeout=15_000)
    assert "Paint the fence" in row.inner_text() and "painter" in row.inner_text()
    assert re.search(r"1\.\d s", row.inner_text()), "how long it took"
    wait_until_equal(page, hub)
    fleet.kill("painter")
    page.locator("[data-agent-id=painter][data-state=offline]").wait_for(timeout=20_000)
    watched.check()


def test_what_happened_before_the_page_was_opened_stands_in_its_activity(hub: Hub, watch: Watch) -> None:
    task_id = hub.submit("before anybody looked", assign_to="nobody")
    hub.post(f"/api/tasks/{task_id}/cancel")

    def told() -> list[str]:
        events = hub.get("/api/dashboard/events", token=None).json["events"]
        return [one["event"] for one in events if one.get("task_id") == task_id]

    wait_for(lambda: told() == ["task_submitted", "task_cancelled"], 5, "both of its events at the hub")
    watched = watch()
    page = live(watched)
    row = page.get_by_test_id("activity-row").filter(has=page.locator(f"a[href$='/tasks/{task_id}']"))
    wait_for(lambda: row.count() == 2, 10, "both of its events")
    assert row.evaluate_all("rows => rows.map(row => row.dataset.event)") == ["task_cancelled", "task_submitted"]
    later = hub.submit("while somebody looks", assign_to="nobody")
    first = page.get_by_test_id("activity-row").first.locator(f"a[href$='/tasks/{later}']")
    wait_for(lambda: first.count() == 1, 10, "the new one on top")
    hub.post(f"/api/tasks/{later}/cancel")
    watched.check()


def test_A12_a_storm_of_events_ends_in_the_numbers_of_the_hub(hub: Hub, watch: Watch) -> None:
    watched = watch()
    frames: list[str] = []
    watched.page.on(
        "websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame)[:30]))
    )
    page = live(watched)
    page.evaluate(
        "window.longTasks = 0; new PerformanceObserver(list => {"
        " for (const one of list.getEntries()) window.longTasks += one.duration"
        " }).observe({entryTypes: ['longtask']}); window.stormBegan = performance.now();"
    )
    for _ in range(10):
        fill(hub, 200)
    wait_until_equal(page, hub, 10)
    spent = page.evaluate("performance.now() - window.stormBegan")
    assert page.evaluate("window.longTasks") < spent / 2, "most of the time is left for the reader"
    assert len(frames) <= 10 * (spent / 1000 + 1), "at most ten frames a second"
    watched.check()


def test_A13_a_lost_frame_leaves_no_hole(hub: Hub, watch: Watch) -> None:
    watched = watch()
    lost: list[str] = []

    def lose_one(route: Any) -> None:
        server = route.connect_to_server()

        def pass_on(message: Any) -> None:
            if not lost and json.loads(message).get("type") == "events":
                lost.append(str(message))
            else:
                route.send(message)

        server.on_message(pass_on)

    watched.page.route_web_socket(re.compile("/ws/dashboard"), lose_one)
    page = live(watched)
    before = counters(page)["queued"]
    hub.submit("lost on the way", needed_capabilities=["nobody"])
    wait_for(lambda: page.evaluate("1") and bool(lost), 5, "a frame being lost")
    hub.submit("seen", needed_capabilities=["nobody"])
    shows(page, "counter-queued", f"{before + 2:,}")
    page.get_by_text("events were missed").wait_for(timeout=5000)
    watched.check()


def complete(hub: Hub, agent: Socket, capability: str, texts: list[str], tokens: int = 1) -> None:
    for text in texts:
        task_id = hub.submit(text, needed_capabilities=[capability])
        agent.hear_type("task_assign")
        agent.ask(type="task_complete", task_id=task_id, generation=1, tokens_used=tokens)


def test_A16_nothing_moves_under_the_reader(hub: Hub, watch: Watch) -> None:
    agent = clumsy_agent(hub, "steady", capabilities=["work"])
    complete(hub, agent, "work", [f"old {number}" for number in range(15)])
    watched = watch()
    page = live(watched)
    rows = page.get_by_test_id("completion-row")
    rows.nth(14).wait_for(timeout=10_000)
    region = page.get_by_role("region", name="Recent completions", exact=True).last
    focused = rows.nth(5).get_by_role("link")
    focused.focus()
    region.evaluate("region => region.scrollTop = 60")
    rows.nth(6).locator("td").first.select_text()
    marked = page.evaluate("getSelection().toString()")
    shown = [rows.nth(place).get_attribute("data-task-id") for place in range(rows.count())]
    complete(hub, agent, "work", ["new 1", "new 2", "new 3"])
    newer = page.get_by_role("button", name="3 new completions, show")
    newer.wait_for(timeout=10_000)
    assert [rows.nth(place).get_attribute("data-task-id") for place in range(len(shown))] == shown
    assert focused.evaluate("link => link === document.activeElement")
    assert region.evaluate("region => region.scrollTop") == 60
    assert page.evaluate("getSelection().toString()") == marked != ""
    newer.click()
    wait_for(lambda: "new 3" in rows.first.inner_text(), 5, "the newest one being first")
    watched.check()


def test_A40_dead_letters_stand_in_groups_and_a_group_is_retried_after_a_look(hub: Hub, watch: Watch) -> None:
    agent = clumsy_agent(hub, "clumsy", capabilities=["carry"])
    vases = kill_letters(hub, agent, "carry", ["Carry vase 1", "Carry vase 2"], "it slipped out of hand 17")
    kill_letters(hub, agent, "carry", ["Carry the piano"], "too heavy")
    watched = watch()
    page = live(watched)
    group = page.get_by_test_id("dead-group").filter(has_text="slipped")
    group.wait_for(timeout=15_000)
    assert group.locator("td").first.inner_text() == "2"
    group.get_by_test_id("retry-group").click()
    dialog = page.get_by_test_id("bulk-dialog")
    dialog.get_by_text("Carry vase 1").wait_for(timeout=10_000)
    dialog.get_by_role("button", name="Retry 2 tasks").click()
    dialog.locator("[data-testid=operation][data-state=finished]").wait_for(timeout=10_000)
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached", timeout=10_000)
    for _ in vases:
        frame = agent.hear_type("task_assign")
        assert frame["task_id"] in vases and frame["generation"] == 3
        agent.ask(type="task_complete", task_id=frame["task_id"], generation=3)
    page.mouse.move(2, 2)
    page.evaluate("document.activeElement.blur()")
    group.wait_for(state="detached", timeout=15_000)
    wait_until_equal(page, hub)
    watched.check()


def test_A61_a_condition_is_acknowledged_where_it_is_read(hub: Hub, watch: Watch) -> None:
    agent = clumsy_agent(hub, "unlucky", capabilities=["luck"])
    kill_letters(hub, agent, "luck", ["Win the lottery"], "an unheard-of failure")
    watched = watch()
    page = live(watched)
    wait_for(lambda: page.get_by_test_id("health-pill").get_attribute("data-status") != "ok", 15, "the health falling")
    page.get_by_test_id("health-pill").click()
    condition = page.locator("[data-condition=dead_letters_new]")
    condition.get_by_role("button", name="Acknowledge").click()
    condition.wait_for(state="detached", timeout=10_000)
    details = hub.get("/api/health").json["conditions"]
    assert "dead_letters_new" not in [one["id"] for one in details]
    page.keyboard.press("Escape")
    assert page.get_by_test_id("health-pill").get_attribute("aria-expanded") == "false"
    watched.check()


def test_completions_are_sorted_and_filtered(hub: Hub, watch: Watch) -> None:
    agent = clumsy_agent(hub, "sorter", capabilities=["sort"])
    for text, tokens in (("apple pie", 30), ("banana split", 10), ("cherry cake", 20)):
        complete(hub, agent, "sort", [text], tokens)
    watched = watch()
    page = live(watched)
    table = page.get_by_role("table", name="Recent completions")
    filtered = page.get_by_test_id("completions-filter")

    def listed() -> list[str]:
        return [text.split("\n")[0].split("\t")[0] for text in page.get_by_test_id("completion-row").all_inner_texts()]

    filtered.fill("sorter")
    wait_for(lambda: listed() == ["cherry cake", "banana split", "apple pie"], 5, "the newest first")
    for descending in (True, False):
        table.get_by_role("button", name="Tokens").click()
        direction = "descending" if descending else "ascending"
        table.locator(f"th.col-tokens[aria-sort={direction}]").wait_for()
        expected = ["apple pie", "cherry cake", "banana split"]
        wait_for(lambda expected=expected[:: 1 if descending else -1]: listed() == expected, 5, direction)  # type: ignore[misc]
    filtered.fill("sorter cherry")
    wait_for(lambda: listed() == ["cherry cake"], 5, "the one that matches")
    filtered.fill("nothing is called so")
    page.get_by_role("button", name="Clear the filter").click()
    wait_for(lambda: len(listed()) >= 3, 5, "all again")
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
    watched = watch()
    dialogs: list[str] = []
    watched.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page = live(watched)
    agent = clumsy_agent(hub, "evil", name="<b>evil</b>", capabilities=["<i>", "evil"])
    for words in HOSTILE:
        kill_letters(hub, agent, "evil", [words], words[:1900])
        complete(hub, agent, "evil", [words])
    wait_for(lambda: page.get_by_test_id("completion-row").count() >= len(HOSTILE), 10, "all of them")
    page.get_by_test_id("dead-group").first.wait_for(timeout=15_000)
    assert dialogs == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("img[src=x], b:has-text('evil'), main i:has-text('evil')").count() == 0
    watched.check()


def test_everything_stands_on_a_screen_of_1440_by_900(hub: Hub, watch: Watch) -> None:
    watched = watch()
    page = live(watched)
    for heading in page.get_by_role("heading", level=2).all():
        box = heading.bounding_box()
        assert box is not None and box["y"] + box["height"] < 900
    assert page.evaluate("document.scrollingElement.scrollHeight") <= 900
    assert page.locator("main").evaluate("main => main.scrollHeight <= main.clientHeight")
