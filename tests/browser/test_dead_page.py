"""Dead letters by cause and their bulk operations, in a browser, by the ids of the acceptance criteria."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Watched
from tests.harness.hub import Hub
from tests.harness.seed import Mix, error_of, seed, status_of
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for

Watch = Callable[..., Watched]

MIX = Mix(7_000, dead=6_000)
SHAPES = ("timeout after N s while asking the model", "cannot open PATH: no such file", "KeyError: “…”")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One hub for the file: each test uses a group of its own, in the order in which they stand here."""
    folder = tmp_path_factory.mktemp("dead")
    seed(folder / "data", MIX, newest_ms=int(time.time() * 1000) - 120_000)
    with Hub(folder / "data", web_processes=1) as hub:
        yield hub


def deaths(cause: int) -> int:
    dead = [n for n in range(MIX.tasks) if status_of(MIX, n) == "dead_letter"]
    return sum(error_of(MIX, n) == error_of(MIX, 7 * cause).replace(str(7 * cause), str(n)) for n in dead)


def group(page: Any, shape: str) -> Any:
    return page.get_by_test_id("dead-group").filter(has_text=shape)


def known(hub: Hub, shape: str) -> Any:
    answer = hub.get("/api/dashboard/dead-letter/groups", token=None)
    return next(one for one in answer.json["groups"] if one["shape"] == shape)


def operation_of(page: Any) -> Any:
    return page.get_by_test_id("bulk-dialog").get_by_test_id("operation")


def read(hub: Hub, row: Any) -> Any:
    return hub.get(f"/api/operations/{row.get_attribute('data-operation')}", token=None).json


def confirm(page: Any) -> None:
    """Type the number that the dialog names, if it names one, and start."""
    dialog = page.get_by_test_id("bulk-dialog")
    dialog.get_by_test_id("bulk-start").wait_for()
    typed = dialog.get_by_test_id("bulk-typed")
    if typed.count():
        typed.fill(dialog.locator("h2").inner_text().split()[1].replace(",", ""))
    dialog.get_by_test_id("bulk-start").click()


def test_A40_three_causes_are_three_groups_with_their_numbers_and_times(full: Hub, watch: Watch, expect: Any) -> None:
    watched = watch(full)
    page = watched.open("/dead")
    expect(page.get_by_test_id("dead-group")).to_have_count(3)
    for cause, shape in enumerate(SHAPES):
        row = group(page, shape)
        expect(row.locator(".group-count")).to_have_text(f"{deaths(cause):,}")
        one = known(full, shape)
        times = row.locator("time").evaluate_all("all => all.map(time => Date.parse(time.dateTime))")
        assert times[:2] == [one["last_at"], one["first_at"]] and sum(one["by_lane"]) == one["count"] == deaths(cause)
    expect(page.get_by_test_id("dead-total")).to_contain_text("6,000 dead letters in 3 groups")
    group(page, SHAPES[0]).locator(".group-count").click()
    expect(page.get_by_test_id("total")).to_have_text(f"{deaths(0):,} tasks")
    watched.check()


def test_A41_A42_a_spread_retry_says_how_many_and_skips_what_others_retried(
    full: Hub, watch: Watch, expect: Any
) -> None:
    watched = watch(full)
    page = watched.open("/dead")
    group(page, SHAPES[0]).get_by_test_id("bulk-retry").click()
    dialog = page.get_by_test_id("bulk-dialog")
    expect(dialog.locator("h2")).to_have_text(f"Retry: {deaths(0):,} tasks")
    expect(dialog.get_by_role("listitem")).to_have_count(5)
    query = f"q=group:{known(full, SHAPES[0])['id']}+state:dead_letter&limit=50"
    taken = [task["id"] for task in full.get(f"/api/dashboard/tasks?{query}", token=None).json["tasks"]]
    for task_id in taken:
        assert full.post(f"/api/tasks/{task_id}/retry").status == 200
    dialog.get_by_label("Spread over").first.check()
    dialog.get_by_label("Seconds to spread over").fill("10")
    expect(dialog.get_by_test_id("bulk-start")).to_be_disabled()
    confirm(page)
    row = operation_of(page)
    expect(row).to_have_attribute("data-state", "running")
    expect(row).to_have_attribute("data-state", "finished", timeout=40_000)
    end = read(full, row)["operation"]
    assert (end["done"], end["skipped"], end["failed"]) == (deaths(0) - 50, 50, 0) and end["total"] == deaths(0)
    assert end["ended_at"] - end["made_at"] >= 9_000
    expect(row.get_by_test_id("operation-numbers")).to_contain_text("50 skipped")
    page.keyboard.press("Escape")
    expect(group(page, SHAPES[0]).get_by_test_id("last-retry")).to_contain_text(f"{end['done']:,} waiting")
    generations = full.get(f"/api/tasks?q=operation:{end['id']}&limit=500").json["tasks"]
    assert {task["generation"] for task in generations} == {2}  # handed out once, retried once
    watched.check()


