"""The list of a hundred thousand tasks: found, scrolled, sorted, kept, acted on; by the ids of the acceptance criteria."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.browser.conftest import Watched
from tests.harness.hub import Hub
from tests.harness.seed import Mix, seed
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for

Watch = Callable[..., Watched]

MIX = Mix(100_000, queued=1_000, dead=3_000, cancelled=500)
PAGE = "/api/dashboard/tasks?"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One hub for the whole file; its tests change little."""
    folder = tmp_path_factory.mktemp("full")
    seed(folder / "data", MIX, newest_ms=int(time.time() * 1000) - 120_000)
    with Hub(folder / "data", web_processes=1) as hub:
        yield hub


def rows(page: Any) -> Any:
    return page.get_by_test_id("task-row")


def total(page: Any) -> Any:
    return page.get_by_test_id("total")


def listed(hub: Hub, **query: Any) -> Any:
    answer = hub.get(f"{PAGE}{urlencode(query)}", token=None)
    assert answer.status == 200, answer.json
    return answer.json


def shown_ids(page: Any) -> list[str]:
    """In the order of their places."""
    script = """[...document.querySelectorAll('.grid-body [data-task-id]')]
        .sort((a, b) => a.dataset.place - b.dataset.place).map(row => row.dataset.taskId)"""
    found: list[str] = page.evaluate(script)
    return found


def scroll_to_part(page: Any, part: float) -> None:
    page.get_by_test_id("task-scroller").evaluate("(box, part) => { box.scrollTop = part * box.scrollHeight; }", part)


def test_A30_a_hundred_thousand_rows_are_scrolled_to_their_end_in_small_answers(
    full: Hub, watch: Watch, expect: Any
) -> None:
    watched = watch(full)
    sizes: list[int] = []
    watched.page.on("response", lambda answer: PAGE in answer.url and sizes.append(answer.json()["count"]))
    page = watched.open("/tasks")
    expect(total(page)).to_have_text("100,000 tasks")
    last = listed(full, page="before", limit=5)["tasks"]
    scroll_to_part(page, 1.0)
    expect(rows(page).filter(has_text=last[-1]["title"])).to_be_visible()
    assert page.locator(".task-grid *").count() <= 600
    assert page.locator(".grid-body .grid-row").last.get_attribute("aria-rowindex") == "100001"
    scroll_to_part(page, 0.5)
    expect(page.locator('.grid-body [data-place="50005"]')).to_be_visible()
    middle = int(page.locator('.grid-body [data-place="50005"]').inner_text().split()[1].rstrip(":"))
    assert abs(middle - (100_000 - 50_005)) <= 200
    assert page.locator(".task-grid *").count() <= 600
    scroll_to_part(page, 0.0)
    expect(page.locator('.grid-body [data-place="0"]')).to_be_visible()
    assert sizes and max(sizes) <= 100
    watched.check()


def test_rows_join_without_a_hole_as_the_list_is_scrolled(full: Hub, watch: Watch, expect: Any) -> None:
    page = watch(full).open("/tasks")
    expect(rows(page).first).to_be_visible()
    wanted: list[str] = []
    cursor = None
    for _ in range(4):
        answer = listed(full, q="", **({"cursor": cursor} if cursor else {}))
        wanted += [task["id"] for task in answer["tasks"]]
        cursor = answer["next_cursor"]
    for place in (90, 190, 290):
        page.get_by_test_id("task-scroller").evaluate("(box, top) => { box.scrollTop = top; }", place * 34)
        expect(page.locator(f'.grid-body [data-task-id][data-place="{place + 12}"]')).to_be_visible()
        found = shown_ids(page)
        at = wanted.index(found[0])
        assert found == wanted[at : at + len(found)] and len(found) > 15


def test_A31_a_filter_is_typed_with_suggestions_and_no_mouse(full: Hub, watch: Watch, expect: Any) -> None:
    watched = watch(full)
    page = watched.open("/tasks")
    expect(rows(page).first).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_test_id("filter-input")).to_be_focused()
    page.keyboard.type("sta")
    expect(page.get_by_test_id("suggestion").first).to_contain_text("state:")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("dead")
    expect(page.get_by_test_id("suggestion").first).to_contain_text("state:dead_letter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("agent:agent-1")
    expect(page.get_by_test_id("suggestion").first).to_contain_text("agent:agent-1")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("filter-chip")).to_have_count(2)
    query = "state:dead_letter agent:agent-1"
    assert f"q={quote(query, safe='').replace('%20', '+')}" in page.url
    answer = listed(full, q=query, total=1)
    expect(total(page)).to_have_text(f"{answer['total']['count']} tasks")
    wait_for(lambda: shown_ids(page)[:10] == [task["id"] for task in answer["tasks"][:10]], 10, "the same rows")
    other = watch(full).open(page.url.removeprefix(full.url))
    expect(total(other)).to_have_text(f"{answer['total']['count']} tasks")
    wait_for(lambda: shown_ids(other)[:10] == shown_ids(page)[:10], 10, "the same list at the same address")
    page.keyboard.press("Backspace")
    expect(page.get_by_test_id("filter-chip")).to_have_count(1)
    expect(page.get_by_test_id("filter-input")).to_have_value("agent:agent-1")
    watched.check()


