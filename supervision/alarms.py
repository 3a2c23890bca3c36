"""Alarms about actors: raised above one mark, cleared below a lower one, so that a value at the edge does not flicker. Pure.

Modelled on Erlang's ``system_monitor`` (long_schedule, long_message_queue) for what threads under one interpreter can suffer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LONG_HANDLER = "long_handler"
MAILBOX_HIGH = "mailbox_high"
INTERPRETER_STALLED = "interpreter_stalled"
ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class AlarmOptions:
    long_handler_s: float = 5.0
    """One message takes so long: the actor hangs or does what belongs into a process."""
    mailbox_high: int = 10_000
    mailbox_low: int = 1_000
    stall_s: float = 1.0
    """A tick that comes so late: something held the interpreter, or the machine slept."""
    stall_clear_s: float = 30.0
    """A stall is over at once; its alarm stays so long, so that somebody can see it."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What is looked at of one actor: seconds at the message in hand (None: idle), and how many wait."""

    name: str
    busy_s: float | None
    handling: str | None
    mailbox: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """``subject``: the actor, or "interpreter". ``since_s``: monotonic seconds."""

    id: str
    subject: str
    message: str
    since_s: float


class Alarms:
    def __init__(self, options: AlarmOptions | None = None) -> None:
        self.options = options or AlarmOptions()
        self._active: dict[tuple[str, str], Alarm] = {}

    @property
    def active(self) -> tuple[Alarm, ...]:
        """Oldest first."""
        return tuple(sorted(self._active.values(), key=lambda alarm: (alarm.since_s, alarm.id, alarm.subject)))

    def look(
        self, sights: Iterable[Sight], abandoned: int, late_s: float, now: float
    ) -> tuple[list[Alarm], list[Alarm]]:
        """One look; the alarms that it raised and those that it cleared. ``late_s``: how late this look itself came."""
        before = dict(self._active)
        seen = {sight.name: sight for sight in sights}
        for sight in seen.values():
            self._look_at(sight, now)
        for id_, subject in list(self._active):
            if id_ in (LONG_HANDLER, MAILBOX_HIGH) and subject not in seen:
                del self._active[id_, subject]
        self._look_at_interpreter(late_s, now)
        self._set(ABANDONED, "threads", abandoned > 0, f"{abandoned} handlers of ended actors still run", now)
        raised = [alarm for key, alarm in self._active.items() if key not in before]
        cleared = [alarm for key, alarm in before.items() if key not in self._active]
        return raised, cleared

    def _look_at(self, sight: Sight, now: float) -> None:
        is_long = sight.busy_s is not None and sight.busy_s >= self.options.long_handler_s
        said = f"at {sight.handling} for {sight.busy_s or 0:.0f} s"
        self._set(LONG_HANDLER, sight.name, is_long, said, now)
        mark = self.options.mailbox_low if (MAILBOX_HIGH, sight.name) in self._active else self.options.mailbox_high
        self._set(MAILBOX_HIGH, sight.name, sight.mailbox >= mark, f"{sight.mailbox} messages wait", now)

    def _look_at_interpreter(self, late_s: float, now: float) -> None:
        key = (INTERPRETER_STALLED, "interpreter")
        known = self._active.get(key)
        if late_s >= self.options.stall_s:
            self._active[key] = Alarm(*key, f"nothing ran for {late_s:.1f} s", now)
        elif known is not None and now - known.since_s >= self.options.stall_clear_s:
            del self._active[key]

    def _set(self, id_: str, subject: str, is_on: bool, message: str, now: float) -> None:
        key = (id_, subject)
        known = self._active.get(key)
        if is_on:
            self._active[key] = Alarm(id_, subject, message, known.since_s if known is not None else now)
        elif known is not None:
            del self._active[key]
