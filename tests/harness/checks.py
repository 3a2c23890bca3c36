"""Promises across tasks, judged from the clients' operations (``history``) and from nothing else.

Every check returns sentences; none means that the promise held. Operations name their task in ``args["task"]``; a submission
carries ``key`` and ``priority`` and learns its task from the answer.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from tests.harness.history import OK, UNKNOWN, Operation

FINAL = frozenset({"completed", "dead_letter", "cancelled"})


def total_queue(operations: Iterable[Operation], final: Mapping[str, str]) -> list[str]:
    """What was accepted is there; what is there was asked for; one key is one task. ``final``: task id -> status (I1, I6)."""
    submits = [operation for operation in operations if operation.op == "submit"]
    accepted = {s.value["task"] for s in submits if s.outcome == OK}
    found = [f"I1: accepted task {task} is lost" for task in sorted(accepted - final.keys())]
    ids: dict[str, set[str]] = defaultdict(set)
    for one in submits:
        if one.outcome == OK and one.args.get("key") is not None:
            ids[one.args["key"]].add(one.value["task"])
    found += [f"I6: key {key} gave the tasks {sorted(tasks)}" for key, tasks in sorted(ids.items()) if len(tasks) > 1]
    # A key that was tried again stands for one task, however many of its tries have an unknown outcome.
    open_keys = {s.args.get("key") or f"#{i}" for i, s in enumerate(submits) if s.outcome == UNKNOWN} - ids.keys()
    unasked = len(final.keys() - accepted) - len(open_keys)
    if unasked > 0:
        found.append(f"I1: {unasked} tasks are there that nobody asked for")
    return found


def recovered(operations: Iterable[Operation], final: Mapping[str, str]) -> int:
    """How many submissions of unknown outcome did take place; for the report."""
    accepted = {o.value["task"] for o in operations if o.op == "submit" and o.outcome == OK}
    return len(final.keys() - accepted)


def exactly_once(operations: Iterable[Operation], final: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """At most one attempt of a task was told "complete", and its result is the one that stands (I2, I4).

    ``final``: task id -> ``{"status", "gen", "owner"}``.
    """
    told: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for one in operations:
        if one.op == "complete" and one.outcome == OK:
            told[one.args["task"]].add((one.args["gen"], one.args["owner"]))
    found = []
    for task, attempts in sorted(told.items()):
        if len(attempts) > 1:
            found.append(f"I4: {task} was accepted as complete from {sorted(attempts)}")
        stands = final.get(task)
        if stands is None or stands["status"] != "completed":
            found.append(f"I2: {task} was acknowledged as complete and is {stands and stands['status']}")
        elif (stands["gen"], stands["owner"]) not in attempts:
            found.append(f"I2: {task} stands completed by {stands}, acknowledged was {sorted(attempts)}")
    return found


def rising_generations(operations: Iterable[Operation]) -> list[str]:
    """One (task, generation) never goes to two agents (I3), and generations seen one after the other rise (I8)."""
    owners: dict[tuple[str, int], set[str]] = defaultdict(set)
    by_task: dict[str, list[Operation]] = defaultdict(list)
    for one in operations:
        if one.op == "claim" and one.outcome == OK and one.args.get("task") is not None:
            owners[one.args["task"], one.args["gen"]].add(one.args["owner"])
            by_task[one.args["task"]].append(one)
    found = [
        f"I3: generation {g} of {t} went to {sorted(who)}" for (t, g), who in sorted(owners.items()) if len(who) > 1
    ]
    for task, claims in sorted(by_task.items()):
        claims.sort(key=lambda claim: claim.end)
        for i, earlier in enumerate(claims):
            again = next(
                (c for c in claims[i + 1 :] if c.start > earlier.end and c.args["gen"] <= earlier.args["gen"]), None
            )
            if again is not None:
                found.append(f"I8: {task} went out as generation {again.args['gen']} after {earlier.args['gen']}")
    return found


@dataclass(frozen=True, slots=True)
class Stay:
    """A task's first stay in the queue. ``sure_from``: it is in; ``sure_to``: until then it has surely not left."""

    task: str
    lane: tuple[Any, ...]
    priority: int
    asked: float
    sure_from: float
    sure_to: float


def order(operations: Iterable[Operation]) -> list[str]:
    """A claim never passes over a task that surely waited during all of it and stands before (I7).

    Compared are tasks with the same needs on their first stay (generation 1), by priority and then by submissions of which one
    was answered before the other was asked. Prefix maxima over sorted intervals: O(n log n).
    """
    operations = list(operations)
    claims = {o.args["task"]: o for o in operations if o.op == "claim" and o.outcome == OK and o.args["gen"] == 1}
    stays = _stays(operations, claims)
    waiting: dict[tuple[Any, ...], list[Stay]] = defaultdict(list)
    for stay in stays.values():
        waiting[stay.lane, stay.priority].append(stay)
    lanes = {key: _Lane(found) for key, found in waiting.items()}
    problems = []
    for task, claim in claims.items():
        stay = stays.get(task)
        if stay is None:
            continue
        for (needs, priority), lane in lanes.items():
            if needs != stay.lane or priority > stay.priority:
                continue
            before = claim.start if priority < stay.priority else min(claim.start, stay.asked)
            passed = lane.surely_waiting(before, claim.end)
            if passed is not None and passed.task != task:
                problems.append(
                    f"I7: {task} (priority {stay.priority}) was taken although {passed.task} ({priority}) waited"
                )
    return problems


