"""Celery on Redis: acknowledged after the work, results off."""

from __future__ import annotations

import os

from celery import Celery

from bench.peers.done import note

app = Celery("bench", broker=os.environ.get("BENCH_REDIS"))
app.conf.update(
    task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=64, worker_hijack_root_logger=False
)


@app.task
def nothing(number: int) -> None:
    note()


def enqueue(count: int) -> None:
    for number in range(count):
        nothing.delay(number)
