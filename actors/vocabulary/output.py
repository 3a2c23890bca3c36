"""The vocabulary of ``Output``. Lines travel as JSON pairs ``["out", "text"]`` joined by commas, encoded once, at the edge."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Printed:
    """From an agent's FSM, which knows that the agent holds this attempt: ``count`` lines, numbered from ``first_seq``."""

    task_id: str
    generation: int
    agent_id: str
    first_seq: int
    count: int
    lines: bytes


@dataclass(frozen=True, slots=True)
class ReadOutput:
    """Answer: ``OutputPage``.

    Of the attempt ``generation``, or of the newest one that printed. ``after``: the lines that follow this number, oldest
    first; ``before``: those right before it; neither: the newest. At most ``limit`` lines.
    """

    task_id: str
    generation: int | None = None
    after: int | None = None
    before: int | None = None
    limit: int = 1_000


@dataclass(frozen=True, slots=True)
class OutputPage:
    """``json``: ``{"generation", "agent_id", "kept_from", "last_seq", "attempts", "parts": [{"first_seq", "lines"}]}``, encoded.

    Each part is a run of lines without a gap. ``kept_from`` and ``last_seq``: the oldest and the newest line that is there.
    ``attempts``: every attempt of the task of which something is kept, oldest first. ``generation`` is null when nothing is
    known of it.
    """

    json: bytes


@dataclass(frozen=True, slots=True)
class Tail:
    """The last lines of an attempt, for the database. ``parts``: an array as in ``OutputPage``, encoded."""

    task_id: str
    generation: int
    agent_id: str
    parts: bytes


@dataclass(frozen=True, slots=True)
class SaveTails:
    """From ``Output`` to ``TaskQueue``, the only writer; each replaces what is stored of its attempt. No answer."""

    tails: tuple[Tail, ...]


@dataclass(frozen=True, slots=True)
class ReadTails:
    """To ``TaskQueue``. Answer: ``tuple[Tail, ...]``, of the newest attempts that printed, oldest first."""

    task_id: str


@dataclass(frozen=True, slots=True)
class SaveSoon:
    """``Output``'s own: store what has come to an end or to a pause."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Pages of this web process show the output of exactly these tasks now."""

    peer: int
    task_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhoWatches:
    """Asked of ``Gateway``. Answer: ``tuple[Watch, ...]``."""


@dataclass(frozen=True, slots=True)
class Show:
    """To ``Gateway``: send this to these web processes."""

    peers: tuple[int, ...]
    printed: Printed
