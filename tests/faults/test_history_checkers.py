"""The checkers of histories: good ones pass, and each kind of bad one is told by name."""

from __future__ import annotations

import itertools
import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from tests.harness import checks, linearizability
from tests.harness.history import FAIL, OK, UNKNOWN, History, Operation, parse, read

# --- the record -------------------------------------------------------------------------------------------------------


def test_a_call_is_an_invoke_line_and_a_return_line_with_its_outcome(tmp_path: Path) -> None:
    ticks = itertools.count()
    history = History(tmp_path / "h", clock=lambda: float(next(ticks)))
    with history.call("c", "submit", key="k") as call:
        call.ok(task="t")
    with history.call("c", "cancel", task="t") as call:
        call.fail()
    with pytest.raises(TimeoutError), history.call("c", "submit", key="l"):
        raise TimeoutError
    assert read(tmp_path / "h") == [
        Operation("c", "submit", {"key": "k"}, 0.0, 1.0, OK, {"task": "t"}),
        Operation("c", "cancel", {"task": "t"}, 2.0, 3.0, FAIL),
        Operation("c", "submit", {"key": "l"}, 4.0, math.inf, UNKNOWN),
    ]


def test_an_operation_without_a_return_line_is_unknown_and_a_torn_line_is_skipped() -> None:
    begun = json.dumps({"kind": "invoke", "id": 1, "client": "c", "at": 1.0, "op": "read", "args": {}})
    assert list(parse([begun, begun[:-9]])) == [Operation("c", "read", {}, 1.0)]


# --- one task -----------------------------------------------------------------------------------------------------------


def op(name: str, start: float, end: float, outcome: str = OK, **fields: Any) -> Operation:
    """An operation on the task ``t``; ``gen``, ``owner``, ``key``… are arguments, ``v_…`` are in the answer."""
    value = {key[2:]: field for key, field in fields.items() if key.startswith("v_")}
    args = {"task": "t", **{key: field for key, field in fields.items() if not key.startswith("v_")}}
    return Operation("c", name, args, start, end if outcome != UNKNOWN else math.inf, outcome, value)


BEGUN = [op("submit", 0, 1), op("claim", 2, 3, gen=1, owner="a")]
RECLAIMED = [*BEGUN, op("reclaim", 4, 5, gen=1), op("claim", 6, 7, gen=3, owner="b")]

GOOD: dict[str, list[Operation]] = {
    "completed": [*BEGUN, op("complete", 4, 5, gen=1, owner="a")],
    "completed again after a lost answer": [
        *BEGUN,
        op("complete", 4, 5, UNKNOWN, gen=1, owner="a"),
        op("complete", 6, 7, gen=1, owner="a"),
        op("complete", 8, 9, gen=1, owner="a"),
    ],
    "a late result is refused": [
        *RECLAIMED,
        op("complete", 8, 9, FAIL, gen=1, owner="a"),
        op("complete", 8, 9, gen=3, owner="b"),
    ],
    "an unknown completion never happened": [*BEGUN, op("complete", 4, 5, UNKNOWN, gen=1, owner="a"), *RECLAIMED[2:]],
    "an unknown submission happened": [op("submit", 0, 1, UNKNOWN), *BEGUN[1:]],
    "a race of reclaim and completion, won by the first": [
        *BEGUN,
        op("reclaim", 4, 9, gen=1),
        op("complete", 5, 8, FAIL, gen=1, owner="a"),
    ],
    "a race of reclaim and completion, won by the second": [
        *BEGUN,
        op("reclaim", 4, 9, FAIL, gen=1),
        op("complete", 5, 8, gen=1, owner="a"),
    ],
    "cancelled": [*BEGUN, op("cancel", 4, 5), op("complete", 6, 7, FAIL, gen=1, owner="a")],
    "retried by hand": [
        *BEGUN,
        op("fail", 4, 5, gen=1, owner="a", v_status="dead_letter"),
        op("retry", 6, 7),
        op("claim", 8, 9, gen=3, owner="b"),
    ],
}

