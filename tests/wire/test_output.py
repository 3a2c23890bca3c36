"""What a task prints is seen while it runs and afterwards, by those who look at it, and only its owner is believed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.hub import Hub
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for
from tests.harness.worker import Worker, waits_for

Connect = Callable[..., Socket]


@pytest.fixture
def worker(hub: Hub, tmp_path: Path, agent_id: str) -> Iterator[Worker]:
    with Worker(hub, tmp_path / "worker", agent_id) as started:
        yield started


def read(hub: Hub, task_id: str, query: str = "") -> dict[str, Any]:
    answer = hub.get(f"/api/dashboard/tasks/{task_id}/output{query}", token=None)
    assert answer.status == 200, (answer.status, answer.json)
    found: dict[str, Any] = answer.json
    return found


def lines_of(found: dict[str, Any]) -> list[list[str]]:
    return [line for part in found["parts"] for line in part["lines"]]


def texts(hub: Hub, task_id: str, query: str = "") -> list[str]:
    return [text for _, text in lines_of(read(hub, task_id, query))]


def page(hub: Hub) -> Socket:
    """A page that speaks of views."""
    socket = Socket(f"{hub.ws_url}/ws/dashboard?protocol=2", {"Origin": hub.url})
    assert socket.hear()["type"] == "hello"
    return socket


def test_lines_are_seen_while_the_task_runs_and_stay_after_its_end(hub: Hub, worker: Worker) -> None:
    watcher = page(hub)
    program = "print('first'); print('wrong', file=sys.stderr)" + waits_for("go") + "print('last')"
    task_id = worker.submit(program)
    watcher.say(type="subscribe", view=f"output:{task_id}")
    shown: list[list[str]] = []
    while ["err", "wrong"] not in shown or ["out", "first"] not in shown:
        shown += lines_of(watcher.hear_type("output"))
    assert hub.task(task_id)["status"] == "assigned"
    worker.note("go").touch()
    hub.wait_for_status(task_id, "completed")
    found = read(hub, task_id)
    assert (found["generation"], found["agent_id"], found["last_seq"]) == (1, worker.name, 3)
    assert sorted(lines_of(found)) == [["err", "wrong"], ["out", "first"], ["out", "last"]]
    while ["out", "last"] not in shown:
        shown += lines_of(watcher.hear_type("output"))
    assert sorted(shown) == sorted(lines_of(found)), "each line once"
    watcher.close()


def test_nothing_that_a_terminal_would_obey_arrives_and_broken_bytes_are_shown(hub: Hub, worker: Worker) -> None:
    program = (
        "w = sys.stdout.buffer.write; w(b'\\x1b[31mred\\x1b[0m\\n'); w(b'\\x1b]0;title\\x07x\\x1b[2J\\x00\\n');"
        "w(b'\\xff\\xfe\\n'); w(b'w' * 10_000 + b'\\n'); w('\\u202eevil <b>\\n'.encode())"
    )
    task_id = worker.submit(program)
    hub.wait_for_status(task_id, "completed")
    expected = ["\x1b[31mred\x1b[0m", "x\ufffd", "\ufffd\ufffd", "w" * 10_000, "\u202eevil <b>"]
    assert texts(hub, task_id) == expected
    file = hub.get(f"/api/dashboard/tasks/{task_id}/output?format=text", token=None)
    assert file.headers["content-type"] == "text/plain; charset=utf-8"
    assert file.headers["content-disposition"] == f'attachment; filename="{task_id}-attempt-1.txt"'
    assert file.body.decode().splitlines()[:2] == ["red", "x\ufffd"]


def test_fifty_thousand_lines_are_taken_without_harm_and_their_end_is_there(hub: Hub, worker: Worker) -> None:
    task_id = worker.submit("for n in range(1, 50_001): print(f'line {n} ' + 'x' * 40)")
    hub.wait_for_status(task_id, "completed", 60)
    found = read(hub, task_id, "?limit=5000")
    last = found["parts"][-1]
    assert last["first_seq"] + len(last["lines"]) - 1 == found["last_seq"] == 50_000
    for part in found["parts"]:
        for offset, (_, text) in enumerate(part["lines"]):
            assert text.startswith(f"line {part['first_seq'] + offset} ")
    assert 0 < len(lines_of(found)) <= 5000
    older = read(hub, task_id, f"?before={found['parts'][0]['first_seq']}&limit=10")
    assert older["parts"] == [] or older["parts"][-1]["first_seq"] < found["parts"][0]["first_seq"]


def printed(task_id: str, generation: int = 1, seq: int = 1, text: str = "x") -> dict[str, Any]:
    lines = [["out", text]]
    return {"type": "task_output", "task_id": task_id, "generation": generation, "seq": seq, "lines": lines}


def test_only_the_owner_of_the_live_attempt_is_believed(hub: Hub, connect: Connect, agent_id: str) -> None:
    owner, other = connect(agent_id), connect(f"{agent_id}-other")
    task_id = hub.submit(assign_to=agent_id)
    owner.hear_type("task_assign")
    other.say(printed(task_id, text="forged"))
    owner.say(printed(task_id, generation=2, text="of a later attempt"))
    owner.say(printed(task_id, text="true"))
    wait_for(lambda: texts(hub, task_id) == ["true"], what="the owner's line")
    assert other.ask(type="ping")["type"] == "pong", "it is no violation either"
    owner.ask(type="task_complete", task_id=task_id, generation=1)
    owner.say(printed(task_id, seq=2, text="too late"))
    owner.ask(type="ping")
    assert texts(hub, task_id) == ["true"]
    assert [one["generation"] for one in read(hub, task_id)["attempts"]] == [1]


def test_output_reaches_only_pages_that_show_it(hub: Hub, connect: Connect, agent_id: str) -> None:
    agent = connect(agent_id, slots=2)
    shown, hidden = hub.submit(assign_to=agent_id), hub.submit(assign_to=agent_id)
    agent.hear_type("task_assign")
    old, overview, watcher = Socket(f"{hub.ws_url}/ws/dashboard", {"Origin": hub.url}), page(hub), page(hub)
    overview.say(type="subscribe", view="overview")
    watcher.say(type="subscribe", view=f"output:{shown}")
    wait_for(lambda: _is_shown(agent, watcher, shown, hidden), what="the line")
    watcher.say(type="unsubscribe", view=f"output:{shown}")
    for socket in (old, overview):
        types = set()
        try:
            while True:
                types.add(socket.hear(0.3)["type"])
        except TimeoutError:
            pass
        assert types <= {"snapshot", "events", "hub_status", "subscribed"}
        socket.close()
    watcher.close()


def _is_shown(agent: Socket, watcher: Socket, shown: str, hidden: str) -> bool:
    """The hub hears of the subscription a moment after the page said it, so lines are printed until one comes."""
    seq = _is_shown.seq = getattr(_is_shown, "seq", 0) + 1  # type: ignore[attr-defined]
    agent.say(printed(hidden, seq=seq, text="hidden"))
    agent.say(printed(shown, seq=seq, text="shown"))
    try:
        frame = watcher.hear(0.5)
    except TimeoutError:
        return False
    assert (frame["type"], frame["view"]) == ("output", f"output:{shown}")
    assert {text for _, text in lines_of(frame)} == {"shown"}
    return True


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=-1", "after"),
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("generation=x", "generation"),
        ("format=xml", "format"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_and_names_the_field(hub: Hub, query: str, field: str) -> None:
    task_id = hub.submit(assign_to="nobody")
    answer = hub.get(f"/api/dashboard/tasks/{task_id}/output?{query}", token=None)
    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == field


def test_a_task_that_printed_nothing_has_an_empty_output_and_one_that_is_not_there_has_none(hub: Hub) -> None:
    task_id = hub.submit(assign_to="nobody")
    assert read(hub, task_id)["generation"] is None
    assert hub.get("/api/dashboard/tasks/task-0000000000000000/output", token=None).status == 404
    assert hub.get("/api/dashboard/tasks/task-0000000000000000/output?format=text", token=None).status == 404


def test_more_output_than_there_is_room_for_is_dropped_and_results_are_not(
    hub: Hub, connect: Connect, agent_id: str
) -> None:
    agent = connect(agent_id)
    task_id = hub.submit(assign_to=agent_id)
    agent.hear_type("task_assign")
    lines = [["out", "y" * 1000]] * 60
    for number in range(200):
        flood = {"type": "task_output", "task_id": task_id, "generation": 1, "seq": 60 * number + 1, "lines": lines}
        agent.say(json.dumps(flood, separators=(",", ":")))
    answer = agent.ask(type="task_complete", task_id=task_id, generation=1)
    assert answer["type"] == "task_ack", answer
    found = read(hub, task_id, "?limit=1")
    assert 0 < found["last_seq"] < 12_000, "some of it was not even read"
    assert hub.task(task_id)["status"] == "completed"


def test_a_hub_that_takes_output_says_so_only_to_agents_that_asked(hub: Hub, agent_id: str) -> None:
    for asked, answer in (({}, {}), ({"output": True}, {"output": True})):
        socket = Socket(f"{hub.ws_url}/ws")
        identified = socket.ask(type="identify", agent_id=agent_id, token=hub.agent_token(agent_id), **asked)
        assert identified == {"type": "identified", "agent_id": agent_id, **answer}
        socket.close()
