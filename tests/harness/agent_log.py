"""Operations on tasks, made from what the agents of a fleet wrote down (``tests.harness.agent``) and from effects of commands.

A claim is pushed and not asked for, so its start is the agent's last completion on the same connection, or unknown (minus
infinity). Repeated completions of one attempt up to its answer are one operation: it is idempotent, and its interval contains
them all.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tests.harness.history import FAIL, OK, UNKNOWN, Operation

#: Error codes of the hub that answer a completion: nothing was changed.
REFUSED_COMPLETION = "task_complete_failed"


def operations(history: Iterable[dict[str, Any]]) -> list[Operation]:
    """``history``: the lines of a fleet by time."""
    by_agent: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in history:
        by_agent[entry["agent"]].append(entry)
    return [operation for name, entries in by_agent.items() for operation in _Reader(name).read(entries)]


class _Reader:
    """Walks through the log of one agent."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._claimed: set[tuple[str, int]] = set()
        self._free_since = -math.inf
        self._sent: dict[tuple[str, int], float] = {}
        self._made: list[Operation] = []

    def read(self, entries: list[dict[str, Any]]) -> list[Operation]:
        for entry in entries:
            what, frame, at = entry["what"], entry.get("frame") or {}, entry["at"]
            if what in ("started", "connected", "disconnected"):
                self._free_since = -math.inf
            elif what == "got" and frame["type"] == "task_assign":
                self._assigned(frame, at)
            elif what == "sent" and frame["type"] == "task_complete":
                self._free_since = at
                self._sent.setdefault((frame["task_id"], frame["generation"]), at)
            elif what == "got" and frame["type"] == "task_ack" and frame["status"] == "complete":
                self._answered(frame["task_id"], frame["generation"], at, OK)
            elif what == "got" and frame["type"] == "error" and REFUSED_COMPLETION in frame["error"]:
                self._refused(frame, at)
        for (task, generation), since in self._sent.items():
            self._add("complete", task, generation, since, math.inf, UNKNOWN)
        return self._made

    def _assigned(self, frame: dict[str, Any], at: float) -> None:
        key = frame["task_id"], frame["generation"]
        if key not in self._claimed:
            self._claimed.add(key)
            self._add("claim", *key, self._free_since, at, OK)

    def _answered(self, task: str, generation: int, at: float, outcome: str) -> None:
        since = self._sent.pop((task, generation), None)
        if since is not None:
            self._add("complete", task, generation, since, at, outcome)

    def _refused(self, frame: dict[str, Any], at: float) -> None:
        """Busy is not a refusal. An agent may have completions of two attempts under way: the error says of which it is."""
        if "unavailable" not in frame["error"]:
            self._answered(frame["task_id"], frame["generation"], at, FAIL)

    def _add(self, op: str, task: str, generation: int, start: float, end: float, outcome: str) -> None:
        args = {"task": task, "gen": generation, "owner": self._agent}
        self._made.append(Operation(self._agent, op, args, start, end, outcome))


def from_effects(effects: Iterable[tuple[str, str, int]]) -> list[Operation]:
    """(agent, task, generation) of every command that a sidecar ran: it had the attempt, and it may have completed it."""
    made = []
    for agent, task, generation in sorted(set(effects)):
        args = {"task": task, "gen": generation, "owner": agent}
        made.append(Operation(agent, "claim", args, -math.inf, math.inf, OK))
        made.append(Operation(agent, "complete", args, -math.inf, math.inf, UNKNOWN))
    return made
