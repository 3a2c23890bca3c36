"""Keeps the end of what each attempt printed, and shows it to the web processes whose pages look at it.

It only looks on: nobody waits for it, and when it is lost, so is what it kept, and nothing else. Agents' FSMs tell it what
came from the owner of a live attempt; nothing else reaches it.
"""

from __future__ import annotations

from typing import ClassVar

from actors.printouts import Printouts
from actors.vocabulary.names import GATEWAY
from actors.vocabulary.output import OutputPage, Printed, ReadOutput, Show, Watch, WhoWatches
from supervision.actor import Actor


class Output(Actor):
    handles: ClassVar[dict[type, str]] = {Printed: "printed", ReadOutput: "read", Watch: "watch"}

    def __init__(self) -> None:
        super().__init__()
        self._printouts = Printouts()
        self._watchers: dict[int, frozenset[str]] = {}
        """Web process -> the tasks that its pages show."""

    def on_start(self) -> None:
        self.request(GATEWAY, WhoWatches(), self._learn)

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
        if not self._printouts.add(message) or not self._watchers:
            return
        peers = tuple(peer for peer, tasks in self._watchers.items() if message.task_id in tasks)
        if peers:
            self.send(GATEWAY, Show(peers, message))

    def read(self, message: ReadOutput) -> OutputPage:
        return OutputPage(self._printouts.page(message))
