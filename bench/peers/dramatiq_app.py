"""dramatiq on Redis."""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.peers.done import note

dramatiq.set_broker(RedisBroker(url=os.environ["BENCH_REDIS"]))


@dramatiq.actor
def nothing(number: int) -> None:
    note()


def enqueue(count: int) -> None:
    for number in range(count):
        nothing.send(number)
