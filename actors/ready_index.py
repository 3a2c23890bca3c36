"""Queued tasks that wait for nothing but an agent: by what they need, in the order of their lane.

Only what the choice needs is in memory: no texts, no payloads. Finding the best task for an agent costs
O(distinct sets of needs), whatever the number of tasks.
"""

from __future__ import annotations

import heapq
from collections import Counter

from actors.vocabulary.tasks import Backlog, Offer

Place = tuple[int, int, int]
"""(priority, seq, key of the task): the order of the queue."""

Heap = list[Place]


class ReadyIndex:
    def __init__(self) -> None:
        self._by_needs: dict[frozenset[str], Heap] = {}
        self._pinned: dict[str, Heap] = {}
        self._where: dict[int, tuple[int, frozenset[str] | str]] = {}
        """key -> (seq, its group): an entry of a heap with another seq, or without a key here, is gone."""
        self._sizes: Counter[frozenset[str] | str] = Counter()
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, key: int) -> bool:
        return key in self._where

    def add(self, key: int, priority: int, seq: int, needs: frozenset[str], pin: str | None) -> None:
        self.remove(key)
        group: frozenset[str] | str = pin if pin is not None else self._sets.setdefault(needs, needs)
        heap = self._pinned.setdefault(pin, []) if pin is not None else self._by_needs.setdefault(needs, [])
        heapq.heappush(heap, (priority, seq, key))
        self._where[key] = (seq, group)
        self._sizes[group] += 1

    def remove(self, key: int) -> None:
        known = self._where.pop(key, None)
        if known is not None:
            self._sizes[known[1]] -= 1

    def take_best(self, offer: Offer) -> int | None:
        """Remove and return the key of the lowest (priority, seq) that the offered agent can do. A pin is stronger than
        needs: who pins a task has decided."""
        best: Place | None = None
        best_heap: Heap | None = None
        for heap in self._fitting(offer):
            head = self._head(heap)
            if head is not None and (best is None or head < best):
                best, best_heap = head, heap
        if best is None or best_heap is None:
            return None
        heapq.heappop(best_heap)
        self.remove(best[2])
        return best[2]

    def _fitting(self, offer: Offer) -> list[Heap]:
        heaps = [heap for needs, heap in self._by_needs.items() if needs <= offer.capabilities]
        pinned = self._pinned.get(offer.agent_id)
        return [*heaps, pinned] if pinned is not None else heaps

    def _head(self, heap: Heap) -> Place | None:
        while heap:
            head = heap[0]
            known = self._where.get(head[2])
            if known is not None and known[0] == head[1]:
                return head
            heapq.heappop(heap)
        return None

    def backlog(self) -> Backlog:
        """How many there are; groups that became empty are forgotten on the way."""
        by_needs: dict[frozenset[str], int] = {}
        pinned: dict[str, int] = {}
        for group, size in list(self._sizes.items()):
            if size <= 0:
                self._forget_group(group)
            elif isinstance(group, str):
                pinned[group] = size
            else:
                by_needs[group] = size
        return Backlog(by_needs, pinned)

    def _forget_group(self, group: frozenset[str] | str) -> None:
        del self._sizes[group]
        if isinstance(group, str):
            self._pinned.pop(group, None)
        else:
            self._by_needs.pop(group, None)
            self._sets.pop(group, None)
