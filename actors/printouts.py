"""The ends of what tasks printed: a ring for each attempt, and one bound over all of them. Pure: the time is an argument.

Parts are kept as they came, encoded, and are only opened where a page begins or ends inside one. When there is too much of
everything, the attempt that has been silent longest goes first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from actors.vocabulary.output import Printed, ReadOutput, Tail
from wire import codec

#: Bytes kept of one attempt, and of all together.
ATTEMPT_BYTES = 2 * 1024 * 1024
TOTAL_BYTES = 64 * 1024 * 1024

#: Bytes of lines of one attempt that are stored, so that they outlive this process.
TAIL_BYTES = 64 * 1024

#: Tails that are handed out to be stored at once: a megabyte; and at the end.
TAILS_AT_ONCE = 16
LAST_TAILS = 128

#: Seconds of silence after which a tail is stored, for it may have been the end; and the longest that one waits while its task
#: prints on and on. One that was stored is not stored again before so many seconds have passed.
QUIET_S = 2.0
LONGEST_S = 60.0
AGAIN_S = 20.0

#: What a part costs beside its lines.
PART_BYTES = 256


@dataclass(slots=True)
class Part:
    first_seq: int
    last_seq: int
    lines: bytes

    def between(self, first: int, last: int) -> bytes:
        """Those of its lines that lie within, at least one."""
        if first <= self.first_seq and self.last_seq <= last:
            return self.lines
        lines = codec.decode_own(b"[" + self.lines + b"]")
        return codec.encode(lines[max(0, first - self.first_seq) : last - self.first_seq + 1])[1:-1]


class Printout:
    """Of one attempt."""

    def __init__(self, agent_id: str) -> None:
        self.agent_id = agent_id
        self.size = 0
        self.changed_from_s: float | None = None
        """Since when there is something that is not stored."""
        self.printed_s = 0.0
        self.stored_s = float("-inf")
        self._parts: deque[Part] = deque()

    @property
    def first_seq(self) -> int:
        """The oldest line that is kept; ``last_seq`` + 1 when none is."""
        return self._parts[0].first_seq if self._parts else 1

    @property
    def last_seq(self) -> int:
        return self._parts[-1].last_seq if self._parts else 0

    def add(self, part: Part, limit: int) -> bool:
        """False: known already. Line 1 begins anew: the attempt was begun again by an agent that had lost it."""
        if part.first_seq == 1:
            self._parts.clear()
            self.size = 0
        elif part.first_seq <= self.last_seq:
            return False
        self._parts.append(part)
        self.size += len(part.lines) + PART_BYTES
        while self.size > limit and len(self._parts) > 1:
            self.size -= len(self._parts.popleft().lines) + PART_BYTES
        return True

    def put_before(self, parts: list[Part]) -> None:
        """What was stored of it before, as far as it is from before what is here."""
        for part in reversed(parts):
            if not self._parts or part.last_seq < self.first_seq:
                self._parts.appendleft(part)
                self.size += len(part.lines) + PART_BYTES

    def is_due(self, now_s: float) -> bool:
        """Whether its tail is to be stored now."""
        if self.changed_from_s is None or now_s - self.stored_s < AGAIN_S:
            return False
        return now_s - self.printed_s >= QUIET_S or now_s - self.changed_from_s >= LONGEST_S

    def tail(self) -> list[Part]:
        """Its last lines, ``TAIL_BYTES`` of them, and at least one."""
        found: list[Part] = []
        left = TAIL_BYTES
        for part in reversed(self._parts):
            if len(part.lines) > left:
                if cut := _end_of(part, left, is_needed=not found):
                    found.append(cut)
                break
            found.append(part)
            left -= len(part.lines)
        return found[::-1]

    def select(self, query: ReadOutput) -> list[Part]:
        """What ``query`` asks for, oldest first. Between two parts numbers may be missing."""
        if query.after is not None:
            found = list(self._after(query.after, query.limit))
        else:
            end = self.last_seq if query.before is None else query.before - 1
            found = list(reversed(list(self._up_to(end, query.limit))))
        return [Part(first, last, part.between(first, last)) for part, first, last in found]

    def _after(self, seq: int, limit: int) -> Iterator[tuple[Part, int, int]]:
        for part in self._parts:
            if part.last_seq > seq and limit > 0:
                first = max(part.first_seq, seq + 1)
                last = min(part.last_seq, first + limit - 1)
                limit -= last - first + 1
                yield part, first, last

    def _up_to(self, seq: int, limit: int) -> Iterator[tuple[Part, int, int]]:
        for part in reversed(self._parts):
            if part.first_seq <= seq and limit > 0:
                last = min(part.last_seq, seq)
                first = max(part.first_seq, last - limit + 1)
                limit -= last - first + 1
                yield part, first, last


class Printouts:
    def __init__(self, attempt_bytes: int = ATTEMPT_BYTES, total_bytes: int = TOTAL_BYTES) -> None:
        self._attempt_bytes = attempt_bytes
        self._total_bytes = total_bytes
        self._tasks: dict[str, dict[int, Printout]] = {}
        self._by_age: dict[tuple[str, int], Printout] = {}
        """The one that printed last stands last."""
        self._changed: dict[tuple[str, int], Printout] = {}
        """Those of which something is not stored, the one that waits longest first."""
        self.size = 0

    def add(self, printed: Printed, now_s: float = 0.0) -> bool:
        """False: it is known already."""
        key = printed.task_id, printed.generation
        printout = self._by_age.get(key)
        if printout is None:
            printout = Printout(printed.agent_id)
            self._tasks.setdefault(printed.task_id, {})[printed.generation] = printout
        before = printout.size
        part = Part(printed.first_seq, printed.first_seq + printed.count - 1, printed.lines)
        is_new = printout.add(part, self._attempt_bytes)
        self.size += printout.size - before
        if is_new:
            printout.printed_s = now_s
            if printout.changed_from_s is None:
                printout.changed_from_s = now_s
                self._changed[key] = printout
        self._by_age.pop(key, None)
        self._by_age[key] = printout
        self._bound()
        return is_new

    def _bound(self) -> None:
        while self.size > self._total_bytes and len(self._by_age) > 1:
            self._forget(next(iter(self._by_age)))

    def _forget(self, key: tuple[str, int]) -> None:
        self.size -= self._by_age.pop(key).size
        self._changed.pop(key, None)
        attempts = self._tasks[key[0]]
        del attempts[key[1]]
        if not attempts:
            del self._tasks[key[0]]

    # --- what outlives this process -----------------------------------------------------------------------------------

    @property
    def is_stored(self) -> bool:
        """Whether there is nothing to store, now or later."""
        return not self._changed

    def due(self, now_s: float) -> list[tuple[str, int]]:
        """(task, generation) of what is to be stored now, as many as are stored at once."""
        return list(islice((key for key, one in self._changed.items() if one.is_due(now_s)), TAILS_AT_ONCE))

    def changed(self) -> list[tuple[str, int]]:
        """The same of everything that is not stored, at the end; bounded all the same."""
        return list(islice(self._changed, LAST_TAILS))

    def begins(self, key: tuple[str, int]) -> bool:
        """Whether all that the attempt printed is here."""
        return self._by_age[key].first_seq == 1

    def take_tails(self, keys: Iterable[tuple[str, int]], now_s: float) -> list[Tail]:
        """They count as stored from here on."""
        tails = []
        for task_id, generation in keys:
            printout = self._changed.pop((task_id, generation))
            printout.changed_from_s, printout.stored_s = None, now_s
            parts = b"[" + b",".join(encoded(part) for part in joined(printout.tail())) + b"]"
            tails.append(Tail(task_id, generation, printout.agent_id, parts))
        return tails

    def has(self, task_id: str) -> bool:
        return task_id in self._tasks

    def knows_begin(self, task_id: str) -> bool:
        """Whether nothing that was stored of the task can be missing here."""
        attempts = self._tasks.get(task_id, {})
        return bool(attempts) and all(one.first_seq == 1 for one in attempts.values()) and min(attempts) == 1

    def restore(self, tail: Tail) -> None:
        """What an earlier process stored, behind what is here already."""
        key = tail.task_id, tail.generation
        printout = self._by_age.get(key)
        if printout is None:
            printout = Printout(tail.agent_id)
            self._tasks.setdefault(tail.task_id, {})[tail.generation] = printout
            self._by_age[key] = printout
        before = printout.size
        printout.put_before([_part_of(one) for one in codec.decode_own(tail.parts)])
        self.size += printout.size - before
        self._bound()

    def page(self, query: ReadOutput) -> bytes:
        """See ``OutputPage``."""
        attempts = self._tasks.get(query.task_id, {})
        generation = query.generation if query.generation is not None else max(attempts, default=None)
        printout = attempts.get(generation) if generation is not None else None
        about = {
            "generation": generation if printout is not None else None,
            "agent_id": printout.agent_id if printout is not None else None,
            "kept_from": printout.first_seq if printout is not None else 1,
            "last_seq": printout.last_seq if printout is not None else 0,
            "attempts": [
                {"generation": number, "agent_id": one.agent_id, "last_seq": one.last_seq}
                for number, one in sorted(attempts.items())
            ],
        }
        parts = joined(printout.select(query)) if printout is not None else []
        return codec.encode(about)[:-1] + b',"parts":[' + b",".join(encoded(part) for part in parts) + b"]}"


def joined(parts: Iterable[Part]) -> list[Part]:
    """The same lines in as few parts as there are runs of numbers."""
    runs: list[list[Part]] = []
    for part in parts:
        if runs and runs[-1][-1].last_seq + 1 == part.first_seq:
            runs[-1].append(part)
        else:
            runs.append([part])
    return [Part(run[0].first_seq, run[-1].last_seq, b",".join(one.lines for one in run)) for run in runs]


def encoded(part: Part) -> bytes:
    return b'{"first_seq":%d,"lines":[%b]}' % (part.first_seq, part.lines)


def _part_of(stored: dict[str, Any]) -> Part:
    lines = stored["lines"]
    return Part(stored["first_seq"], stored["first_seq"] + len(lines) - 1, codec.encode(lines)[1:-1])


def _end_of(part: Part, size: int, *, is_needed: bool) -> Part | None:
    """The last lines of a part that fit; one of them in any case when it is needed."""
    lines = codec.decode_own(b"[" + part.lines + b"]")
    kept: list[bytes] = []
    for line in reversed(lines):
        encoded_line = codec.encode(line)
        size -= len(encoded_line) + 1
        if size < 0 and (kept or not is_needed):
            break
        kept.append(encoded_line)
    if not kept:
        return None
    return Part(part.last_seq - len(kept) + 1, part.last_seq, b",".join(reversed(kept)))
