"""Writes the past of the simulated fleet into a new data directory, through the queue's own storage.

A directory that this made carries ``MARKER``. It may be written anew; one that holds anything else is never touched.
"""

from __future__ import annotations

import gc
import os
import shutil
from itertools import islice
from pathlib import Path

import msgspec

from actors.sqlite_storage import SqliteStorage
from actors.vocabulary.tasks import AgentPresence, Identity, KnownAgent
from agentcom import data_dir
from agentcom.demo.past import Held, Past
from agentcom.demo.story import FLEET, LOST, SUBMITTERS, Story
from agentcom.demo.trends import PastTrends
from agentcom.demo.work import PastWork
from agentcom.failures import ExitStatus, Failure
from wire.roles import Role
from wire.rollups import pack
from wire.tokens import mint

MARKER = "demo.json"

TOKEN_AGE_MS = 30 * 86_400_000

#: Steps in one transaction.
BATCH = 20_000


class Seeded(msgspec.Struct, frozen=True):
    """Content of ``MARKER``: what was written, and what the agents hold that are to connect."""

    seed: int
    tasks: int
    now_ms: int
    frozen: bool
    held: dict[str, Held]
    ended_at: dict[str, int]
    lost_at: int | None
    tokens: dict[str, str]
    """Of the agents and of who submits, by name. Random, and worth nothing when the demo is gone."""


def seed(directory: Path, *, seed: int, tasks: int, now_ms: int, frozen: bool) -> Seeded:
    """Make ``directory`` that of a hub whose fleet has done ``tasks`` tasks by ``now_ms``. Raises ``Failure``."""
    _clear(directory)
    gc.disable()  # hundreds of thousands of objects, none of them in a cycle
    try:
        past, tokens = _write(directory / data_dir.DATABASE_FILE, Story(seed), tasks, now_ms)
    finally:
        gc.enable()
    written = Seeded(seed, tasks, now_ms, frozen, past.held, past.ended_at, past.lost_at, tokens)
    data_dir.write_private(directory / MARKER, msgspec.json.encode(written))
    return written


def read(directory: Path) -> Seeded:
    return msgspec.json.decode((directory / MARKER).read_bytes(), type=Seeded)


def _clear(directory: Path) -> None:
    """Empty it, but only if it is a demo's, and nobody runs on it."""
    try:
        lock = data_dir.lock(data_dir.prepare(directory))
    except data_dir.DataDirError as error:
        status = ExitStatus.CONFLICT if error.is_conflict else ExitStatus.FAILED
        raise Failure(str(error), error.hint, status, "data_dir_unusable") from error
    try:
        found = [entry for entry in directory.iterdir() if entry.name != data_dir.LOCK_FILE]
        if found and not (directory / MARKER).exists():
            hint = "Name an empty one with --data-dir, or leave the flag away: then it is a temporary one."
            message = f"{directory} holds data that no demo has written; a demo does not touch it"
            raise Failure(message, hint, ExitStatus.CONFLICT, "not_a_demo")
        for entry in found:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    finally:
        os.close(lock)


def _write(database: Path, story: Story, tasks: int, now_ms: int) -> tuple[Past, dict[str, str]]:
    storage = SqliteStorage(database)
    try:
        past = Past(story, tasks, now_ms, storage.next_seq)
        trends, work = PastTrends(now_ms), PastWork(now_ms)
        steps = past.steps()
        while batch := list(islice(steps, BATCH)):
            for step in batch:
                storage.save(step.before, step.after, step.entry, step.finish)
                trends.take(step)
                work.take(step)
                if (entry := past.audited(step)) is not None:
                    storage.audit.add(entry)
            storage.commit()
        trends.finish()
        storage.rollups.record([(size, start, pack(one)) for (size, start), one in trends.buckets.items()])
        for hour, parts in work.hours():
            storage.rollups.add_work(hour, parts)
        storage.commit()
        if past.lost_at is not None:
            storage.directory.record_agent(KnownAgent(LOST, LOST, AgentPresence.LOST, past.lost_at))
        tokens = {member.name: _let_in(storage, member.name, Role.AGENT, now_ms) for member in FLEET}
        tokens |= {name: _let_in(storage, name, Role.SUBMITTER, now_ms) for name in SUBMITTERS}
        storage.commit()
        return past, tokens
    finally:
        storage.close()


def _let_in(storage: SqliteStorage, name: str, role: Role, now_ms: int) -> str:
    """The token of a new identity, a month old."""
    minted = mint(role.value)
    created_at = now_ms - TOKEN_AGE_MS
    storage.directory.add_identity(Identity(minted.token_id, name, role, minted.secret_sha256, created_at))
    return minted.token