def test_A32_an_unknown_key_names_the_nearest_and_nothing_is_asked(full: Hub, watch: Watch, expect: Any) -> None:
    watched = watch(full)
    asked: list[str] = []
    page = watched.open("/tasks")
    expect(rows(page).first).to_be_visible()
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_test_id("filter-input").fill("agnet:anna")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("filter-fault")).to_contain_text("Did you mean agent:?")
    assert not [url for url in asked if PAGE in url and "agnet" in url]
    assert "agnet" not in page.url
    opened = watch(full).open("/tasks?q=agnet:anna")
    expect(opened.get_by_test_id("empty-tasks")).to_contain_text("did you mean agent:?")


def test_A33_a_total_beyond_the_limit_is_more_than_until_it_is_counted(full: Hub, watch: Watch, expect: Any) -> None:
    watched = watch(full)
    query = "-agent:nobody tokens:<4000"
    page = watched.open(f"/tasks?q={quote(query)}")
    expect(total(page)).to_have_text("10,000+ tasks")
    page.get_by_role("button", name="Count exactly").click()
    exact = full.get(f"/api/dashboard/tasks/count?{urlencode({'q': query, 'exact': 1})}", token=None).json
    assert exact["is_exact"] and exact["count"] > 10_000
    expect(total(page)).to_have_text(f"{exact['count']:,} tasks")
    watched.check()


def test_one_task_among_a_hundred_thousand_is_found_at_once_and_known_to_be_the_only_one(full: Hub) -> None:
    rare = listed(full, q='"Task 7:"', total=1)
    assert rare["total"] == {"count": 1, "is_exact": True} and rare["count"] == 1 and not rare["stopped"]


def test_A34_a_view_is_saved_renamed_and_deleted_and_keeps_its_place(full: Hub, watch: Watch, expect: Any) -> None:
    watched = watch(full)
    page = watched.open("/tasks?q=state:cancelled")
    for name in ("Gone", "Also gone"):
        page.get_by_role("button", name="Save view").click()
        page.get_by_test_id("save-view").get_by_role("textbox").fill(name)
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("save-view")).to_be_hidden()
    page.get_by_role("button", name="Edit views").click()
    page.get_by_label("Name of Gone").fill("Given up")
    page.keyboard.press("Enter")
    page.get_by_test_id("manage-views").get_by_role("button", name="Close").click()
    page.goto(full.url + "/tasks")
    names = page.locator("nav.views .view").all_inner_texts()
    assert names[-2:] == ["Given up", "Also gone"] and names[:2] == ["All", "Waiting"]
    page.get_by_role("button", name="Given up").click()
    expect(total(page)).to_have_text(f"{listed(full, q='state:cancelled', total=1)['total']['count']:,} tasks")
    page.get_by_role("button", name="Edit views").click()
    page.get_by_role("button", name="Delete Given up").click()
    page.reload()
    expect(page.locator("nav.views .view").last).to_have_text("Also gone")
    watched.check()


@pytest.mark.parametrize(
    ("query", "column", "sorts"),
    [
        ("", "Created", ("created", "-created")),
        ("state:queued", "Lane", ("lane", "-lane")),
        ("state:completed", "Ended", ("-ended", "ended")),
    ],
)
def test_A35_a_column_is_sorted_both_ways_as_the_api_sorts(
    full: Hub, watch: Watch, expect: Any, query: str, column: str, sorts: tuple[str, str]
) -> None:
    page = watch(full).open(f"/tasks?q={query}")
    for sort in sorts:
        page.get_by_role("columnheader", name=column).get_by_role("button").click()
        direction = "descending" if sort.startswith("-") else "ascending"
        expect(page.get_by_role("columnheader", name=column)).to_have_attribute("aria-sort", direction)
        wanted = [task["id"] for task in listed(full, q=query, sort=sort, limit=10)["tasks"]]
        wait_for(lambda wanted=wanted: shown_ids(page)[:10] == wanted, 10, f"the order {sort}")