BAD: dict[str, list[Operation]] = {
    "a late result is accepted": [*RECLAIMED, op("complete", 8, 9, gen=1, owner="a")],
    "a result of somebody else is accepted": [*BEGUN, op("complete", 4, 5, gen=1, owner="b")],
    "a live result is refused": [*BEGUN, op("complete", 4, 5, FAIL, gen=1, owner="a")],
    "a repeated completion is refused": [
        *BEGUN,
        op("complete", 4, 5, gen=1, owner="a"),
        op("complete", 6, 7, FAIL, gen=1, owner="a"),
    ],
    "two results": [
        *RECLAIMED,
        op("complete", 8, 9, gen=3, owner="b"),
        op("complete", 8, 9, gen=1, owner="a"),
    ],
    "the generation stands still after a reclaim": [*RECLAIMED[:3], op("claim", 6, 7, gen=1, owner="b")],
    "handed out twice": [*BEGUN, op("claim", 4, 5, gen=2, owner="b")],
    "done, and forgotten": [
        *BEGUN,
        op("complete", 4, 5, gen=1, owner="a"),
        op("read", 6, 7, v_status="queued", v_gen=2),
    ],
    "a stale sign of life counts": [*RECLAIMED, op("progress", 8, 9, gen=1, owner="a")],
    "the wrong attempt recovers": [*RECLAIMED, op("recover", 8, 9, gen=1, owner="a")],
    "one key, two tasks made": [op("submit", 0, 1, v_duplicate=False), op("submit", 2, 3, v_duplicate=False)],
    "claimed before it was submitted": [op("claim", 0, 1, gen=1, owner="a"), op("submit", 2, 3)],
    "claimed after it was cancelled": [BEGUN[0], op("cancel", 1.2, 1.5), BEGUN[1]],
    "a dead letter that nobody retried": [
        *BEGUN,
        op("fail", 4, 5, gen=1, owner="a", v_status="dead_letter"),
        op("claim", 6, 7, gen=2, owner="b"),
    ],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_right_history_of_a_task_fits_an_order(name: str) -> None:
    assert linearizability.faults(GOOD[name]) == []
    assert linearizability.faults(GOOD[name], hidden=True) == []


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_history_of_a_task_fits_no_order(name: str) -> None:
    assert len(linearizability.faults(BAD[name])) == 1


def test_hidden_steps_of_the_hub_may_skip_generations_but_never_repeat_one() -> None:
    skipped = [*BEGUN, op("claim", 6, 7, gen=4, owner="b"), op("complete", 8, 9, gen=4, owner="b")]
    assert not linearizability.is_linearizable(skipped)
    assert linearizability.is_linearizable(skipped, hidden=True)
    late = [*skipped[:3], op("complete", 8, 9, gen=1, owner="a")]
    assert not linearizability.is_linearizable(late, hidden=True)
    again = [*BEGUN, op("claim", 6, 7, gen=1, owner="b")]
    assert not linearizability.is_linearizable(again, hidden=True)


def _made_by_a_right_queue(seed: int) -> list[Operation]:
    """A history of one task as a right queue would make it: each operation takes effect at a point inside its interval."""
    chance = random.Random(seed)
    state = linearizability.State()
    made: list[Operation] = []
    for point in range(1, 14):
        gen, owner = max(0, state.gen - chance.randrange(2)), chance.choice("ab")
        name = chance.choice(
            ["submit", "claim", "complete", "complete", "fail", "reclaim", "cancel", "retry", "progress"]
        )
        if name == "claim":
            gen = state.gen + 1
        interval = point - chance.random() * 3, point + chance.random() * 3
        for outcome in (OK, FAIL):
            one = op(name, *interval, outcome, gen=gen, owner=owner)
            after = linearizability.STEPS[name](state, one, False)
            if after and not (name in ("submit", "claim") and outcome == FAIL):
                state = after[0]
                unknown = chance.random() < 0.2
                made.append(op(name, *interval, UNKNOWN, gen=gen, owner=owner) if unknown else one)
                break
    return made


def test_no_right_history_is_rejected() -> None:
    for seed in range(1000):
        assert linearizability.is_linearizable(_made_by_a_right_queue(seed)), seed


# --- across tasks -------------------------------------------------------------------------------------------------------


def submitted(task: str, start: float, end: float, priority: int = 2, **args: Any) -> Operation:
    return Operation(
        "c", "submit", {"key": f"key-{task}", "priority": priority, **args}, start, end, OK, {"task": task}
    )


def claimed(task: str, start: float, end: float, gen: int = 1, owner: str = "a") -> Operation:
    return Operation(owner, "claim", {"task": task, "gen": gen, "owner": owner}, start, end, OK)


def test_what_was_accepted_must_be_there_and_what_is_there_must_have_been_asked_for() -> None:
    unknown = Operation("c", "submit", {"key": "u"}, 0)
    history = [submitted("a", 0, 1), unknown, unknown]
    assert checks.total_queue(history, {"a": "queued"}) == []
    assert checks.total_queue(history, {"a": "queued", "u": "queued"}) == []
    assert checks.recovered(history, {"a": "queued", "u": "queued"}) == 1
    assert "is lost" in checks.total_queue(history, {})[0]
    assert "nobody asked for" in checks.total_queue(history, {"a": "queued", "u": "queued", "v": "queued"})[0]


def test_one_key_is_one_task() -> None:
    twice = [submitted("a", 0, 1), Operation("c", "submit", {"key": "key-a"}, 2, 3, OK, {"task": "b"})]
    assert "I6" in checks.total_queue(twice, {"a": "queued", "b": "queued"})[0]


def test_a_completion_that_was_acknowledged_is_the_one_that_stands() -> None:
    done = [op("complete", 0, 1, gen=1, owner="a")]
    assert checks.exactly_once(done, {"t": {"status": "completed", "gen": 1, "owner": "a"}}) == []
    assert "I2" in checks.exactly_once(done, {"t": {"status": "queued", "gen": 2, "owner": None}})[0]
    assert "I2" in checks.exactly_once(done, {"t": {"status": "completed", "gen": 3, "owner": "b"}})[0]
    twice = [*done, op("complete", 2, 3, gen=3, owner="b")]
    assert "I4" in checks.exactly_once(twice, {"t": {"status": "completed", "gen": 3, "owner": "b"}})[0]


def test_a_generation_belongs_to_one_agent_and_rises() -> None:
    assert checks.rising_generations([claimed("t", 0, 1), claimed("t", 2, 3, gen=3, owner="b")]) == []
    assert "I3" in checks.rising_generations([claimed("t", 0, 1), claimed("t", 0, 1, owner="b")])[0]
    assert "I8" in checks.rising_generations([claimed("t", 0, 1, gen=3), claimed("t", 2, 3, gen=1, owner="b")])[0]


def test_a_claim_may_not_pass_over_a_task_that_stands_before() -> None:
    first, second, urgent = submitted("first", 0, 1), submitted("second", 2, 3), submitted("urgent", 2, 3, priority=0)
    in_order = [first, second, claimed("first", 4, 5), claimed("second", 6, 7)]
    assert checks.order(in_order) == []
    assert "I7" in checks.order([first, second, claimed("second", 4, 5), claimed("first", 6, 7)])[0]
    assert "I7" in checks.order([first, urgent, claimed("first", 4, 5), claimed("urgent", 6, 7)])[0]
    assert checks.order([first, urgent, claimed("urgent", 4, 5), claimed("first", 6, 7)]) == []


def test_order_is_not_judged_where_intervals_overlap_or_needs_differ() -> None:
    together = [submitted("a", 0, 3), submitted("b", 1, 2), claimed("b", 4, 5), claimed("a", 6, 7)]
    assert checks.order(together) == []
    overlapping = [submitted("a", 0, 1), submitted("b", 2, 3), claimed("b", 4, 7), claimed("a", 5, 6)]
    assert checks.order(overlapping) == []
    other = [submitted("a", 0, 1, needs=["gpu"]), submitted("b", 2, 3), claimed("b", 4, 5), claimed("a", 6, 7)]
    assert checks.order(other) == []


def test_a_task_that_was_read_as_queued_at_the_end_still_waited() -> None:
    still = Operation("c", "read", {"task": "first"}, 8, 9, OK, {"status": "queued", "gen": 0})
    assert (
        "I7" in checks.order([submitted("first", 0, 1), submitted("second", 2, 3), claimed("second", 4, 5), still])[0]
    )


def test_counts_lie_between_what_was_stored_and_what_was_asked_for() -> None:
    def counted(total: int, start: float, end: float) -> Operation:
        return Operation("c", "count", {}, start, end, OK, {"total": total})

    history = [submitted("a", 0, 1), submitted("b", 2, 5)]
    assert checks.conservation([*history, counted(1, 1.5, 1.7), counted(2, 3, 4), counted(2, 6, 7)], exact=True) == []
    assert len(checks.conservation([*history, counted(0, 1.5, 1.7)], exact=True)) == 1
    assert checks.conservation([*history, counted(0, 1.5, 1.7)], exact=False) == []
    assert len(checks.conservation([*history, counted(3, 6, 7)], exact=False)) == 1
    assert "went back" in checks.conservation([*history, counted(2, 6, 7), counted(1, 8, 9)], exact=False)[0]


def test_a_sequence_number_that_goes_back_within_a_boot_is_told() -> None:
    assert checks.rising_sequence([("x", 1), ("x", 2), ("y", 1), ("y", 1)]) == []
    assert len(checks.rising_sequence([("x", 2), ("x", 1)])) == 1


def test_everything_ends_within_the_limit_after_the_last_fault() -> None:
    assert checks.liveness({"a": "completed", "b": "dead_letter"}, 10.0, 15.0, 10.0) == []
    assert len(checks.liveness({"a": "assigned"}, 10.0, 15.0, 10.0)) == 1
    assert len(checks.liveness({"a": "completed"}, 10.0, 25.0, 10.0)) == 1


def test_work_that_was_done_more_than_once_is_counted() -> None:
    assert checks.repeated_work([("a", 1), ("a", 1), ("a", 3), ("b", 1)]) == 1
