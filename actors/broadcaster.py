"""Turns committed events into one encoded batch per 100 ms, made once for all dashboards and sent to ``Gateway``.

What a reader can rely on. ``first_seq..last_seq`` of a batch covers every number of the bus since the previous batch,
those that browsers are not shown included. So ``first_seq == previous last_seq + 1`` means that nothing is missing. A
snapshot for event ``n`` contains all events up to ``n``, so a batch fits after it when ``first_seq <= n + 1``.
Everything else is a gap, and a fresh snapshot closes it.

There is a gap on purpose when more happened in 100 ms than a page can show (``MAX_EVENTS``): such a batch holds only
its newest event, and ``first_seq`` is that event's number. There is also one when this actor was restarted while events
were published, or when nobody took a batch; none of them needs a word to the reader.

The newest events are kept for pages that open later (``ReadRecent``); after a start these are the last ends of tasks, from the
queue's rows.

Within a batch the last progress of a task and the last state of an agent replace the earlier ones. Nothing is sent when
there is nothing to show; memory is bounded by ``MAX_EVENTS``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import ClassVar

from actors.dashboard_events import browser_event, is_memorable, is_shown, past_event, replaced_key
from actors.vocabulary.dashboard import Batch, ReadRecent, Recent
from actors.vocabulary.events import PRESENCE, TASKS
from actors.vocabulary.names import GATEWAY, TASK_QUEUE
from actors.vocabulary.tasks import ReadFinished
from supervision.actor import Actor
from supervision.bus import Published
from supervision.deferred import Deferred
from wire import codec

#: Seconds from the first event that waits to its batch, and so the least time between two batches: 10 a second.
BATCH_PERIOD_S = 0.1

#: Events that are kept for pages that open later.
RECENT = 100

#: Seconds for the queue to say what was before; without it pages begin with what happened since.
READ_TIMEOUT_S = 5.0

#: Events in one batch, about 100 KB of JSON: more than a reader can follow in 100 ms, less than the encoding of the 4,000 that
#: the hub's budget of 10,000 tasks a second makes in that time, which would take a fifth of the processor.
MAX_EVENTS = 500


@dataclass(frozen=True, slots=True)
class Flush:
    """To itself: the 100 ms are over."""


class Broadcaster(Actor):
    handles: ClassVar[dict[type, str]] = {Published: "collect", Flush: "flush", ReadRecent: "read_recent"}

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[int | str, Published] = {}
        """What the next batch shows, oldest first, by number or by what a later event replaces."""
        self._overflowed = False
        self._sent_seq = 0
        """The last number that a batch covered."""
        self._last_seq = 0
        self._recent: deque[dict[str, object]] = deque(maxlen=RECENT)
        self._is_reading = True
        """What was before is still to come; whoever asks waits for it."""
        self._waiting_readers: list[Deferred] = []

    def on_start(self) -> None:
        for topic in (TASKS, PRESENCE):
            # What was published before the last subscription may be incomplete here: readers see a gap instead.
            self._sent_seq = self._last_seq = self.runtime.bus.subscribe(topic, self.actor_ref)
        self.request(TASK_QUEUE, ReadFinished(RECENT), self._take_past, timeout_s=READ_TIMEOUT_S)

    def collect(self, published: Published) -> None:
        if published.seq <= self._sent_seq:
            return
        self._last_seq = published.seq
        if not is_shown(published.event):
            return
        if not self._waiting:
            self.send_after(BATCH_PERIOD_S, Flush())
        if self._overflowed or len(self._waiting) >= MAX_EVENTS:
            self._overflowed = True
            self._waiting.clear()
        key = replaced_key(published.event) or published.seq
        self._waiting.pop(key, None)  # the later one takes the later place
        self._waiting[key] = published

    def flush(self, _: Flush) -> None:
        shown = [browser_event(waiting.seq, waiting.event) for waiting in self._waiting.values()]
        first_seq = next(iter(self._waiting.values())).seq if self._overflowed else self._sent_seq + 1
        self._waiting.clear()
        self._overflowed = False
        self._sent_seq = self._last_seq
        self._recent.extend(filter(is_memorable, shown))
        without_brackets = codec.encode(shown)[1:-1]
        self.send(GATEWAY, Batch(first_seq, self._last_seq, without_brackets))

    # --- for pages that open later ------------------------------------------------------------------------------------

    def _take_past(self, answer: object) -> None:
        self._is_reading = False
        past = [past_event(end) for end in answer] if isinstance(answer, tuple) else []
        since = {one.get("task_id") for one in self._recent}
        self._recent = deque([*(one for one in past if one["task_id"] not in since), *self._recent], maxlen=RECENT)
        waiting, self._waiting_readers = self._waiting_readers, []
        for deferred in waiting:
            deferred.reply(self._tell_recent())

    def read_recent(self, _: ReadRecent) -> Recent | Deferred:
        if not self._is_reading:
            return self._tell_recent()
        deferred = self.defer()
        self._waiting_readers.append(deferred)
        return deferred

    def _tell_recent(self) -> Recent:
        return Recent(codec.encode(list(self._recent)))
