"""Who is in the simulated fleet and what there is to do: invented, and the same for the same seed.

Everything about a piece of work follows from the seed and its number: its words, how long an attempt takes and what goes
wrong. So the past that is written before the hub starts and the agents that work afterwards agree without speaking.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from actors.vocabulary.tasks import NewTask, Priority

#: Pieces of work that differ in more than their number.
DIFFERENT = 4096

FIRST_TICKET = 1000

#: Mean of ``Invented.seconds``, measured; the past is spread so that the fleet was busy and not swamped.
MEAN_WORK_S = 42.0


@dataclass(frozen=True, slots=True)
class Member:
    """One agent. ``pace``: how long it takes in proportion to the others."""

    name: str
    capabilities: tuple[str, ...]
    pace: float = 1.0


FLEET = (
    Member("builder-1", ("code", "linux", "python"), 0.9),
    Member("builder-2", ("code", "linux", "python"), 1.1),
    Member("builder-3", ("code", "linux", "web"), 1.0),
    Member("builder-4", ("code", "linux", "web"), 1.3),
    Member("tester-1", ("test", "linux", "browser"), 0.8),
    Member("tester-2", ("test", "linux"), 1.0),
    Member("reviewer-1", ("review", "code"), 0.7),
    Member("reviewer-2", ("review",), 1.2),
    Member("writer-1", ("docs", "translate"), 1.0),
    Member("writer-2", ("docs",), 0.8),
    Member("data-1", ("data", "python"), 1.1),
    Member("gpu-1", ("gpu", "python"), 1.2),
    Member("mac-mini", ("macos", "test"), 1.1),
    Member("release-1", ("deploy", "linux"), 1.0),
)

#: The member that vanished some minutes before now, while it worked; its tasks wait for somebody with a graphics card.
LOST = "gpu-1"

MACHINES = ("planner", "ci", "nightly")
SUBMITTERS = (*MACHINES, "ana", "jonas")


@dataclass(frozen=True, slots=True)
class _Kind:
    """``words``: with a place for a part of the system. ``weight``: how often it is needed, in proportion."""

    needs: tuple[str, ...]
    weight: int
    typical_s: float
    words: tuple[str, ...]
    errors: tuple[str, ...]


_TESTS_FAILED = "{n} of 412 tests failed (exit status 1), first '{part}: test_{slug}_{n}'"
_LIMIT = "429 from the model's provider: limit reached, request {hex}, resets in {n} min"
_NO_CLONE = "cannot clone 'git.example.org/{part}.git': could not resolve host"
_KILLED = "no output for {n}0 s, the command was ended (exit status 137)"

_KINDS = (
    _Kind(
        ("code",),
        30,
        48.0,
        (
            "Fix the {noun} of {part} on slow connections",
            "Rename the columns behind the {noun} of {part}",
            "Remove the retry loop around the {noun} of {part}",
            "Add a rate limit to the {noun} of {part}",
            "Find what made the {noun} of {part} slow",
            "Port the {noun} of {part} to the new client library",
        ),
        (_TESTS_FAILED, _LIMIT, _NO_CLONE),
    ),
    _Kind(
        ("test",),
        22,
        30.0,
        (
            "Run the {noun} tests of {part} on the release branch",
            "Find out why test_{slug} of {part} fails every tenth time",
            "Cover the {noun} of {part} with tests",
            "Repeat the benchmark of the {noun} of {part}",
        ),
        (_TESTS_FAILED, _KILLED),
    ),
    _Kind(
        ("review",),
        18,
        22.0,
        (
            "Review the change to the {noun} of {part}",
            "Summarise the open pull requests of {part}",
            "Check the {noun} of {part} for missing error handling",
        ),
        (_LIMIT,),
    ),
    _Kind(
        ("docs",),
        14,
        34.0,
        (
            "Draft the release notes of {part}",
            "Describe the {noun} of {part} for newcomers",
            "Rewrite the page on the {noun} in the {part} manual",
        ),
        (_LIMIT,),
    ),
    _Kind(
        ("translate",),
        4,
        40.0,
        ("Translate the texts of the {noun} of {part} into German", "Translate the {part} onboarding into Portuguese"),
        (_LIMIT,),
    ),
    _Kind(
        ("data",),
        5,
        40.0,
        ("Clean the figures of the {noun} of {part}", "Compare the {noun} figures of {part} with last week"),
        ("column '{slug}_{n}' is missing in the export of '{part}'",),
    ),
    _Kind(
        ("gpu",),
        4,
        45.0,
        ("Train the ranking of {part} on last week's clicks", "Label the new screenshots of the {noun} of {part}"),
        ("CUDA out of memory: tried to allocate {n}.{n} GiB on device 0",),
    ),
    _Kind(
        ("macos",),
        3,
        55.0,
        ("Build the {part} app for macOS", "Sign the {part} installer"),
        ("codesign: no identity found for team {hex}",),
    ),
    _Kind(
        ("deploy",),
        4,
        45.0,
        ("Deploy {part} to staging", "Roll back {part} on staging", "Rotate the certificate of {part}"),
        ("the health check of '{part}' did not answer within {n}0 s",),
    ),
)

_PARTS = ("shop", "checkout", "search", "billing", "importer", "mailer", "gateway", "console", "catalogue", "accounts")
#: A feature, and its name in code.
_FEATURES = (
    ("login form", "login"),
    ("invoice list", "invoices"),
    ("session store", "session"),
    ("upload dialog", "upload"),
    ("pagination", "pagination"),
    ("webhook delivery", "webhook"),
    ("address check", "address"),
    ("currency table", "currency"),
    ("image cache", "image_cache"),
    ("nightly export", "export"),
)

_LANES = (Priority.URGENT, Priority.HIGH, Priority.NORMAL, Priority.LOW)
_LANE_WEIGHTS = (5, 20, 55, 20)

_RESULTS = (
    "Done; all checks pass.",
    "Found and mended in {n} files; one test added.",
    "Nothing to change: the {noun} was right already.",
    "Merged after review; follow-up noted for the {noun}.",
)

#: Share of pieces of work that fail once, twice, and at every attempt.
_FAILS = ((0, 0.915), (1, 0.045), (2, 0.015), (99, 0.025))

#: Share that somebody cancels.
_CANCELLED = 0.012


@dataclass(frozen=True, slots=True)
class Invented:
    """``fails``: so many attempts fail, with ``error``, before one succeeds. ``seconds``: of an attempt at pace 1."""

    part: str
    needs: tuple[str, ...]
    description: str
    lane: Priority
    submitter: str
    seconds: float
    fails: int
    error: str
    result: dict[str, object]
    tokens_used: int
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work. ``number`` travels in the task's metadata, so that whoever gets the task knows what is to happen."""

    number: int
    task: NewTask
    plan: Invented
    result: dict[str, object]

    def attempt_s(self, member: Member, attempt: int) -> float:
        """``attempt`` counts from 0; a failing one ends early."""
        share = 0.6 if attempt < self.plan.fails else 1.0
        return max(1.0, self.plan.seconds * member.pace * share)


