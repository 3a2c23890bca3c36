"""Reads that many pages ask for at the same time: the hub answers each question once for all of them.

Whoever asks gets an answer that was begun after the question, so a page that has just changed something sees it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from link.client import HubLink
from web.single_flight import SingleFlight

#: Different questions that are remembered; those that nobody waits for are forgotten first.
QUESTIONS = 256


class SharedReads:
    def __init__(self, link: HubLink, timeout_s: float) -> None:
        self._link = link
        self._timeout_s = timeout_s
        self._flights: dict[str, SingleFlight[Any]] = {}
        self._waiting: dict[str, int] = {}

    async def read(self, op: str, **args: Any) -> Any:
        """As ``HubLink.call``. Nobody may change the answer, because others have it too."""
        question = f"{op} {sorted(args.items())!r}"
        flight = self._flights.get(question)
        if flight is None:
            self._make_room()
            flight = self._flights[question] = SingleFlight(partial(self._link.call, op, self._timeout_s, **args))
        self._waiting[question] = self._waiting.get(question, 0) + 1
        try:
            return await flight.fresh()
        finally:
            self._waiting[question] -= 1
            if self._waiting[question] == 0:
                del self._waiting[question]

    def _make_room(self) -> None:
        if len(self._flights) >= QUESTIONS:
            self._flights = {one: flight for one, flight in self._flights.items() if one in self._waiting}
