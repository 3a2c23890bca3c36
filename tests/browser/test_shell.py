"""The frame around every page: addresses, keys, palette, pause, themes, phones, and what a screen reader hears."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.browser.conftest import Watched
from tests.harness.hub import Hub
from tests.harness.path_proxy import PathProxy
from tests.harness.waiting import wait_for

Watch = Callable[..., Watched]

#: What stands in the navigation, by the second key after ``g``.
PAGES = {"o": ("/dashboard", "Overview"), "t": ("/tasks", "Tasks"), "k": ("/system", "System")}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("shell") / "data") as started:
        started.submit("Water the plants")
        yield started


def live(watched: Watched, path: str = "/") -> Any:
    page = watched.open(path)
    page.locator("[data-testid=connection-chip][data-phase=live]").wait_for(timeout=10_000)
    return page


def heading(page: Any) -> str:
    return str(page.get_by_role("heading", level=1).inner_text())


def is_at(page: Any, path: str, title: str) -> None:
    wait_for(lambda: heading(page) == title, 5, f"the heading {title}")
    assert page.url.endswith(path)
    wait_for(lambda: re.fullmatch(rf"(\(\d+\) )?{re.escape(title)} · AgentCom", page.title()), 5, "the window's title")
    assert page.get_by_role("heading", level=1).count() == 1


def has_focus(page: Any, selector: str) -> bool:
    return bool(page.evaluate("selector => document.activeElement?.matches(selector)", selector))


SCRIPT_BYTES = 150 * 1024
STYLE_BYTES = 30 * 1024


def test_A05_the_first_transfer_is_small_compressed_and_never_made_again(hub: Hub, watch: Watch) -> None:
    """Bodies, as counted by the browser. How long a request lasts is left to the measurements of ``bench/``."""
    watched = watch()
    page = watched.page
    answers: dict[str, Any] = {}
    sizes: Counter[str] = Counter()
    session = page.context.new_cdp_session(page)
    session.on("Network.responseReceived", lambda one: answers.update({one["requestId"]: one}))
    session.on("Network.dataReceived", lambda one: sizes.update({one["requestId"]: one["encodedDataLength"]}))
    session.send("Network.enable")

    def arrived(kind: str) -> dict[str, int]:
        found = {key: one["response"] for key, one in answers.items() if one["type"] == kind}
        return {one["url"]: sizes[key] for key, one in found.items() if sizes[key] > 0}

    live(watched)
    page.wait_for_load_state("networkidle")
    scripts, styles = arrived("Script"), arrived("Stylesheet")
    assert len(scripts) > 30 and 0 < sum(scripts.values()) <= SCRIPT_BYTES
    assert len(styles) > 5 and 0 < sum(styles.values()) <= STYLE_BYTES
    for one in answers.values():
        headers = {key.lower(): value for key, value in one["response"]["headers"].items()}
        if one["type"] in ("Script", "Stylesheet"):
            assert re.search(r"/static/[0-9a-f]{16}/", one["response"]["url"])
            assert "immutable" in headers["cache-control"] and "max-age=31536000" in headers["cache-control"]
            assert headers.get("content-encoding") == "gzip" or int(headers["content-length"]) < 1024, headers
    answers.clear()
    live(watched)
    page.wait_for_load_state("networkidle")
    assert not arrived("Script") and not arrived("Stylesheet"), "all of it is kept"
    watched.check()


def test_A06_every_address_opens_its_page_and_back_and_forward_lead_there_again(hub: Hub, watch: Watch) -> None:
    watched = watch()
    for path, title in PAGES.values():
        is_at(live(watched, path), path, title)
    page = watched.page
    page.get_by_role("link", name="Overview", exact=True).click()
    is_at(page, "/dashboard", "Overview")
    assert has_focus(page, "h1"), "who follows a link is told where they are"
    page.go_back()
    is_at(page, "/system", "System")
    assert has_focus(page, "h1")
    page.go_forward()
    is_at(page, "/dashboard", "Overview")
    page.goto(f"{hub.url}/tasks/no-such-task")
    page.get_by_text("There is no such task").wait_for(timeout=5000)
    watched.faults = [fault for fault in watched.faults if "404" not in fault]
    watched.check()


def test_A17_a_paused_page_stands_still_and_shows_everything_when_resumed(hub: Hub, watch: Watch) -> None:
    watched = watch()
    page = live(watched)
    queued = page.get_by_test_id("counter-queued")
    wait_for(lambda: queued.inner_text().isdigit(), 5, "a number")
    before = queued.inner_text()
    page.keyboard.press("p")
    pause = page.get_by_test_id("pause-button")
    assert pause.get_attribute("aria-pressed") == "true"
    shown = page.locator("main").inner_text()
    for _ in range(5):
        hub.submit("while nobody looks")
    wait_for(lambda: "5 pending" in pause.inner_text(), 10, "the button counting what waits")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_test_id("help-button").focus()
    assert page.locator("main").inner_text() == shown
    pause.click()
    wait_for(lambda: queued.inner_text() == str(int(before) + 5), 5, "the new number")
    assert pause.inner_text() == "Pause"
    watched.check()


def test_keys_lead_to_pages_and_walk_through_rows(hub: Hub, watch: Watch) -> None:
    watched = watch()
    page = live(watched)
    for key, (path, title) in PAGES.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        is_at(page, path, title)
    page.keyboard.press("?")
    page.get_by_test_id("help-dialog").get_by_text("Pause or resume changes on screen").wait_for()
    page.keyboard.press("?")
    page.get_by_test_id("help-dialog").wait_for(state="detached")
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.get_by_text("Water the plants").wait_for(timeout=5000)
    page.keyboard.press("j")
    wait_for(
        lambda: page.evaluate(
            "document.activeElement.closest('main table, main [role=grid], main [role=table]') !== null"
        ),
        5,
        "a row",
    )
    page.keyboard.press("Enter")
    wait_for(lambda: re.search(r"/tasks/task-", page.evaluate("location.href")), 5, "the page of the task")
    watched.check()


def test_A82_single_keys_can_be_switched_off_and_fields_are_left_alone(hub: Hub, watch: Watch) -> None:
    watched = watch()
    page = live(watched)
    page.get_by_test_id("palette-button").click()
    page.keyboard.type("pt?go")
    assert page.get_by_role("combobox").input_value() == "pt?go"
    page.keyboard.press("Escape")
    assert page.get_by_test_id("pause-button").get_attribute("aria-pressed") == "false"
    page.get_by_test_id("help-button").click()
    page.get_by_label("Single keys do something").uncheck()
    page.keyboard.press("Escape")
    page.get_by_test_id("help-dialog").wait_for(state="detached")
    for key in "pt?gt":
        page.keyboard.press(key)
    assert page.get_by_test_id("pause-button").get_attribute("aria-pressed") == "false"
    assert page.get_by_test_id("help-dialog").count() == 0 and page.url.endswith("/dashboard")
    page.reload()
    page.get_by_test_id("pause-button").wait_for()
    page.keyboard.press("p")
    assert page.get_by_test_id("pause-button").get_attribute("aria-pressed") == "false", "the choice is kept"
    watched.check()


@pytest.mark.parametrize("path", [path for path, _ in PAGES.values()])
def test_A95_the_palette_finds_pages_tasks_and_actions_and_gives_the_focus_back(
    hub: Hub, watch: Watch, path: str
) -> None:
    watched = watch()
    page = live(watched, path)
    button = page.get_by_test_id("help-button")
    button.focus()
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search")
    wait_for(lambda: has_focus(page, ".palette-field"), 5, "the focus in the field")
    page.keyboard.type("sys")
    option = page.get_by_test_id("palette-entry").first
    assert "System" in option.inner_text() and option.get_attribute("aria-selected") == "true"
    assert field.get_attribute("aria-activedescendant") == option.get_attribute("id")
    page.keyboard.press("Escape")
    page.get_by_test_id("palette").wait_for(state="detached")
    assert button.evaluate("button => button === document.activeElement")
    task = hub.get("/api/tasks?limit=1").json["tasks"][0]
    page.keyboard.press("Control+k")
    page.keyboard.type(task["id"])
    page.get_by_test_id("palette-entry").filter(has_text=task["description"]).wait_for(timeout=5000)
    page.keyboard.press("Enter")
    wait_for(lambda: task["id"] in page.evaluate("location.href"), 5, "the page of the task")
    watched.check()


def test_A84_a_small_screen_needs_no_sideways_scrolling_and_its_targets_are_big_enough(hub: Hub, watch: Watch) -> None:
    watched = watch(viewport={"width": 320, "height": 568}, has_touch=True, is_mobile=True)
    for path, _ in PAGES.values():
        page = live(watched, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        for target in page.locator("button:visible, .rail a:visible").all():
            box = target.bounding_box()
            assert box and box["height"] >= 24 and box["width"] >= 24, (path, target.inner_text())
            assert box["x"] >= 0 and box["x"] + box["width"] <= 320, (path, target.inner_text())
    watched.check()


def test_A85_who_wants_no_motion_gets_none_and_forced_colours_keep_the_icons(hub: Hub, watch: Watch) -> None:
    page = live(watch(reduced_motion="reduce", forced_colors="active"))
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter(one => {"
        "  const style = getComputedStyle(one);"
        "  return style.animationName !== 'none' || (parseFloat(style.transitionDuration) || 0) > 0;"
        "}).map(one => one.className)"
    )
    assert moving == []
    icon = page.locator("[data-testid=health-pill] svg")
    assert icon.is_visible() and icon.bounding_box()["width"] >= 16
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_A86_the_theme_follows_the_system_until_somebody_chooses(hub: Hub, watch: Watch) -> None:
    watched = watch(color_scheme="light")
    page = live(watched)

    def background() -> str:
        return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    light = background()
    page.emulate_media(color_scheme="dark")
    dark = background()
    assert light != dark
    page.keyboard.press("t")
    assert background() == light and "light" in page.get_by_test_id("theme-button").inner_text()
    page.reload()
    page.get_by_test_id("theme-button").wait_for()
    assert background() == light, "the choice is kept"
    page.keyboard.press("t")
    assert background() == dark
    watched.check()


def test_A87_a_screen_reader_is_told_at_most_one_thing_in_five_seconds(hub: Hub, watch: Watch) -> None:
    watched = watch()
    watched.page.add_init_script(
        "window.spoken = [];"
        "addEventListener('load', () => new MutationObserver(([change]) => {"
        "  window.spoken.push([performance.now(), change.target.textContent]);"
        "}).observe(document.querySelector('[data-testid=announcer]'), {childList: true, characterData: true, subtree: true}));"
    )
    page = live(watched)
    page.wait_for_load_state("load")
    for said in (1, 2):
        for _ in range(4):  # another theme than before, as there are three
            page.keyboard.press("t")
            hub.submit("of somebody else")
        wait_for(lambda said=said: len(page.evaluate("window.spoken")) >= said, 15, "an announcement")  # type: ignore[misc]
    spoken = page.evaluate("window.spoken")
    assert all(later - earlier >= 4900 for (earlier, _), (later, _) in pairwise(spoken))
    assert {text.split(":")[0] for _, text in spoken} <= {"Theme", "Health"}, "what others do is not said"


def test_A04_the_page_works_below_a_path_of_a_proxy(hub: Hub, watch: Watch) -> None:
    task = hub.get("/api/tasks?limit=1").json["tasks"][0]
    with PathProxy(int(hub.url.rsplit(":", 1)[1]), "/x/y") as proxy:
        page = watch().page
        page.goto(f"{proxy.url}/")
        page.locator("[data-testid=connection-chip][data-phase=live]").wait_for(timeout=15_000)
        assert page.url == f"{proxy.url}/dashboard"
        page.get_by_role("link", name="Tasks", exact=True).click()
        page.get_by_text(task["description"]).first.wait_for(timeout=10_000)
        page.goto(f"{proxy.url}/tasks/{task['id']}")
        wait_for(lambda: heading(page) == task["description"], 15, "the task's page at its own address")
        page.get_by_role("link", name="Overview", exact=True).click()
        wait_for(lambda: page.get_by_test_id("counter-queued").inner_text().isdigit(), 10, "a number")
        assert page.url == f"{proxy.url}/dashboard"
