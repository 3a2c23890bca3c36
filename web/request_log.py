"""One line for each refused or failed request, none for the others; a flood of them becomes a count.

Never in it: the query (it may hold a token), headers, bodies. The root's log format escapes what a path may hold.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from tornado.web import RequestHandler

logger = logging.getLogger("agentcom.web.requests")

#: Lines of refused requests in one second; the rest is counted.
LINES_A_SECOND = 10

PATH_CHARS = 200


class RequestLog:
    """The ``log_function`` of the application."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._second = 0
        self._lines = 0
        self._suppressed = 0

    def __call__(self, handler: RequestHandler) -> None:
        status = handler.get_status()
        if status < 400 or not self._has_room():
            return
        request = handler.request
        level = logging.WARNING if status >= 500 and status != 503 else logging.INFO
        milliseconds = 1000 * request.request_time()
        path = request.path[:PATH_CHARS]
        logger.log(level, "%d %s %s from %s in %.0f ms", status, request.method, path, request.remote_ip, milliseconds)

    def _has_room(self) -> bool:
        second = int(self._clock())
        if second != self._second:
            if self._suppressed:
                logger.info("%d more refused requests were not listed", self._suppressed)
            self._second, self._lines, self._suppressed = second, 0, 0
        self._lines += 1
        if self._lines <= LINES_A_SECOND:
            return True
        self._suppressed += 1
        return False
