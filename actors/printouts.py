"""The ends of what tasks printed: a ring for each attempt, and one bound over all of them. Pure.

Parts are kept as they came, encoded, and are only opened where a page begins or ends inside one. When there is too much of
everything, the attempt that has been silent longest goes first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from actors.vocabulary.output import Printed, ReadOutput
from wire import codec

#: Bytes kept of one attempt, and of all together.
ATTEMPT_BYTES = 2 * 1024 * 1024
TOTAL_BYTES = 64 * 1024 * 1024

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
        self.size = 0

    def add(self, printed: Printed) -> bool:
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
        self._by_age.pop(key, None)
        self._by_age[key] = printout
        while self.size > self._total_bytes and len(self._by_age) > 1:
            self._forget(next(iter(self._by_age)))
        return is_new

    def _forget(self, key: tuple[str, int]) -> None:
        self.size -= self._by_age.pop(key).size
        attempts = self._tasks[key[0]]
        del attempts[key[1]]
        if not attempts:
            del self._tasks[key[0]]

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
