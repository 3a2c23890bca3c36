"""Judges a run from the clients' own logs and the final state: nothing lost, nothing accepted twice, fencing held."""

from __future__ import annotations

from collections import defaultdict
from typing import Any


def acknowledged_completions(history: list[dict[str, Any]]) -> dict[str, set[tuple[str, int]]]:
    """task id -> the distinct (agent, generation) whose completion an agent read as acknowledged."""
    acks: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for entry in history:
        frame = entry.get("frame")
        if entry["what"] == "got" and frame["type"] == "task_ack" and frame["status"] == "complete":
            acks[frame["task_id"]].add((entry["agent"], frame["generation"]))
    return acks


def faults(accepted: set[str], history: list[dict[str, Any]], final: list[dict[str, Any]]) -> list[str]:
    """Every broken promise, as a sentence; empty when all held.

    ``accepted``: ids that submitters read in a 2xx answer. ``final``: every task of the hub after the run.
    """
    found: list[str] = []
    tasks = {task["id"]: task for task in final}
    found += [f"I1: accepted task {task_id} is lost" for task_id in sorted(accepted - tasks.keys())]
    for task_id, attempts in acknowledged_completions(history).items():
        if len(attempts) > 1:
            found.append(f"I4: {task_id} was accepted as complete from {sorted(attempts)}")
        task = tasks.get(task_id)
        if task is None or task["status"] != "completed":
            found.append(f"I2: {task_id} was acknowledged as complete and is {task and task['status']}")
        elif (task["result"]["by"], task["result"]["generation"]) not in attempts:
            found.append(f"I2: the result of {task_id} is {task['result']}, acknowledged was {sorted(attempts)}")
    found += _generation_faults(history)
    return found


def _generation_faults(history: list[dict[str, Any]]) -> list[str]:
    """I3: the same generation of a task is never handed to two agents."""
    owners: dict[tuple[str, int], set[str]] = defaultdict(set)
    for entry in history:
        frame = entry.get("frame")
        if entry["what"] == "got" and frame["type"] == "task_assign":
            owners[frame["task_id"], frame["generation"]].add(entry["agent"])
    return [f"I3: generation {g} of {t} went to {sorted(who)}" for (t, g), who in owners.items() if len(who) > 1]
