"""Which ready agent should be offered work next: pure bookkeeping for the scheduler.

Agents are grouped by their set of capabilities and ordered by how long they have been idle, so that a decision costs
O(distinct capability sets) and not O(agents).
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class _Entry:
    capabilities: frozenset[str]
    free: int
    ticket: int


class ReadyAgents:
    """Agents with free slots, longest idle first within each group of equal capabilities."""

    def __init__(self) -> None:
        self._groups: dict[frozenset[str], OrderedDict[str, _Entry]] = {}
        self._entries: dict[str, _Entry] = {}
        self._ticket = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, agent_id: str) -> bool:
        return agent_id in self._entries

    def set(self, agent_id: str, capabilities: frozenset[str], free: int) -> None:
        """It has so many free slots now. An agent that was ready keeps its place, others come last."""
        known = self._entries.get(agent_id)
        if known is not None and known.capabilities == capabilities and free > 0:
            known.free = free
            return
        self.remove(agent_id)
        if free > 0:
            self._append(agent_id, _Entry(capabilities, free, 0))

    def add_one(self, agent_id: str, capabilities: frozenset[str]) -> None:
        """One more free slot."""
        known = self._entries.get(agent_id)
        self.set(agent_id, capabilities, 1 if known is None else known.free + 1)

    def remove(self, agent_id: str) -> None:
        entry = self._entries.pop(agent_id, None)
        if entry is None:
            return
        group = self._groups[entry.capabilities]
        del group[agent_id]
        if not group:
            del self._groups[entry.capabilities]

    def take(self, agent_id: str) -> frozenset[str] | None:
        """Take one slot of this agent; its capabilities, or None when it is not ready. What is left queues up again."""
        entry = self._entries.get(agent_id)
        if entry is None:
            return None
        self.remove(agent_id)
        if entry.free > 1:
            entry.free -= 1
            self._append(agent_id, entry)
        return entry.capabilities

    def take_longest_idle(self, needs: frozenset[str]) -> tuple[str, frozenset[str]] | None:
        """Take one slot of the longest idle agent that can do ``needs``: the agent, and its capabilities."""
        best: tuple[int, str] | None = None
        for capabilities, group in self._groups.items():
            if needs <= capabilities:
                agent_id, entry = next(iter(group.items()))
                if best is None or entry.ticket < best[0]:
                    best = (entry.ticket, agent_id)
        if best is None:
            return None
        taken = self.take(best[1])
        assert taken is not None
        return best[1], taken

    def _append(self, agent_id: str, entry: _Entry) -> None:
        self._ticket += 1
        entry.ticket = self._ticket
        self._entries[agent_id] = entry
        self._groups.setdefault(entry.capabilities, OrderedDict())[agent_id] = entry


class BacklogHint:
    """How many ready tasks the scheduler believes in, by needs and by pin. A hint: too high costs one empty claim."""

    def __init__(self) -> None:
        self.by_needs: Counter[frozenset[str]] = Counter()
        self.pinned: Counter[str] = Counter()

    def replace(self, by_needs: dict[frozenset[str], int], pinned: dict[str, int]) -> None:
        self.by_needs = Counter(by_needs)
        self.pinned = Counter(pinned)

    def add(self, needs: frozenset[str], pin: str | None) -> None:
        if pin is not None:
            self.pinned[pin] += 1
        else:
            self.by_needs[needs] += 1

    def drop(self, needs: frozenset[str], pin: str | None) -> None:
        if pin is not None:
            decrement(self.pinned, pin)
        else:
            decrement(self.by_needs, needs)

    def pairs(self, ready: ReadyAgents) -> Iterator[tuple[str, frozenset[str], frozenset[str] | None]]:
        """Take agents for what is believed to wait: (agent, its capabilities, the needs that it was taken for or None for a
        pin). Each pair lowers the belief by one."""
        for pin in [pin for pin in self.pinned if pin in ready]:
            while self.pinned[pin] > 0 and (capabilities := ready.take(pin)) is not None:
                decrement(self.pinned, pin)
                yield pin, capabilities, None
        for needs in list(self.by_needs):
            while self.by_needs[needs] > 0:
                taken = ready.take_longest_idle(needs)
                if taken is None:
                    break
                decrement(self.by_needs, needs)
                yield (*taken, needs)
            if self.by_needs[needs] <= 0:
                del self.by_needs[needs]


def decrement(counter: Counter[str] | Counter[frozenset[str]], key: object) -> None:
    """By one; a key that reaches zero is forgotten."""
    if counter[key] > 1:  # type: ignore[index]
        counter[key] -= 1  # type: ignore[index]
    else:
        del counter[key]
