"""What one page looks at besides the overview: single tasks, and what they print. No I/O.

    task:ID     {"type":"task","view","seq","boot_id"}: something happened to it; what, is read at its route
    output:ID   {"type":"output","view","generation","parts":[{"first_seq","lines"}],"missed"}: lines that it printed

Of a task that changed several times before its frame goes, one frame goes. Of output that waits too long all is dropped, and
the next frame says ``missed``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from link.messages import TaskPrinted
from web.output_feed import OutputFeed
from web.ws_frames import text_frame
from wire import codec

TASK = "task"
OUTPUT = "output"

#: Bytes of output that may wait for one page and task, and that one frame holds.
MAX_WAITING = 512 * 1024
FRAME_BYTES = 128 * 1024


class View(Protocol):
    def open(self) -> None: ...

    def close(self) -> None: ...

    def next_frame(self) -> bytes | None: ...


class Changes(Protocol):
    """Who knows that something happened to a task (``DashboardFeed``)."""

    boot_id: str

    @property
    def last_seq(self) -> int | None: ...

    def watch_task(self, task_id: str, view: TaskView) -> None: ...

    def unwatch_task(self, task_id: str, view: TaskView) -> None: ...


class TaskView:
    """``wake`` is called when there is a frame."""

    def __init__(self, task_id: str, changes: Changes, wake: Callable[[], None]) -> None:
        self._task_id = task_id
        self._changes = changes
        self._wake = wake
        self._is_changed = False

    def open(self) -> None:
        self._changes.watch_task(self._task_id, self)

    def close(self) -> None:
        self._changes.unwatch_task(self._task_id, self)

    def changed(self) -> None:
        self._is_changed = True
        self._wake()

    def next_frame(self) -> bytes | None:
        if not self._is_changed:
            return None
        self._is_changed = False
        view = f"{TASK}:{self._task_id}"
        about = {"type": TASK, "view": view, "seq": self._changes.last_seq, "boot_id": self._changes.boot_id}
        return text_frame(codec.encode(about))


class OutputView:
    def __init__(self, task_id: str, feed: OutputFeed, wake: Callable[[], None]) -> None:
        self._task_id = task_id
        self._feed = feed
        self._wake = wake
        self._waiting: deque[TaskPrinted] = deque()
        self._size = 0
        self._has_missed = False

    def open(self) -> None:
        self._feed.watch(self._task_id, self)

    def close(self) -> None:
        self._feed.unwatch(self._task_id, self)

    def printed(self, printed: TaskPrinted) -> None:
        self._waiting.append(printed)
        self._size += len(printed.lines)
        if self._size > MAX_WAITING:
            self.missed()
        else:
            self._wake()

    def missed(self) -> None:
        self._waiting.clear()
        self._size = 0
        self._has_missed = True
        self._wake()

    def next_frame(self) -> bytes | None:
        """Parts of one attempt, as many as fit, at least one."""
        if not self._waiting and not self._has_missed:
            return None
        generation = self._waiting[0].generation if self._waiting else None
        parts: list[bytes] = []
        size = 0
        while self._waiting and self._waiting[0].generation == generation:
            printed = self._waiting[0]
            if parts and size + len(printed.lines) > FRAME_BYTES:
                break
            self._waiting.popleft()
            size += len(printed.lines)
            parts.append(b'{"first_seq":%d,"lines":[%b]}' % (printed.first_seq, printed.lines))
        self._size -= size
        missed, self._has_missed = self._has_missed, False
        view = f"{OUTPUT}:{self._task_id}"
        about = {"type": OUTPUT, "view": view, "generation": generation, "missed": missed}
        return text_frame(codec.encode(about)[:-1] + b',"parts":[' + b",".join(parts) + b"]}")


class PageViews:
    """At most ``limit`` at once; each gets its turn."""

    def __init__(self, changes: Changes, output: OutputFeed, wake: Callable[[], None], limit: int) -> None:
        self._changes = changes
        self._output = output
        self._wake = wake
        self._limit = limit
        self._views: dict[str, View] = {}

    def open(self, kind: str, task_id: str) -> bool:
        """False: there are too many."""
        name = f"{kind}:{task_id}"
        if name in self._views:
            return True
        if len(self._views) >= self._limit:
            return False
        view: View = (
            TaskView(task_id, self._changes, self._wake)
            if kind == TASK
            else OutputView(task_id, self._output, self._wake)
        )
        self._views[name] = view
        view.open()
        return True

    def close(self, kind: str, task_id: str) -> None:
        view = self._views.pop(f"{kind}:{task_id}", None)
        if view is not None:
            view.close()

    def close_all(self) -> None:
        for view in self._views.values():
            view.close()
        self._views.clear()

    def next_frame(self) -> bytes | None:
        for name, view in list(self._views.items()):
            frame = view.next_frame()
            if frame is not None:
                self._views[name] = self._views.pop(name)  # whose turn it was comes last
                return frame
        return None
