"""Which ready agent should be offered work next: pure bookkeeping for the scheduler.

Agents are grouped by their set of capabilities and ordered by how long they have been idle, so that a decision costs
O(distinct capability sets) and not O(agents).
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator


class ReadyAgents:
    """Ready agents, longest idle first within each group of equal capabilities."""

    def __init__(self) -> None:
        self._groups: dict[frozenset[str], OrderedDict[str, int]] = {}
        self._capabilities: dict[str, frozenset[str]] = {}
        self._ticket = 0

    def __len__(self) -> int:
        return len(self._capabilities)

    def __contains__(self, agent_id: str) -> bool:
        return agent_id in self._capabilities

    def add(self, agent_id: str, capabilities: frozenset[str]) -> None:
        """Behind everybody who is ready already. An agent that is ready keeps its place."""
        known = self._capabilities.get(agent_id)
        if known == capabilities:
            return
        if known is not None:
            self.remove(agent_id)
        self._ticket += 1
        self._insert(agent_id, capabilities, self._ticket)

    def _insert(self, agent_id: str, capabilities: frozenset[str], ticket: int) -> None:
        self._capabilities[agent_id] = capabilities
        self._groups.setdefault(capabilities, OrderedDict())[agent_id] = ticket

    def remove(self, agent_id: str) -> None:
        capabilities = self._capabilities.pop(agent_id, None)
        if capabilities is None:
            return
        group = self._groups[capabilities]
        del group[agent_id]
        if not group:
            del self._groups[capabilities]

    def take(self, agent_id: str) -> frozenset[str] | None:
        """Remove one agent; its capabilities, or None when it is not ready."""
        capabilities = self._capabilities.get(agent_id)
        if capabilities is not None:
            self.remove(agent_id)
        return capabilities

    def take_longest_idle(self, needs: frozenset[str]) -> tuple[str, frozenset[str]] | None:
        """Remove and return the longest idle agent that can do ``needs``, with its capabilities."""
        best: tuple[int, str, frozenset[str]] | None = None
        for capabilities, group in self._groups.items():
            if needs <= capabilities:
                agent_id, ticket = next(iter(group.items()))
                if best is None or ticket < best[0]:
                    best = (ticket, agent_id, capabilities)
        if best is None:
            return None
        self.remove(best[1])
        return best[1], best[2]


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
            _decrement(self.pinned, pin)
        else:
            _decrement(self.by_needs, needs)

    def pairs(self, ready: ReadyAgents) -> Iterator[tuple[str, frozenset[str], frozenset[str] | None]]:
        """Take agents for what is believed to wait: (agent, its capabilities, the needs that it was taken for or None for a
        pin). Each pair lowers the belief by one."""
        for pin in [pin for pin in self.pinned if pin in ready]:
            capabilities = ready.take(pin)
            if capabilities is not None:
                _decrement(self.pinned, pin)
                yield pin, capabilities, None
        for needs in list(self.by_needs):
            while self.by_needs[needs] > 0:
                taken = ready.take_longest_idle(needs)
                if taken is None:
                    break
                _decrement(self.by_needs, needs)
                yield (*taken, needs)
            if self.by_needs[needs] <= 0:
                del self.by_needs[needs]


def _decrement(counter: Counter[str] | Counter[frozenset[str]], key: object) -> None:
    if counter[key] > 1:  # type: ignore[index]
        counter[key] -= 1  # type: ignore[index]
    else:
        del counter[key]
