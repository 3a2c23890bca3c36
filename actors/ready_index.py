"""Queued tasks that wait for nothing but an agent: by what they need, in the order of their lane.

Only what the choice needs is in memory: no texts, no payloads. Finding the best task for an agent costs
O(distinct sets of needs), whatever the number of tasks.
"""

from __future__ import annotations

import heapq
from collections import Counter

from actors.vocabulary.tasks import Backlog, Offer

Key = tuple[int, int, str]
"""(priority, seq, id): the order of the queue."""

Heap = list[Key]


class ReadyIndex:
    def __init__(self) -> None:
        self._by_needs: dict[frozenset[str], Heap] = {}
        self._pinned: dict[str, Heap] = {}
        self._where: dict[str, tuple[int, frozenset[str] | str]] = {}
        """id -> (seq, its group): an entry of a heap with another seq, or without an id here, is gone."""
        self._sizes: Counter[frozenset[str] | str] = Counter()
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._where

    def add(self, task_id: str, priority: int, seq: int, needs: frozenset[str], pin: str | None) -> None:
        self.remove(task_id)
        group: frozenset[str] | str = pin if pin is not None else self._sets.setdefault(needs, needs)
        heap = self._pinned.setdefault(pin, []) if pin is not None else self._by_needs.setdefault(needs, [])
        heapq.heappush(heap, (priority, seq, task_id))
        self._where[task_id] = (seq, group)
        self._sizes[group] += 1

    def remove(self, task_id: str) -> None:
        known = self._where.pop(task_id, None)
        if known is not None:
            self._sizes[known[1]] -= 1

    def take_best(self, offer: Offer) -> str | None:
        """Remove and return the id of the lowest (priority, seq) that the offered agent can do. A pin is stronger than
        needs: who pins a task has decided."""
        best: Key | None = None
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

    def _head(self, heap: Heap) -> Key | None:
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