def test_a_column_without_an_index_says_what_to_filter_by(full: Hub, watch: Watch, expect: Any) -> None:
    page = watch(full).open("/tasks")
    lane = page.get_by_role("columnheader", name="Lane").get_by_role("button")
    expect(lane).to_have_attribute("aria-disabled", "true")
    expect(lane).to_have_attribute("title", "To sort by this, filter by state:queued or state:assigned.")


def test_a_selection_by_keys_and_by_shift_is_acted_on_and_everything_else_left(
    full: Hub, watch: Watch, expect: Any
) -> None:
    watched = watch(full)
    page = watched.open("/tasks?q=state:queued lane:low")
    expect(rows(page).first).to_be_visible()
    before = int(total(page).inner_text().split()[0].replace(",", ""))
    page.keyboard.press("j")
    page.keyboard.press("x")
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("X")
    bar = page.get_by_test_id("selection-bar")
    expect(bar).to_contain_text("4 selected")
    page.locator(".grid-body input[type=checkbox]").nth(4).click()
    page.locator(".grid-body input[type=checkbox]").nth(6).click(modifiers=["Shift"])
    expect(bar).to_contain_text("7 selected")
    expect(bar).to_contain_text(f"Select all {before} that match")
    chosen = shown_ids(page)[:7]
    page.get_by_test_id("bulk-cancel").click()
    page.get_by_test_id("bulk-start").click()
    expect(page.get_by_test_id("bulk-dialog").get_by_test_id("operation")).to_have_attribute("data-state", "finished")
    assert {full.task(one)["status"] for one in chosen} == {"cancelled"}
    assert listed(full, q="state:queued lane:low", total=1)["total"]["count"] == before - 7
    watched.check()


def test_all_that_match_are_reassigned_to_an_agent_that_is_there(hub: Hub, watch: Watch, expect: Any) -> None:
    task_ids = {hub.submit(f"stranded {number}", assign_to="nobody") for number in range(3)}
    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="rescuer", token=hub.agent_token("rescuer"), slots=3)
    watched = watch()
    page = watched.open(f"/tasks?q={quote('state:queued')}")
    expect(rows(page)).to_have_count(3)
    page.locator(".grid-body input[type=checkbox]").first.click()
    page.get_by_test_id("select-all").click()
    page.get_by_test_id("bulk-reassign").click()
    dialog = page.get_by_test_id("bulk-dialog")
    expect(dialog).to_contain_text("3 tasks will wait for whom you name")
    dialog.get_by_test_id("bulk-agent").fill("nobody-knows-it")
    dialog.get_by_test_id("bulk-start").click()
    expect(dialog.get_by_test_id("bulk-problem")).to_contain_text("nobody knows an agent nobody-knows-it")
    assert dialog.locator("datalist option").evaluate_all("all => all.map(one => one.value)") == ["rescuer"]
    dialog.get_by_test_id("bulk-agent").fill("rescuer")
    dialog.get_by_test_id("bulk-start").click()
    expect(dialog.get_by_test_id("operation")).to_have_attribute("data-state", "finished", timeout=20_000)
    expect(dialog).to_contain_text("Reassign to rescuer")
    assert {agent.hear_type("task_assign")["task_id"] for _ in task_ids} == task_ids
    page.goto(f"{hub.url}/tasks/{next(iter(task_ids))}")
    expect(page.get_by_test_id("history")).to_contain_text(
        "Reassigned from nobody to rescuer by dashboard in operation op-"
    )
    agent.close()
    assert all("409 (Conflict)" in fault for fault in watched.faults), (
        "the browser's own word of the refusal, and no other"
    )


def test_a_selection_and_all_that_match_are_saved_as_files(
    full: Hub, watch: Watch, expect: Any, tmp_path: Path
) -> None:
    watched = watch(full)
    page = watched.open("/tasks?q=state:dead_letter lane:high")
    page.locator(".grid-body input[type=checkbox]").first.click()
    [chosen, *_] = shown_ids(page)
    export = page.get_by_test_id("export")

    def saved(name: str) -> str:
        with page.expect_download() as begun:
            export.get_by_role("link", name=name).click()
        path = tmp_path / begun.value.suggested_filename
        begun.value.save_as(path)
        return path.read_text(encoding="utf-8")

    assert [json.loads(line)["id"] for line in saved("Export JSON").splitlines()] == [chosen]
    page.get_by_test_id("select-all").click()
    matching = listed(full, q="state:dead_letter lane:high", total=1)["total"]["count"]
    table = list(csv.DictReader(io.StringIO(saved("Export CSV"))))
    assert len(table) == matching > 1 and {row["lane"] for row in table} == {"high"}
    watched.check()


