"""RQ on Redis with workers that do not fork, in its bulk call."""

from __future__ import annotations

import os

from redis import Redis
from rq import Queue

from bench.peers.done import note

BULK = 500


def nothing(number: int) -> None:
    note()


def enqueue(count: int) -> None:
    queue = Queue(connection=Redis.from_url(os.environ["BENCH_REDIS"]))
    for start in range(0, count, BULK):
        numbers = range(start, min(start + BULK, count))
        queue.enqueue_many([Queue.prepare_data(nothing, (number,), result_ttl=0) for number in numbers])