class Story:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._invented: dict[int, Invented] = {}
        self._kinds = [kind for kind in _KINDS for _ in range(kind.weight)]

    def chance(self, purpose: str) -> random.Random:
        """Random numbers for one purpose, so that drawing more for one does not change the others."""
        return random.Random(f"{self.seed}:{purpose}")  # noqa: S311 - invented work needs no secrets

    def work(self, number: int) -> Work:
        """Ever new numbers, but only so many different pieces of work, because inventing one takes longer than storing it."""
        invented = self._invented.get(number % DIFFERENT)
        if invented is None:
            invented = self._invented[number % DIFFERENT] = self._invent(number % DIFFERENT)
        ticket = f"{invented.part.upper()}-{FIRST_TICKET + number}"
        metadata = {"ticket": ticket, "number": number, "demo": True}
        result = {**invented.result, "branch": f"work/{ticket.lower()}"}
        task = NewTask(invented.description, invented.lane, metadata, invented.needs)
        return Work(number, task, invented, result)

    def output(self, work: Work, attempt: int) -> list[str]:
        """What an attempt prints, in the order in which it does; with the colours of a terminal, as programs like to."""
        chance = self.chance(f"output:{work.number}:{attempt}")
        part = work.plan.part
        lines = [
            f"\x1b[1m$ git switch --create {work.result['branch']}\x1b[0m",
            f"Switched to a new branch '{work.result['branch']}'",
            f"task: {work.task.description}",
        ]
        for _, slug in chance.sample(_FEATURES, 6):
            lines.append(f"reading  src/{part}/{slug}.py  ({chance.randint(40, 900)} lines)")
        lines.append(f"\x1b[1m$ pytest -q tests/{part}\x1b[0m")
        passed = 0
        for _, slug in chance.sample(_FEATURES, 5):
            passed += (more := chance.randint(4, 40))
            lines.append(f"tests/{part}/test_{slug}.py {'.' * more}")
        if attempt < work.plan.fails:
            return [*lines, f"\x1b[31m{work.plan.error}\x1b[0m"]
        return [*lines, f"\x1b[32m{passed} passed\x1b[0m in {chance.uniform(2, 30):.1f} s", str(work.result["summary"])]

    def _invent(self, number: int) -> Invented:
        chance = self.chance(f"work:{number}")
        kind = chance.choice(self._kinds)
        part, (feature, slug) = chance.choice(_PARTS), chance.choice(_FEATURES)
        words = {
            "part": part,
            "noun": feature,
            "slug": slug,
            "n": chance.randint(2, 9),
            "hex": f"{chance.getrandbits(48):012x}",
        }
        seconds = min(240.0, kind.typical_s * chance.lognormvariate(0.0, 0.55))
        return Invented(
            part=part,
            needs=kind.needs,
            description=chance.choice(kind.words).format(**words),
            lane=chance.choices(_LANES, _LANE_WEIGHTS)[0],
            submitter=chance.choice(SUBMITTERS),
            seconds=round(seconds, 1),
            fails=chance.choices([count for count, _ in _FAILS], [share for _, share in _FAILS])[0],
            error=chance.choice(kind.errors).format(**words),
            result={"summary": chance.choice(_RESULTS).format(**words), "files_changed": chance.randint(0, 14)},
            tokens_used=int(seconds * chance.uniform(300, 1400)),
            is_cancelled=chance.random() < _CANCELLED,
        )


def capable(needs: Sequence[str]) -> list[Member]:
    return [member for member in FLEET if set(needs) <= set(member.capabilities)]