def test_new_tasks_wait_behind_a_button_and_rows_change_in_place(full: Hub, watch: Watch, expect: Any) -> None:
    page = watch(full).open("/tasks?q=state:queued")
    expect(rows(page).first).to_be_visible()
    [first, second, *_] = shown_ids(page)
    new = full.submit("brand new", needed_capabilities=["nobody"])
    expect(page.get_by_test_id("newer")).to_have_text("1 new", timeout=10_000)
    assert shown_ids(page)[:2] == [first, second]
    page.get_by_test_id("newer").click()
    expect(rows(page).filter(has_text="brand new")).to_be_visible()
    assert shown_ids(page)[0] == new


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [1440, 320])
def test_A80_axe_finds_nothing_and_the_lists_fit_the_window(full: Hub, watch: Watch, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="NOT TESTED: axe is not installed")
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}
    page = watch(full, color_scheme=scheme, viewport={"width": width, "height": 844}).open("/tasks?q=state:dead_letter")
    page.wait_for_selector("[data-testid=task-row]")

    def check(what: str) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width, what
        found = axe.Axe().run(page, options=tags)
        assert found.violations_count == 0, f"{what}: {found.generate_report()}"

    page.locator(".grid-body input[type=checkbox]").first.click()
    check("a list with a selection")
    page.get_by_test_id("bulk-retry").click()
    page.wait_for_selector("[data-testid=bulk-start]")
    check("the confirmation")
    page.keyboard.press("Escape")
    page.get_by_test_id("filter-input").fill("state:")
    page.wait_for_selector("[data-testid=suggestion]")
    check("suggestions")
    page.goto(full.url + "/dead")
    page.wait_for_selector("[data-testid=dead-group]")
    check("groups")


def test_A18_a_confirmation_means_what_it_was_opened_with_whatever_the_list_does_meanwhile(
    hub: Hub, watch: Watch, expect: Any
) -> None:
    chosen = hub.submit("the one that is meant", assign_to="nobody")
    others = [hub.submit(f"another {n}", assign_to="nobody") for n in range(3)]
    watched = watch()
    page = watched.open(f"/tasks?q={quote('state:queued')}&sort=lane")
    expect(rows(page)).to_have_count(4)
    page.locator(f"[data-task-id={chosen}] input").check()
    with page.expect_request("**/api/operations/preview") as asked:
        page.get_by_test_id("bulk-cancel").click()
    assert asked.value.post_data_json["ids"] == [chosen]
    dialog = page.get_by_test_id("bulk-dialog")
    expect(dialog.get_by_role("listitem")).to_contain_text("the one that is meant")
    others += [hub.submit(f"more urgent {n}", assign_to="nobody", priority="urgent") for n in range(3)]
    assert hub.post(f"/api/tasks/{chosen}/lane", {"lane": "low"}).status == 200
    expect(page.locator(f"[data-task-id={chosen}]")).to_contain_text("low")  # the list behind the dialog follows
    with page.expect_request("**/api/operations") as begun:
        dialog.get_by_test_id("bulk-start").click()
    assert begun.value.post_data_json["preview"]
    expect(dialog.get_by_test_id("operation")).to_have_attribute("data-state", "finished", timeout=20_000)
    assert hub.task(chosen)["status"] == "cancelled"
    assert {hub.task(one)["status"] for one in others} == {"queued"}
    watched.check()


def test_A21_what_is_done_in_one_tab_is_seen_in_the_others(hub: Hub, watch: Watch, expect: Any) -> None:
    """Of one hub, as a second one beside it is not built."""
    task_id = hub.submit("seen by two", assign_to="nobody")
    one, two, three = watch(), watch(), watch()
    acting, listing, counting = one.open(f"/tasks/{task_id}"), two.open("/tasks"), three.open("/")
    for page in (acting, listing, counting):
        page.locator("[data-testid=connection-chip][data-phase=live]").wait_for(timeout=10_000)
    row = listing.locator(f"[data-task-id={task_id}]")
    expect(row).to_contain_text("Queued")
    expect(counting.get_by_test_id("counter-queued")).to_have_text("1")
    acting.get_by_role("button", name="Cancel", exact=True).click()
    acting.get_by_test_id("cancel-dialog").get_by_role("button", name="Cancel the task").click()
    expect(row).to_contain_text("Cancelled", timeout=3_000)
    expect(counting.get_by_test_id("counter-queued")).to_have_text("0", timeout=3_000)
    expect(acting.locator(".task-head .state").first).to_have_text("Cancelled", timeout=3_000)
    for watched in (one, two, three):
        watched.check()
