"""procrastinate on PostgreSQL, in its bulk call; a job that is done leaves no row."""

from __future__ import annotations

import os

import procrastinate

from bench.peers.done import note

BULK = 500

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ["BENCH_POSTGRES"]))


@app.task()
async def nothing(number: int) -> None:
    note()


def prepare() -> None:
    with app.open():
        app.schema_manager.apply_schema()


def enqueue(count: int) -> None:
    with app.open():
        for start in range(0, count, BULK):
            nothing.batch_defer(*({"number": number} for number in range(start, min(start + BULK, count))))
