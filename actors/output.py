"""Keeps the end of what each attempt printed, and shows it to the web processes whose pages look at it.

It only looks on: nobody waits for it, and when it is lost, so is what it kept, and nothing else. Agents' FSMs tell it what
came from the owner of a live attempt; nothing else reaches it.

The last lines of each attempt it hands to ``TaskQueue`` for the database, when the attempt has been silent for a moment: so they
outlive the hub, and a task that prints nothing costs nothing. Whoever asks for a task of which it does not know everything is
answered after a look at what was stored.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import ClassVar

from actors.printouts import Printouts
from actors.vocabulary.names import GATEWAY, TASK_QUEUE
from actors.vocabulary.output import (
    OutputPage,
    Printed,
    ReadOutput,
    ReadTails,
    SaveSoon,
    SaveTails,
    Show,
    Watch,
    WhoWatches,
)
from supervision.actor import Actor
from supervision.deferred import Deferred
from supervision.exits import ExitReason

#: Seconds between two looks at what is to be stored, while there is something.
SAVE_PERIOD_S = 1.0

#: Seconds for the queue to say what was stored; a page is answered without it then.
READ_TIMEOUT_S = 2.0

#: Seconds for the last tails to be stored when this actor is stopped; less than its supervisor gives it.
LAST_WORD_S = 1.0

#: Tasks of which it is remembered that what was stored of them is here.
TASKS_READ = 10_000


class Output(Actor):
    handles: ClassVar[dict[type, str]] = {
        Printed: "printed",
        ReadOutput: "read",
        Watch: "watch",
        SaveSoon: "save",
    }

    def __init__(self) -> None:
        super().__init__()
        self._printouts = Printouts()
        self._watchers: dict[int, frozenset[str]] = {}
        """Web process -> the tasks that its pages show."""
        self._was_read: OrderedDict[str, bool] = OrderedDict()
        """Task -> whether something was stored of it."""
        self._is_saving = False
        """Whether a look at what is to be stored is on its way."""

    def on_start(self) -> None:
        self.request(GATEWAY, WhoWatches(), self._learn)

    def on_stop_request(self, reason: ExitReason) -> None:
        """The queue is stopped after this actor, so what is handed to it now is stored."""
        keys = [key for key in self._printouts.changed() if self._may_store(key)]
        last = SaveTails(tuple(self._printouts.take_tails(keys, self.runtime.clock.monotonic())))
        if not last.tails:
            self.cell.finish_orderly(reason)
            return
        self.request(TASK_QUEUE, last, lambda _: self.cell.finish_orderly(reason), timeout_s=LAST_WORD_S)

    def _learn(self, answer: object) -> None:
        for watch in answer if isinstance(answer, tuple) else ():
            if watch.peer not in self._watchers:  # what it said to us itself is newer
                self.watch(watch)

    def watch(self, message: Watch) -> None:
        if message.task_ids:
            self._watchers[message.peer] = frozenset(message.task_ids)
        else:
            self._watchers.pop(message.peer, None)

    def printed(self, message: Printed) -> None:
        if not self._printouts.add(message, self.runtime.clock.monotonic()):
            return
        self._save_soon()
        if not self._watchers:
            return
        peers = tuple(peer for peer, tasks in self._watchers.items() if message.task_id in tasks)
        if peers:
            self.send(GATEWAY, Show(peers, message))

    # --- what outlives this process -----------------------------------------------------------------------------------

    def _save_soon(self) -> None:
        if not self._is_saving:
            self._is_saving = True
            self.send_after(SAVE_PERIOD_S, SaveSoon())

    def save(self, _: SaveSoon) -> None:
        self._is_saving = False
        now_s = self.runtime.clock.monotonic()
        due = self._printouts.due(now_s)
        for task_id in {key[0] for key in due if not self._may_store(key)}:
            self._recall(task_id, lambda: None)
        tails = self._printouts.take_tails([key for key in due if self._may_store(key)], now_s)
        if tails:
            self.send(TASK_QUEUE, SaveTails(tuple(tails)))
        if not self._printouts.is_stored:
            self._save_soon()

    def _may_store(self, key: tuple[str, int]) -> bool:
        """Not before what was stored of it is here again: else a longer tail would be replaced by a shorter one."""
        return self._printouts.begins(key) or key[0] in self._was_read

    def read(self, message: ReadOutput) -> OutputPage | Deferred:
        if self._knows_all(message.task_id):
            return OutputPage(self._printouts.page(message))
        deferred = self.defer()
        self._recall(message.task_id, lambda: deferred.reply(OutputPage(self._printouts.page(message))))
        return deferred

    def _knows_all(self, task_id: str) -> bool:
        if self._printouts.has(task_id):
            return task_id in self._was_read or self._printouts.knows_begin(task_id)
        return self._was_read.get(task_id) is False

    def _recall(self, task_id: str, then: Callable[[], object]) -> None:
        """What was stored of a task, behind what is here of it."""

        def answered(tails: object) -> None:
            if isinstance(tails, tuple):
                for tail in tails:
                    self._printouts.restore(tail)
                self._was_read[task_id] = bool(tails)
                if len(self._was_read) > TASKS_READ:
                    self._was_read.popitem(last=False)
            then()

        self.request(TASK_QUEUE, ReadTails(task_id), answered, timeout_s=READ_TIMEOUT_S)
