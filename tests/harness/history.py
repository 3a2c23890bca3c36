"""What clients saw, one JSON line for each request they began and one for each answer they read.

    {"kind": "invoke", "id": 7, "client": "submitter-1", "at": 12.5, "op": "submit", "args": {...}}
    {"kind": "return", "id": 7, "client": "submitter-1", "at": 12.6, "outcome": "ok", "value": {...}}

``at`` is the client's monotonic clock; all clients of a history run on one machine and share it. ``outcome``: ``ok``; ``fail``
(an answer that promises "nothing was changed"); ``unknown`` (a timeout, a reset, a 5xx). An operation that was invoked and never
returned is unknown too, and its interval stays open to the end.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

OK, FAIL, UNKNOWN = "ok", "fail", "unknown"


@dataclass(frozen=True, slots=True)
class Operation:
    """One request as its client saw it. ``end`` is infinite when no answer was read."""

    client: str
    op: str
    args: dict[str, Any]
    start: float
    end: float = math.inf
    outcome: str = UNKNOWN
    value: dict[str, Any] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        return self.outcome != UNKNOWN


class Call:
    """An operation that runs. Without ``ok`` or ``fail`` it stays unknown."""

    def __init__(self) -> None:
        self.outcome = UNKNOWN
        self.value: dict[str, Any] = {}

    def ok(self, **value: Any) -> None:
        self.outcome, self.value = OK, value

    def fail(self, **value: Any) -> None:
        self.outcome, self.value = FAIL, value


class History:
    """Written by many threads of one process; the invoke line is on its way to the file before the request leaves."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = path.open("a", buffering=1)
        self._clock = clock
        self._ids = count(1)
        self._lock = threading.Lock()

    @contextmanager
    def call(self, client: str, op: str, **args: Any) -> Iterator[Call]:
        """Record one request; an exception inside leaves its outcome unknown and goes on to the caller."""
        with self._lock:
            number = next(self._ids)
            self._write(kind="invoke", id=number, client=client, at=self._clock(), op=op, args=args)
        call = Call()
        try:
            yield call
        finally:
            with self._lock:
                end = {"at": self._clock(), "outcome": call.outcome, "value": call.value}
                self._write(kind="return", id=number, client=client, **end)

    def _write(self, **line: Any) -> None:
        self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> list[Operation]:
    """The operations of one file by the time of their start. A torn last line of a killed writer is skipped."""
    return sorted(parse(path.read_text().splitlines()), key=lambda operation: operation.start)


def parse(lines: Iterable[str]) -> Iterator[Operation]:
    pending: dict[tuple[str, int], dict[str, Any]] = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        key = entry["client"], entry["id"]
        if entry["kind"] == "invoke":
            pending[key] = entry
            continue
        begun = pending.pop(key)
        known = entry["outcome"] != UNKNOWN
        end = entry["at"] if known else math.inf
        value = entry.get("value") or {}
        yield Operation(entry["client"], begun["op"], begun["args"], begun["at"], end, entry["outcome"], value)
    for begun in pending.values():
        yield Operation(begun["client"], begun["op"], begun["args"], begun["at"])
