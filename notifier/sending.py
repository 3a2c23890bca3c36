"""One request to the outside, with every limit that it needs: address, time, size, no redirects, no proxy, no cookies.

What counts is the status line. A receiver that answers 200 and then hangs, or sends an endless body, has taken the message.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from notifier.resolving import CheckedResolver
from wire.outgoing import Policy, Refused

#: For name, connection, request and answer together.
TIME_LIMIT_S = 5.0

#: Of an answer; more is not read.
ANSWER_BYTES = 64 * 1024
HEADER_BYTES = 16 * 1024

USER_AGENT = "AgentCom-Notifier"

#: Of the sentence that goes into the delivery log.
ERROR_CHARS = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt. ``status``: of the HTTP answer, None when there was none; ``error`` says why not."""

    status: int | None
    error: str | None
    duration_ms: int
    retry_after: str | None = None

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class _Head:
    """The status line and headers of an answer, as they come in."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: str | None = None

    def take(self, line: str) -> None:
        if line.startswith("HTTP/"):
            word = line.split(" ", 2)[1:2]
            self.status = int(word[0]) if word and word[0].isascii() and word[0].isdigit() else None
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() == "retry-after":
            self.retry_after = value.strip()[:40]


class Sender:
    """Sends what others composed. One client for each request, because its resolver knows what that one may reach."""

    def __init__(self, policy: Policy, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._policy = policy
        self._time_limit_s = time_limit_s

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Never raises for what a receiver can do."""
        began = time.monotonic()
        head = _Head()
        error: str | None = None
        try:
            await asyncio.wait_for(self._post(url, body, headers, head), self._time_limit_s)
        except Refused as refused:
            error = f"not sent: {refused}"
        except TimeoutError:
            error = f"no complete answer within {self._time_limit_s:g} s"
        except Exception as failed:  # noqa: BLE001 - whatever is out there must not end this process
            error = _told(failed)
        duration_ms = round((time.monotonic() - began) * 1000)
        if head.status is not None:
            good = 200 <= head.status < 300
            error = None if good else f"answered {head.status}"
        return Outcome(head.status, error, duration_ms, head.retry_after)

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], head: _Head) -> None:
        parts = self._policy.check_url(url)
        client: AsyncHTTPClient = SimpleAsyncHTTPClient(
            force_instance=True,
            max_clients=1,
            resolver=CheckedResolver(self._policy, parts.scheme),
            max_buffer_size=2 * ANSWER_BYTES,
            max_body_size=ANSWER_BYTES,
            max_header_size=HEADER_BYTES,
        )
        try:
            request = HTTPRequest(
                url,
                method="POST",
                headers={"User-Agent": USER_AGENT, **headers},
                body=body,
                follow_redirects=False,
                decompress_response=False,
                connect_timeout=self._time_limit_s,
                request_timeout=self._time_limit_s,
                header_callback=head.take,
            )
            await client.fetch(request, raise_error=False)
        finally:
            client.close()


def _told(error: Exception) -> str:
    """For the log: what kind of failure, in one short line without addresses of ours."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:ERROR_CHARS] if text else type(error).__name__