def _stays(operations: list[Operation], claims: Mapping[str, Operation]) -> dict[str, Stay]:
    """First stays of tasks about which enough is known; one that left in another way than by claim 1 is not looked at."""
    left_otherwise = {o.args.get("task") for o in operations if o.op == "cancel"}
    left_otherwise |= {
        o.args["task"] for o in operations if o.op == "claim" and o.args.get("gen", 0) > 1
    } - claims.keys()
    still_there = {
        o.args["task"]: o.start
        for o in operations
        if o.op == "read" and o.value.get("status") == "queued" and o.value.get("gen") == 0
    }
    stays = {}
    for one in operations:
        if one.op != "submit" or one.outcome != OK or one.value.get("duplicate"):
            continue
        task = one.value["task"]
        claim = claims.get(task)
        until = claim.start if claim is not None else still_there.get(task, -math.inf)
        if task not in left_otherwise:
            lane = (tuple(one.args.get("needs", ())),)
            stays[task] = Stay(task, lane, one.args.get("priority", 2), one.start, one.end, until)
    return stays


class _Lane:
    """Answers in O(log n) whether somebody who came before one time surely stayed until another."""

    def __init__(self, stays: list[Stay]) -> None:
        self._stays = sorted(stays, key=lambda stay: stay.sure_from)
        self._from = [stay.sure_from for stay in self._stays]
        self._longest: list[Stay] = list(accumulate(self._stays, _longer))

    def surely_waiting(self, since: float, until: float) -> Stay | None:
        index = bisect_left(self._from, since) - 1
        if index < 0 or self._longest[index].sure_to <= until:
            return None
        return self._longest[index]


def conservation(operations: Iterable[Operation], *, exact: bool, op: str = "count", before: int = 0) -> list[str]:
    """Every count of all tasks lies between what had surely been submitted and what had been asked for (I9).

    Counts are operations ``op`` with ``value["total"]`` (all states and the pruned). ``exact``: the count comes from the queue
    itself and may not lag; a dashboard may lag behind, but it never goes back and never shows what nobody asked for.
    ``before``: how many tasks were there when the clients came.
    """
    operations = list(operations)
    keyed: dict[str, list[Operation]] = defaultdict(list)
    for number, one in enumerate(operations):
        if one.op == "submit":
            keyed[one.args.get("key") or f"#{number}"].append(one)
    asked = sorted(min(o.start for o in group) for group in keyed.values())
    stored = sorted(min((o.end for o in group if o.outcome == OK), default=math.inf) for group in keyed.values())
    found, highest = [], (0, -math.inf)
    counts = sorted((o for o in operations if o.op == op and o.outcome == OK), key=lambda o: o.start)
    for one in counts:
        total = one.value["total"] - before
        low, high = bisect_left(stored, one.start), bisect_left(asked, one.end)
        if total > high or (exact and total < low):
            found.append(f"I9: {total} tasks counted at {one.start:.3f}, between {low} and {high} were there")
        if total < highest[0] and one.start > highest[1]:
            found.append(f"I9: the count went back from {highest[0]} to {total}")
        highest = max(highest, (total, one.end))
    return found


def rising_sequence(snapshots: Iterable[tuple[str, int]]) -> list[str]:
    """(boot, seq) as one dashboard read them: within one boot the sequence number never goes back (I8)."""
    highest: dict[str, int] = {}
    found = []
    for boot, seq in snapshots:
        if seq < highest.get(boot, seq):
            found.append(f"I8: seq went back from {highest[boot]} to {seq} in boot {boot}")
        highest[boot] = max(seq, highest.get(boot, seq))
    return found


def liveness(final: Mapping[str, str], healed_at: float, settled_at: float, limit_s: float) -> list[str]:
    """After the last fault every task ends within ``limit_s`` seconds (I10)."""
    found = [f"I10: {task} is still {status}" for task, status in sorted(final.items()) if status not in FINAL]
    if settled_at - healed_at > limit_s:
        found.append(f"I10: {settled_at - healed_at:.1f} s until everything was done; {limit_s} are allowed")
    return found


def repeated_work(effects: Iterable[tuple[str, int]]) -> int:
    """How many attempts did their work beyond the first of each task: allowed, and reported."""
    ran: dict[str, set[int]] = defaultdict(set)
    for task, generation in effects:
        ran[task].add(generation)
    return sum(len(generations) - 1 for generations in ran.values())


def _longer(one: Stay, other: Stay) -> Stay:
    return one if one.sure_to >= other.sure_to else other
