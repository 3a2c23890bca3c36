"""What is kept of tasks' output: the end of it, numbered, within bounds, and cut where somebody asks."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from actors.printouts import AGAIN_S, LONGEST_S, PART_BYTES, QUIET_S, TAIL_BYTES, Printouts
from actors.vocabulary.output import Printed, ReadOutput, Tail
from wire.output import encoded_lines


def printed(first: int, count: int, *, task: str = "t", generation: int = 1, width: int = 4) -> Printed:
    lines = encoded_lines(("out", f"line {seq}".ljust(width)) for seq in range(first, first + count))
    return Printed(task, generation, "agent", first, count, lines)


def read(printouts: Printouts, **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(printouts.page(ReadOutput("t", **query)))
    return answer


def numbers(answer: dict[str, Any]) -> list[int]:
    """The number of each line, which is also its text."""
    found = []
    for part in answer["parts"]:
        for offset, (stream, text) in enumerate(part["lines"]):
            assert (stream, text) == ("out", f"line {part['first_seq'] + offset}")
            found.append(part["first_seq"] + offset)
    return found


def test_nothing_is_known_of_a_task_that_never_printed() -> None:
    nothing = {"generation": None, "agent_id": None, "kept_from": 1, "last_seq": 0, "attempts": [], "parts": []}
    assert read(Printouts()) == nothing


@given(
    counts=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    lost=st.sets(st.integers(0, 7)),
    after=st.integers(0, 80),
    limit=st.integers(1, 40),
)
def test_a_page_begins_and_ends_anywhere_and_its_numbers_are_true(
    counts: list[int], lost: set[int], after: int, limit: int
) -> None:
    printouts, there, seq = Printouts(), [], 1
    for index, count in enumerate(counts):
        if index not in lost:
            printouts.add(printed(seq, count))
            there += range(seq, seq + count)
        seq += count
    assert numbers(read(printouts, after=after, limit=limit)) == [one for one in there if one > after][:limit]
    assert numbers(read(printouts, before=after, limit=limit)) == [one for one in there if one < after][-limit:]
    assert numbers(read(printouts, limit=limit)) == there[-limit:]


def test_lines_that_were_lost_leave_a_gap_and_not_wrong_numbers() -> None:
    printouts = Printouts()
    printouts.add(printed(1, 2))
    printouts.add(printed(6, 2))
    assert [part["first_seq"] for part in read(printouts)["parts"]] == [1, 6]


def test_what_came_before_is_not_taken_twice() -> None:
    printouts = Printouts()
    assert printouts.add(printed(1, 3))
    assert printouts.add(printed(4, 3))
    assert not printouts.add(printed(2, 3))
    assert numbers(read(printouts)) == [1, 2, 3, 4, 5, 6]


def test_line_one_begins_an_attempt_anew() -> None:
    printouts = Printouts()
    printouts.add(printed(1, 3))
    printouts.add(printed(4, 3))
    printouts.add(printed(1, 1))
    assert numbers(read(printouts)) == [1]
    assert printouts.size == PART_BYTES + len(printed(1, 1).lines)


def test_of_a_long_output_the_end_is_kept_and_where_it_begins_is_said() -> None:
    printouts = Printouts(attempt_bytes=10 * (1000 + PART_BYTES))
    for seq in range(1, 101):
        printouts.add(printed(seq, 1, width=990))
    answer = read(printouts, limit=1000)
    assert answer["last_seq"] == 100
    assert 90 < answer["kept_from"] <= 92
    assert answer["parts"][0]["first_seq"] == answer["kept_from"]


def test_all_attempts_together_stay_within_their_bound_and_the_longest_silent_goes_first() -> None:
    bound = 5 * (1000 + PART_BYTES)
    printouts = Printouts(total_bytes=bound)
    for number in range(4):
        printouts.add(printed(1, 1, task=f"other {number}", width=990))
    printouts.add(printed(2, 1, task="other 0", width=990))
    printouts.add(printed(1, 1, width=990))
    printouts.add(printed(2, 1, width=990))
    assert printouts.size <= bound
    kept = [number for number in range(4) if json.loads(printouts.page(ReadOutput(f"other {number}")))["parts"]]
    assert kept == [0, 3]


def test_each_attempt_has_its_own_output_and_the_newest_is_shown() -> None:
    printouts = Printouts()
    printouts.add(printed(1, 2, generation=1))
    printouts.add(printed(1, 1, generation=3))
    answer = read(printouts)
    assert answer["generation"] == 3
    assert [(one["generation"], one["last_seq"]) for one in answer["attempts"]] == [(1, 2), (3, 1)]
    assert numbers(read(printouts, generation=1)) == [1, 2]


# --- what outlives the process ----------------------------------------------------------------------------------------


def lines_of(tail: Tail) -> list[int]:
    """The numbers of its lines, which are also their texts."""
    return numbers({"parts": json.loads(tail.parts)})


def due(printouts: Printouts, now_s: float) -> list[tuple[str, int]]:
    return printouts.due(now_s)


def test_a_tail_is_stored_when_its_attempt_is_silent_and_no_sooner() -> None:
    printouts = Printouts()
    printouts.add(printed(1, 3), 100.0)
    assert due(printouts, 100.0 + QUIET_S - 0.1) == [] and not printouts.is_stored
    assert due(printouts, 100.0 + QUIET_S) == [("t", 1)]
    [tail] = printouts.take_tails([("t", 1)], 100.0 + QUIET_S)
    assert (tail.task_id, tail.generation, tail.agent_id, lines_of(tail)) == ("t", 1, "agent", [1, 2, 3])
    assert printouts.is_stored and due(printouts, 1_000.0) == []


def test_one_that_prints_on_and_on_is_stored_once_a_minute() -> None:
    printouts, stored = Printouts(), []
    for second in range(150):
        printouts.add(printed(second + 1, 1), float(second))
        if keys := due(printouts, float(second)):
            stored += [lines_of(tail)[-1] for tail in printouts.take_tails(keys, float(second))]
    assert stored == [int(LONGEST_S) + 1, 2 * int(LONGEST_S) + 2]


def test_after_a_pause_it_is_not_stored_again_at_once() -> None:
    printouts = Printouts()
    printouts.add(printed(1, 1), 0.0)
    printouts.take_tails(due(printouts, QUIET_S), QUIET_S)
    printouts.add(printed(2, 1), 3.0)
    assert due(printouts, 3.0 + QUIET_S) == []
    assert due(printouts, QUIET_S + AGAIN_S) == [("t", 1)]


@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=60), width=st.integers(8, 500))
def test_a_tail_is_the_end_is_bounded_and_is_never_empty(sizes: list[int], width: int) -> None:
    printouts, seq = Printouts(), 1
    for size in sizes:
        printouts.add(printed(seq, size, width=width))
        seq += size
    [tail] = printouts.take_tails([("t", 1)], 0.0)
    parts = json.loads(tail.parts)
    shown = [part["first_seq"] + offset for part in parts for offset in range(len(part["lines"]))]
    assert shown and shown == list(range(shown[0], seq))
    assert len(tail.parts) <= TAIL_BYTES + 100
    if shown[0] > 1:  # one more line would not have fitted
        assert len(tail.parts) > TAIL_BYTES - width - 100


def test_one_line_that_is_longer_than_a_tail_is_kept_whole() -> None:
    printouts = Printouts()
    line = json.dumps(["out", "x" * TAIL_BYTES]).encode()
    printouts.add(Printed("t", 1, "agent", 1, 2, line + b"," + line))
    [tail] = printouts.take_tails([("t", 1)], 0.0)
    [part] = json.loads(tail.parts)
    assert part["first_seq"] == 2 and len(part["lines"]) == 1


def test_what_was_stored_stands_before_what_came_since_and_is_not_there_twice() -> None:
    old = Printouts()
    old.add(printed(1, 5))
    [tail] = old.take_tails([("t", 1)], 0.0)
    new = Printouts()
    new.add(printed(8, 2))
    assert not new.knows_begin("t") and not new.begins(("t", 1))
    new.restore(tail)
    new.restore(tail)
    assert numbers(read(new)) == [1, 2, 3, 4, 5, 8, 9], "6 and 7 were lost between the two"
    assert read(new)["kept_from"] == 1 and new.begins(("t", 1))
    new.add(printed(10, 1))
    assert read(new)["last_seq"] == 10


def test_a_restored_attempt_is_no_news_and_counts_against_the_bound() -> None:
    old = Printouts()
    old.add(printed(1, 50))
    [tail] = old.take_tails([("t", 1)], 0.0)
    new = Printouts(total_bytes=PART_BYTES + 400)
    new.add(printed(1, 10, task="other"))
    new.restore(tail)
    assert not new.has("other") and numbers(read(new)) == list(range(1, 51))
    assert due(new, 1_000.0) == [] and new.is_stored
