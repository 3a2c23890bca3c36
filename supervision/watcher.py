"""An actor that looks at all others once a second and raises alarms about them. It reads; it asks nobody."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from supervision.actor import Actor
from supervision.alarms import Alarm, AlarmOptions, Alarms, Sight
from supervision.cell import Cell

logger = logging.getLogger("supervision.watcher")

PERIOD_S = 1.0


@dataclass(frozen=True, slots=True)
class Look:
    """To itself: look now."""


@dataclass(frozen=True, slots=True)
class ReadAlarms:
    """Answer: ``tuple[Alarm, ...]``, the active ones, oldest first."""


class Watcher(Actor):
    handles: ClassVar[dict[type, str]] = {Look: "look", ReadAlarms: "read"}

    def __init__(self, options: AlarmOptions | None = None) -> None:
        super().__init__()
        self._alarms = Alarms(options)
        self._last_look = 0.0

    def on_start(self) -> None:
        self._last_look = self.runtime.clock.monotonic()
        self.send_every(PERIOD_S, Look())

    def look(self, _: Look) -> None:
        now = self.runtime.clock.monotonic()
        late_s, self._last_look = now - self._last_look - PERIOD_S, now
        sights = [_sight(cell, now) for cell in self.runtime.living() if cell is not self.cell]
        raised, cleared = self._alarms.look(sights, self.runtime.abandoned, late_s, now)
        for alarm in raised:
            logger.warning("alarm %s of %s: %s", alarm.id, alarm.subject, alarm.message)
        for alarm in cleared:
            logger.info("alarm %s of %s is over", alarm.id, alarm.subject)

    def read(self, _: ReadAlarms) -> tuple[Alarm, ...]:
        return self._alarms.active


def _sight(cell: Cell, now: float) -> Sight:
    handling = cell.handling
    busy_s = now - cell.busy_since_s if handling is not None else None
    return Sight(cell.name or cell.urn, busy_s, handling, len(cell.mailbox.queue))
