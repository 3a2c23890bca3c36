"""``Output`` in a whole hub: what it believes, whom it shows it to, and that it may die without anybody noticing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.vocabulary import names
from actors.vocabulary.output import ReadTails
from link.messages import WatchOutput
from tests.harness.box import Box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path)
    yield made
    made.close()


def at_work(box: Box) -> tuple[str, str]:
    """An agent's connection and the task that it holds."""
    connection = box.up("a")
    task_id = box.submit(assign_to="a")
    box.says(connection, "task_accepted", task_id=task_id, generation=1)
    return connection, task_id


def prints(box: Box, connection: str, task_id: str, seq: int, generation: int = 1) -> None:
    line = json.dumps(["out", f"line {seq}"]).encode()
    answers = box.says(connection, "task_output", task_id=task_id, generation=generation, seq=seq, count=1, lines=line)
    assert answers == [], "output is never answered"


def kept(box: Box, task_id: str) -> list[str]:
    page = json.loads(box.call("output.read", task_id=task_id).value["json"])
    return [text for part in page["parts"] for _, text in part["lines"]]


def test_lines_of_the_attempt_that_an_agent_holds_are_kept_and_no_others(box: Box) -> None:
    connection, task_id = at_work(box)
    other = box.up("b")
    prints(box, connection, task_id, 1)
    prints(box, other, task_id, 2)
    prints(box, connection, task_id, 3, generation=2)
    prints(box, connection, "task-of-nobody", 4)
    assert kept(box, task_id) == ["line 1"]
    box.says(connection, "task_complete", task_id=task_id, generation=1, result=None)
    prints(box, connection, task_id, 5)
    assert kept(box, task_id) == ["line 1"]


def test_a_web_process_gets_the_lines_of_the_tasks_that_it_watches(box: Box) -> None:
    connection, task_id = at_work(box)
    prints(box, connection, task_id, 1)
    assert box.outlet.printed == []
    box.web(WatchOutput([task_id]))
    prints(box, connection, task_id, 2)
    [(peer, printed)] = box.outlet.printed
    assert (peer, printed.task_id, printed.generation) == (Box.PEER, task_id, 1)
    assert (printed.first_seq, printed.last_seq, printed.lines) == (2, 2, b'["out", "line 2"]')
    box.web(WatchOutput([]))
    prints(box, connection, task_id, 3)
    assert len(box.outlet.printed) == 1


def test_a_web_process_that_is_gone_is_not_spoken_to(box: Box) -> None:
    connection, task_id = at_work(box)
    box.web(WatchOutput([task_id]))
    box.lose_web()
    connection = box.up("a", connection="a-2", resumed=True)
    box.says(connection, "state_report", task_id=task_id, generation=1)
    prints(box, connection, task_id, 1)
    assert kept(box, task_id) == ["line 1"]
    assert box.outlet.printed == []


def test_its_death_costs_lines_and_nobody_has_to_subscribe_again(box: Box) -> None:
    connection, task_id = at_work(box)
    box.web(WatchOutput([task_id]))
    prints(box, connection, task_id, 1)
    box.crash(names.OUTPUT)
    prints(box, connection, task_id, 2)
    assert kept(box, task_id) == ["line 2"]
    assert [printed.first_seq for _, printed in box.outlet.printed] == [1, 2]
    box.says(connection, "task_complete", task_id=task_id, generation=1, result=None)
    assert box.task(task_id).status == "completed"


def test_what_was_printed_before_a_silence_outlives_every_death(box: Box) -> None:
    connection, task_id = at_work(box)
    for seq in (1, 2):
        prints(box, connection, task_id, seq)
    box.runtime.advance(4)
    box.crash(names.OUTPUT)
    assert kept(box, task_id) == ["line 1", "line 2"]
    prints(box, connection, task_id, 3)
    assert kept(box, task_id) == ["line 1", "line 2", "line 3"]


def test_a_tail_is_not_replaced_by_a_shorter_one_of_an_attempt_that_prints_on_after_a_death(box: Box) -> None:
    connection, task_id = at_work(box)
    prints(box, connection, task_id, 1)
    box.runtime.advance(4)
    box.crash(names.OUTPUT)
    prints(box, connection, task_id, 2)
    box.runtime.advance(30)
    box.crash(names.OUTPUT)
    assert kept(box, task_id) == ["line 1", "line 2"]


def test_a_task_that_prints_nothing_costs_no_write(box: Box) -> None:
    connection, task_id = at_work(box)
    box.says(connection, "task_complete", task_id=task_id, generation=1, result=None)
    box.runtime.advance(90)
    assert kept(box, task_id) == []
    assert box.queue(ReadTails(task_id)) == ()
