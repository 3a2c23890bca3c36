"""The attempt in hand, on disk, so that a sidecar that was killed knows what it owes the hub.

``NAME.json`` holds at most one attempt and is replaced in one step (temporary file, fsync, rename): after a crash it
has the old content or the new one. ``NAME.lock`` is held as long as the sidecar lives; a second sidecar of the same
name finds it taken.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sidecar.outcome import Outcome
from wire import codec, limits

MAX_BYTES = 4 * limits.AGENT_FRAME_BYTES
"""A task and a result at their limits, escaped, and room."""


class NameInUse(Exception):
    """Another sidecar of this name is alive on this state directory."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery of a task. ``order`` is the task as the child sees it; without ``outcome`` it has not ended."""

    task_id: str
    generation: int
    order: dict[str, Any]
    outcome: Outcome | None = None

    def ended(self, outcome: Outcome) -> Attempt:
        return replace(self, outcome=outcome)

    @property
    def key(self) -> tuple[str, int]:
        return self.task_id, self.generation


class Journal:
    """Owns the files of one agent. The constructor raises ``NameInUse``."""

    def __init__(self, state_dir: Path, name: str) -> None:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = state_dir / f"{name}.json"
        self._lock = os.open(state_dir / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise NameInUse(name) from None
        for left_over in state_dir.iterdir():  # task files of a sidecar that was killed
            if left_over.name.startswith(self.task_file_prefix) and left_over.name.endswith(".task"):
                left_over.unlink(missing_ok=True)

    @property
    def task_file_prefix(self) -> str:
        """How the files begin that hold a task while it runs."""
        return f"{self.path.stem}~"

    def read(self) -> Attempt | None:
        """The attempt in hand. Raises ``ValueError`` when the file is not one of ours."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None
        return _attempt(codec.decode_object(raw, max_bytes=MAX_BYTES))

    def write(self, attempt: Attempt | None) -> None:
        """On disk when this returns; None: nothing in hand. Raises ``OSError``, for example when the disk is full."""
        if attempt is None:
            self.path.unlink(missing_ok=True)
            return
        temporary = self.path.with_name(f"{self.path.name}.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(codec.encode(_document(attempt)))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)
        self._sync_directory()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._lock)

    def _sync_directory(self) -> None:
        directory = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _document(attempt: Attempt) -> dict[str, object]:
    return {
        "task_id": attempt.task_id,
        "generation": attempt.generation,
        "task": attempt.order,
        "status": "running" if attempt.outcome is None else "finished",
        "outcome": None if attempt.outcome is None else attempt.outcome.as_json(),
    }


def _attempt(document: dict[str, Any]) -> Attempt:
    match document:
        case {"task_id": str(task_id), "generation": int(generation), "task": dict(order), "status": "running"}:
            return Attempt(task_id, generation, order)
        case {
            "task_id": str(task_id),
            "generation": int(generation),
            "task": dict(order),
            "status": "finished",
            "outcome": dict(outcome),
        }:
            return Attempt(task_id, generation, order, Outcome.from_json(outcome))
    raise ValueError("not a journal")
