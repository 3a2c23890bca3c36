"""Queued tasks that were written a moment ago, kept in memory because most are claimed a moment later. Bounded."""

from __future__ import annotations

from collections import OrderedDict

from actors.vocabulary.tasks import QUEUED, Task

#: Together these keep a long queue out of memory: what does not fit is read from the database when it is claimed.
MAX_TASKS = 20_000
MAX_CHARACTERS = 32 * 1024 * 1024


class RecentTasks:
    """The oldest makes room. ``size`` is an estimate of the characters of a task's texts."""

    def __init__(self, max_tasks: int = MAX_TASKS, max_characters: int = MAX_CHARACTERS) -> None:
        self._max_tasks = max_tasks
        self._max_characters = max_characters
        self._tasks: OrderedDict[int, tuple[Task, int]] = OrderedDict()
        self._characters = 0

    def get(self, key: int) -> Task | None:
        known = self._tasks.get(key)
        return known[0] if known is not None else None

    def note(self, task: Task, size: int) -> None:
        """A committed task: keep it while it is queued, forget it afterwards."""
        self.forget(task.key)
        if task.status is not QUEUED:
            return
        self._tasks[task.key] = (task, size)
        self._characters += size
        while len(self._tasks) > self._max_tasks or self._characters > self._max_characters:
            self._characters -= self._tasks.popitem(last=False)[1][1]

    def forget(self, key: int) -> None:
        known = self._tasks.pop(key, None)
        if known is not None:
            self._characters -= known[1]