def test_A43_an_operation_is_stopped_half_way_and_its_numbers_survive_a_reload(
    full: Hub, watch: Watch, expect: Any
) -> None:
    page = watch(full).open("/dead")
    group(page, SHAPES[1]).get_by_test_id("bulk-retry").click()
    dialog = page.get_by_test_id("bulk-dialog")
    dialog.get_by_label("Spread over").first.check()
    dialog.get_by_label("Seconds to spread over").fill("60")
    confirm(page)
    row = operation_of(page)
    wait_for(lambda: read(full, row)["operation"]["done"] > 60, 20, "some progress")
    row.get_by_role("button", name="Stop").click()
    expect(row).to_have_attribute("data-state", "cancelled")
    stopped = read(full, row)["operation"]
    page.reload()
    again = page.locator(f"[data-operation={stopped['id']}]")
    expect(again).to_have_attribute("data-state", "cancelled")
    expect(again.get_by_test_id("operation-numbers")).to_contain_text(f"{stopped['done']:,} retried")
    expect(group(page, SHAPES[1]).locator(".group-count")).to_have_text(f"{deaths(1) - stopped['done']:,}")
    assert read(full, again)["operation"] == stopped


def test_A44_many_are_discarded_only_after_their_number_was_typed_and_can_be_recovered(
    full: Hub, watch: Watch, expect: Any
) -> None:
    watched = watch(full)
    page = watched.open("/dead")
    group(page, SHAPES[2]).get_by_test_id("bulk-discard").click()
    start = page.get_by_test_id("bulk-start")
    expect(start).to_be_disabled()
    page.get_by_test_id("bulk-typed").fill("12")
    expect(start).to_be_disabled()
    page.get_by_test_id("bulk-typed").fill(str(deaths(2)))
    expect(start).to_be_enabled()
    start.click()
    expect(operation_of(page)).to_have_attribute("data-state", "finished", timeout=40_000)
    page.keyboard.press("Escape")
    page.goto(full.url + "/tasks?q=state:discarded")
    page.locator(".grid-body input[type=checkbox]").first.click()
    page.get_by_test_id("select-all").click()
    page.get_by_test_id("bulk-recover").click()
    confirm(page)
    expect(operation_of(page)).to_have_attribute("data-state", "finished", timeout=40_000)
    page.goto(full.url + "/dead")
    expect(group(page, SHAPES[2]).locator(".group-count")).to_have_text(f"{deaths(2):,}")
    watched.check()


def test_A45_nothing_follows_a_probe_that_fails_again(watch: Watch, expect: Any, tmp_path: Path) -> None:
    small = Mix(60, dead=40, causes=1)
    seed(tmp_path / "probe", small, newest_ms=int(time.time() * 1000) - 120_000)
    with Hub(tmp_path / "probe", web_processes=1) as hub:
        token = hub.agent_token("clumsy")
        agent = Socket(f"{hub.ws_url}/ws")
        hello = {
            "type": "identify",
            "agent_id": "clumsy",
            "token": token,
            "capabilities": list(small.needs),
            "slots": 9,
        }
        assert agent.ask(**hello)["type"] == "identified"
        page = watch(hub).open("/dead")
        group(page, SHAPES[0]).get_by_test_id("bulk-retry").click()
        page.get_by_label("Probe").first.check()
        confirm(page)
        row = operation_of(page)
        for _ in range(5):
            task = agent.hear_type("task_assign")
            about = {"task_id": task["task_id"], "generation": task["generation"]}
            agent.say(type="task_failed", error="timeout after 3 s while asking the model", **about)
        expect(row).to_have_attribute("data-state", "probe_failed", timeout=20_000)
        expect(row.get_by_test_id("operation-note")).to_contain_text("were not retried")
        ended = read(hub, row)["operation"]
        assert ended["done"] == 5 and hub.get("/api/tasks/stats").json["dead_letter"] == 35
        agent.close()


def test_a_hub_without_dead_letters_says_so(hub: Hub, watch: Watch, expect: Any) -> None:
    page = watch().open("/dead")
    expect(page.get_by_test_id("empty-dead")).to_contain_text("No dead letters.")


def test_a_cause_is_muted_with_a_note_and_unmuted(hub: Hub, watch: Watch, expect: Any) -> None:
    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="clumsy", token=hub.agent_token("clumsy"))
    hub.submit("to fail", max_retries=1)
    frame = agent.hear_type("task_assign")
    agent.ask(type="task_failed", task_id=frame["task_id"], generation=frame["generation"], error="no route to host")
    watched = watch()
    page = watched.open("/dead")
    page.get_by_role("button", name="Mute: no route to host").click()
    dialog = page.get_by_test_id("mute-dialog")
    dialog.get_by_label("For").select_option("86400")
    dialog.get_by_label("Note").fill("<b>the router</b> is on its way")
    dialog.get_by_role("button", name="Mute", exact=True).click()
    muted = page.get_by_test_id("muted")
    expect(muted).to_contain_text("Muted by dashboard until")
    expect(muted).to_contain_text("or 11 tasks: <b>the router</b> is on its way")
    [group] = hub.get("/api/dashboard/dead-letter/groups", token=None).json["groups"]
    assert group["muted"]["until"] - group["muted"]["at"] == 86_400_000
    expect(page.get_by_role("button", name="Mute: no route to host")).to_have_count(0)
    muted.get_by_role("button", name="Unmute").click()
    expect(muted).to_have_count(0)
    expect(page.get_by_role("button", name="Mute: no route to host")).to_be_visible()
    agent.close()
    watched.check()
