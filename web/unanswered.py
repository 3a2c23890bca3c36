"""What an agent said and the hub has not answered yet, so that a hub that was killed meanwhile is told again.

The agent's connection survives the hub, so the agent does not know that its frame got lost and would wait for ever. Repeating
is safe: results carry task and generation, and the hub answers the same result the same way twice. Pure, and bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wire.answers import ANSWERED

#: These name their generation, so that they can be repeated at any time without harm.
REPEATABLE = frozenset({"task_complete", "task_failed"})


@dataclass(slots=True)
class Said:
    frame: dict[str, Any]
    size: int
    """Bytes of the frame as it came."""
    sent_at: float | None
    """When it last went to the hub, in seconds of the loop's clock; None: it has not yet."""


class Unanswered:
    """The frames of one connection, oldest first."""

    def __init__(self, max_frames: int, max_bytes: int) -> None:
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._bytes = 0
        self._said: deque[Said] = deque()

    def __len__(self) -> int:
        return len(self._said)

    def keep(self, frame: dict[str, Any], size: int, sent_at: float | None) -> bool:
        """Remember a frame. False: it was not sent, and there is no room to keep it until it can be.

        One that was sent always gets room, at the cost of the oldest: the hub has had longest to answer that. A lone frame
        fits whatever its size.
        """
        if sent_at is not None and frame["type"] not in ANSWERED:
            return True
        while self._said and (len(self._said) >= self._max_frames or self._bytes + size > self._max_bytes):
            if sent_at is None:
                return False
            self._drop(self._said[0])
        self._said.append(Said(frame, size, sent_at))
        self._bytes += size
        return True

    def answered(self, type_: str, task_id: str | None) -> None:
        """The hub answered a frame of this type about this task: forget the oldest one."""
        for said in self._said:
            if said.frame["type"] == type_ and said.frame.get("task_id") == task_id:
                self._drop(said)
                return

    def send_again(self, now: float) -> Iterator[dict[str, Any]]:
        """Every frame, for a hub that came back."""
        for said in list(self._said):
            said.sent_at = now
            if said.frame["type"] not in ANSWERED:
                self._drop(said)
            yield said.frame

    def overdue(self, now: float, patience_s: float) -> Iterator[dict[str, Any]]:
        """Results that the hub got long ago and has not answered, although it was there all the time."""
        for said in self._said:
            is_late = said.sent_at is not None and now - said.sent_at >= patience_s
            if is_late and said.frame["type"] in REPEATABLE:
                said.sent_at = now
                yield said.frame

    def _drop(self, said: Said) -> None:
        self._said.remove(said)
        self._bytes -= said.size
