"""The page of one task, in a real browser against a real hub with a real agent: acceptance criteria A13, A19, A50 to A56, A59."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Watched
from tests.harness.hub import Hub, is_running
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for
from tests.harness.worker import Worker, waits_for

Watch = Callable[..., Watched]

NUMBER = 2**53 + 1


@pytest.fixture
def worker(hub: Hub, tmp_path: Path) -> Iterator[Worker]:
    with Worker(hub, tmp_path / "worker", "worker", "python") as started:
        yield started


def details(hub: Hub, task_id: str) -> dict[str, Any]:
    found: dict[str, Any] = hub.get(f"/api/dashboard/tasks/{task_id}", token=None).json
    return found


def shows_live(page: Any) -> None:
    page.get_by_test_id("connection-chip").get_by_text("Live").wait_for(timeout=10_000)


def is_at(page: Any, expect: Any, place: str) -> None:
    """Where the page shows the task, in its head and in the picture of its way."""
    expect(page.get_by_test_id("path")).to_have_attribute("data-at", place, timeout=20_000)
    expect(page.locator(".task-head .state").first).to_have_text(place.capitalize())


def test_A50_and_A51_a_waiting_task_says_why_and_goes_on_before_ones_eyes(
    hub: Hub, watch: Watch, worker: Worker, expect: Any, tmp_path: Path
) -> None:
    metadata = {"program": "print('on the gpu')", "folder": "."}
    task_id = hub.submit("Train it", needed_capabilities=["gpu"], metadata=metadata)
    busy = worker.submit(waits_for("go"))
    hub.wait_for_status(busy, "assigned")
    reasons = {
        "agents_busy": hub.submit("behind it", needed_capabilities=["python"]),
        "pinned_agent_busy": worker.submit("pass"),
        "pinned_agent_offline": hub.submit("for nobody", assign_to="nobody"),
    }
    watched = watch()
    page = watched.open(f"/tasks/{task_id}")
    expect(page.get_by_test_id("why")).to_have_attribute("data-reason", "no_capable_agent")
    expect(page.get_by_test_id("why")).to_contain_text("lacks gpu")
    for reason, other in reasons.items():
        page.goto(f"{hub.url}/tasks/{other}")
        expect(page.get_by_test_id("why")).to_have_attribute("data-reason", reason)
    page.goto(f"{hub.url}/tasks/{task_id}")
    shows_live(page)
    with Worker(hub, tmp_path / "gpu", "gpu-box", "gpu"):
        is_at(page, expect, "completed")
        expect(page.get_by_test_id("why")).to_have_count(0)
        expect(page.get_by_test_id("output-lines")).to_contain_text("on the gpu")
    worker.note("go").touch()
    watched.check()


def test_A51_each_cause_of_waiting_is_told_by_its_own_reason(hub: Hub, watch: Watch, expect: Any) -> None:
    """Those that A50 leaves. Nothing waits for paused lanes, dependencies, limits or a later start, as these are not built."""

    def agent(name: str, *capabilities: str) -> Socket:
        socket = Socket(f"{hub.ws_url}/ws")
        hello = {"agent_id": name, "token": hub.agent_token(name), "capabilities": list(capabilities)}
        assert socket.ask(type="identify", **hello)["type"] == "identified"
        return socket

    watched = watch()
    page = watched.page

    def says(task_id: str, reason: str, words: str) -> None:
        watched.open(f"/tasks/{task_id}")
        expect(page.get_by_test_id("why")).to_have_attribute("data-reason", reason, timeout=10_000)
        expect(page.get_by_test_id("why")).to_contain_text(words)

    alone = hub.submit("alone", needed_capabilities=["sew"])
    says(alone, "no_agents", "No agent is connected.")
    clumsy, resting = agent("clumsy", "fall"), agent("resting", "sew")
    resting.hear_type("task_assign")
    assert hub.post("/api/agents/resting/pause").status == 200
    resting.ask(type="task_complete", task_id=alone, generation=1)
    says(hub.submit("for one that rests", assign_to="resting"), "pinned_agent_paused", "is paused")
    says(hub.submit("sew on", needed_capabilities=["sew"]), "agents_paused", "is paused or drains: resting")
    fallen = hub.submit("fall", needed_capabilities=["fall"], max_retries=6)
    for generation in (1, 3, 5):  # each wait is twice as long as the one before
        clumsy.hear_type("task_assign", 30)
        clumsy.ask(type="task_failed", task_id=fallen, generation=generation, error="it fell")
    says(fallen, "back_off", "the next one begins in")
    watched.check()
    clumsy.close()
    resting.close()


def test_A52_each_attempt_has_a_bar_with_its_true_length(hub: Hub, watch: Watch, expect: Any) -> None:
    task_id = hub.submit("Try hard", needed_capabilities=["x"], max_retries=3)
    ends = [("one", "task_failed"), ("two", "task_failed"), ("one", "task_complete")]
    for generation, (name, end) in zip((1, 3, 5), ends, strict=True):
        agent = Socket(f"{hub.ws_url}/ws")
        agent.ask(type="identify", agent_id=name, token=hub.agent_token(name), capabilities=["x"])
        agent.hear_type("task_assign", 30)
        agent.ask(type="task_accepted", task_id=task_id, generation=generation)
        agent.ask(type=end, task_id=task_id, generation=generation, error="no luck", result={})
        agent.close()
    page = watch().open(f"/tasks/{task_id}")
    expect(page.get_by_test_id("attempt")).to_have_count(3)
    attempts = details(hub, task_id)["attempts"]
    for place, attempt in enumerate(attempts):
        row = page.get_by_test_id("attempt").nth(place)
        shown = float(row.get_attribute("data-duration-ms"))
        assert abs(shown - attempt["duration_ms"]) <= 1000 and shown >= 0
        assert attempt["agent_id"] in row.inner_text()
        bars = row.locator("rect").evaluate_all(
            "all => all.map(one => [+one.getAttribute('x'), +one.getAttribute('width')])"
        )
        assert len(bars) >= 3 and all(x >= 0 and width >= 0 and x + width <= 1000.001 for x, width in bars)
    assert [one["outcome"] for one in attempts] == ["failed", "failed", "completed"]


def test_A53_fifty_thousand_lines_are_followed_and_searched(
    hub: Hub, watch: Watch, worker: Worker, expect: Any
) -> None:
    prints = "for n in range(1, 50_001): print(f'line {n} of the flood')\n"
    task_id = worker.submit(prints + waits_for("more") + "print('the needle')\n" + waits_for("go"))
    wait_for(lambda: _last_seq(hub, task_id) == 50_000, 60, "all lines")
    watched = watch()
    page = watched.open(f"/tasks/{task_id}")
    lines = page.get_by_test_id("output-lines")
    expect(lines).to_contain_text("line 50000 of the flood", timeout=10_000)
    shows_live(page)
    assert 100 < lines.locator(".log-line").count() <= 5000
    assert _is_at_end(lines)
    worker.note("more").touch()
    expect(lines).to_contain_text("the needle", timeout=10_000)
    wait_for(lambda: _is_at_end(lines), 5, "following")
    assert lines.locator(".log-line").count() <= 5000
    lines.hover()
    page.mouse.wheel(0, -3000)
    follow = page.get_by_role("button", name="Follow", exact=True)
    expect(follow).to_have_attribute("aria-pressed", "false")
    page.get_by_label("Search the output").fill("NEEDLE")
    page.get_by_role("button", name="Next match").click()
    expect(lines.locator(".log-current")).to_have_text("the needle")
    follow.click()
    wait_for(lambda: _is_at_end(lines), 5, "following again")
    with page.expect_download() as download:
        page.get_by_text("Download", exact=True).click()
    assert Path(download.value.path()).read_text().endswith("line 50000 of the flood\nthe needle\n")
    worker.note("go").touch()
    is_at(page, expect, "completed")
    expect(lines).to_contain_text("the needle")
    watched.check()


def _last_seq(hub: Hub, task_id: str) -> int:
    return int(hub.get(f"/api/dashboard/tasks/{task_id}/output?limit=1", token=None).json["last_seq"])


def _is_at_end(lines: Any) -> bool:
    return bool(lines.evaluate("one => one.scrollHeight - one.scrollTop - one.clientHeight < 30"))


def test_what_a_task_printed_last_is_on_its_page_after_the_hub_was_restarted(
    hub: Hub, watch: Watch, worker: Worker, expect: Any
) -> None:
    task_id = worker.submit("print('first'); print('last')")
    hub.wait_for_status(task_id, "completed", 30)
    watched = watch()
    page = watched.open(f"/tasks/{task_id}")
    lines = page.get_by_test_id("output-lines").locator(".log-line")
    expect(lines).to_have_text(["first", "last"], timeout=15_000)
    hub.stop()
    hub.start()
    page.reload()
    expect(lines).to_have_text(["first", "last"], timeout=15_000)


def test_A54_numbers_are_exact_and_large_content_is_closed_until_it_is_opened(
    hub: Hub, watch: Watch, expect: Any
) -> None:
    deep: Any = NUMBER
    for _ in range(20):
        deep = {"deeper": deep}
    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="big", token=hub.agent_token("big"))
    task_id = hub.submit("Carry much", assign_to="big")
    agent.hear_type("task_assign")
    result = {"words": ["w" * 100] * 2000}
    assert agent.ask(type="task_complete", task_id=task_id, generation=1, result=result)["type"] == "task_ack"
    agent.close()
    hub.stop()
    with sqlite3.connect(hub.data_dir / "hub.db") as database:  # the hub itself takes no number that a page may misread
        database.execute("UPDATE content SET metadata = ?", (json.dumps({"number": NUMBER, "deep": deep}),))
    database.close()
    hub.start()
    watched = watch()
    page = watched.open(f"/tasks/{task_id}")
    metadata, shown = (
        page.get_by_role("group", name="Metadata", exact=True),
        page.get_by_role("group", name="Result", exact=True),
    )
    expect(metadata).to_contain_text(f"number: {NUMBER}")
    assert "wwww" not in shown.inner_text()
    for depth in range(20):
        metadata.get_by_role("button", name="deeper" if depth else "deep").last.click()
    expect(metadata.locator(".json-number").last).to_have_text(str(NUMBER))
    shown.get_by_role("button", name="words").click()
    expect(shown.locator(".json-string")).to_have_count(100)
    watched.check()
    page.get_by_role("button", name="Duplicate and edit").click()
    dialog = page.get_by_test_id("duplicate-dialog")
    assert f'"number": {NUMBER}' in dialog.get_by_label("Metadata (JSON)").input_value()
    dialog.get_by_role("button", name="Queue the new task").click()
    expect(dialog.get_by_role("alert")).to_be_visible()  # refused, and not queued with another number


HOSTILE = ["<img src=x onerror=alert(1)>", "\u202egnp.exe", "W" * 10_000, "</script><script>alert(1)</script>"]


def test_A55_hostile_text_is_text_in_title_error_output_and_content(hub: Hub, watch: Watch, expect: Any) -> None:
    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="evil", token=hub.agent_token("evil"), name="<b>evil</b>")
    for words in HOSTILE:
        task_id = hub.submit(words, max_retries=1, metadata={words[:200]: words}, assign_to="evil")
        agent.hear_type("task_assign")
        lines = [["out", words], ["err", f"\x1b[31m{words}\x1b[0m\x1b]0;title\x07"]]
        agent.say(type="task_output", task_id=task_id, generation=1, seq=1, lines=lines)
        agent.ask(type="task_failed", task_id=task_id, generation=1, error=words)
        watched = watch()
        dialogs: list[str] = []
        watched.page.on("dialog", lambda dialog, seen=dialogs: (seen.append(dialog.message), dialog.dismiss()))
        page = watched.open(f"/tasks/{task_id}")
        lines_shown = page.get_by_test_id("output-lines")
        expect(lines_shown.locator(".log-line")).to_have_count(2)
        readable = words.replace("\u202e", "\ufffd")  # what would turn the rest of the line
        assert lines_shown.locator(".log-line").all_inner_texts() == [readable, readable]
        expect(page.get_by_test_id("task-title")).to_have_text(readable)
        assert lines_shown.locator(".ansi-red").count() == 1
        assert page.locator("img[src=x], b, main script").count() == 0
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert dialogs == []
        watched.check()
    agent.close()


def test_A56_cancelling_a_running_task_ends_its_process(hub: Hub, watch: Watch, worker: Worker, expect: Any) -> None:
    task_id = worker.submit("print(os.getpid())" + waits_for("never"))
    watched = watch()
    page = watched.open(f"/tasks/{task_id}")
    line = page.get_by_test_id("output-lines").locator(".log-line").first
    line.wait_for(timeout=15_000)
    pid = int(line.inner_text())
    assert is_running(pid)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_test_id("cancel-dialog").get_by_role("button", name="Cancel the task").click()
    is_at(page, expect, "cancelled")
    assert hub.task(task_id)["status"] == "cancelled"
    wait_for(lambda: not is_running(pid), 15, "the end of the process")
    expect(page.get_by_test_id("history")).to_contain_text("by dashboard")
    watched.check()


def test_a_dead_letter_is_discarded_taken_back_and_retried_from_its_page(
    hub: Hub, watch: Watch, worker: Worker, expect: Any
) -> None:
    task_id = worker.submit("sys.exit('it slipped')", max_retries=1)
    hub.wait_for_status(task_id, "dead_letter", 30)
    watched = watch()
    page = watched.open(f"/tasks/{task_id}")
    expect(page.get_by_role("region", name="Error")).to_contain_text("exit status 1: it slipped")
    page.get_by_role("button", name="Discard", exact=True).click()
    page.get_by_test_id("discard-dialog").get_by_role("button", name="Discard the task").click()
    is_at(page, expect, "cancelled")
    page.get_by_role("button", name="Take back", exact=True).click()
    expect(page.get_by_test_id("path")).to_have_attribute("data-at", "dead", timeout=10_000)
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_test_id("attempt")).to_have_count(2, timeout=20_000)
    told = page.get_by_test_id("history")
    for words in ("Discarded by", "Taken back among the dead letters by", "Retried by"):
        expect(told).to_contain_text(f"{words} dashboard on the page")
    watched.check()


def test_A59_a_duplicate_is_edited_queued_and_linked(hub: Hub, watch: Watch, expect: Any) -> None:
    original = hub.submit("Paint it blue", assign_to="nobody", metadata={"colour": "blue", "coats": 2}, priority="low")
    before = hub.task(original)
    watched = watch()
    page = watched.open(f"/tasks/{original}")
    page.get_by_role("button", name="Duplicate and edit").click()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    dialog = page.get_by_test_id("duplicate-dialog")
    expect(dialog.get_by_label("Lane")).to_have_value("low")
    dialog.get_by_label("Metadata (JSON)").fill("{not json")
    dialog.get_by_role("button", name="Queue the new task").click()
    expect(dialog.get_by_role("alert")).to_contain_text("must be a JSON object")
    dialog.get_by_label("Metadata (JSON)").fill('{"colour": "red"}')
    dialog.get_by_label("What is to be done").fill("Paint it red")
    dialog.get_by_label("Lane").select_option("urgent")
    dialog.get_by_role("button", name="Queue the new task").click()
    expect(page.get_by_test_id("task-title")).to_have_text("Paint it red")
    made = page.url.rsplit("/", 1)[1]
    task = hub.task(made)
    assert (task["description"], task["metadata"], task["priority"], task["assign_to"], task["duplicate_of"]) == (
        *("Paint it red", {"colour": "red"}, 0),
        *("nobody", original),
    )
    page.get_by_test_id("relatives").get_by_text(original).click()
    expect(page.get_by_test_id("relatives")).to_contain_text(f"Duplicated as {made}")
    assert hub.task(original) == before
    watched.check()


def test_A13_a_frame_that_is_lost_on_the_way_is_noticed(hub: Hub, watch: Watch, expect: Any) -> None:
    watched = watch()
    dropped: list[str] = []

    def relay(route: Any) -> None:
        server = route.connect_to_server()

        def pass_on(message: str) -> None:
            if not dropped and '"type":"events"' in message:
                dropped.append(message)
            else:
                route.send(message)

        server.on_message(pass_on)

    watched.page.route_web_socket(f"{hub.ws_url}/ws/dashboard?protocol=2", relay)
    page = watched.open("/")
    shows_live(page)
    hub.submit("lost", assign_to="nobody")
    wait_for(lambda: page.evaluate("1") and bool(dropped), 10, "the loss")
    hub.submit("seen", assign_to="nobody")
    expect(page.get_by_test_id("counter-queued")).to_have_text("2", timeout=3_000)
    watched.check()


def test_A19_nothing_travels_to_a_page_that_nobody_sees(hub: Hub, watch: Watch, worker: Worker, expect: Any) -> None:
    task_id = worker.submit(
        "n = 0\nwhile not (Path(task['metadata']['folder']) / 'go').exists(): n += 1; print(n); time.sleep(0.01)\n"
    )
    watched = watch()
    page = watched.page
    frames: list[str] = []
    sockets: list[Any] = []
    page.on("websocket", lambda ws: (sockets.append(ws), ws.on("framereceived", lambda data: frames.append(str(data)))))
    page.clock.install()
    watched.open(f"/tasks/{task_id}")
    shows_live(page)
    expect(page.get_by_test_id("output-lines")).not_to_be_empty()
    page.evaluate(_HIDE.replace("HIDDEN", "true"))
    page.clock.run_for(31_000)
    wait_for(lambda: page.evaluate("1") and sockets[0].is_closed(), 10, "the socket's end")
    quiet = len(frames)
    before = _last_seq(hub, task_id)
    wait_for(lambda: _last_seq(hub, task_id) > before + 50, 30, "more lines at the hub")
    assert page.evaluate("1") and len(frames) == quiet
    worker.note("go").touch()
    hub.wait_for_status(task_id, "completed")
    page.evaluate(_HIDE.replace("HIDDEN", "false"))
    page.clock.run_for(2_000)
    last = str(_last_seq(hub, task_id))
    expect(page.get_by_test_id("output-lines").locator(".log-line").last).to_have_text(last, timeout=5_000)
    is_at(page, expect, "completed")
    watched.check()


_HIDE = """() => {
  Object.defineProperty(document, 'hidden', { value: HIDDEN, configurable: true });
  Object.defineProperty(document, 'visibilityState', { value: HIDDEN ? 'hidden' : 'visible', configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""
