"""What a supervisor is told about its children, and the rules that a specification must meet.

The whole list is checked before the first child starts; the first fault wins. Unknown fields cannot occur, because these are
typed objects (OTP ignores unknown keys; a typo in a supervision spec is costly).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from supervision.backoff import Backoff


class Restart(StrEnum):
    PERMANENT = "permanent"  # always restarted
    TRANSIENT = "transient"  # restarted after an abnormal exit
    TEMPORARY = "temporary"  # never restarted, its record goes with it


class Strategy(StrEnum):
    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"


class ChildType(StrEnum):
    WORKER = "worker"
    SUPERVISOR = "supervisor"


class AutoShutdown(StrEnum):
    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


#: ``shutdown_s`` values besides a number of seconds.
BRUTAL_KILL = 0.0 - 1.0
INFINITY = math.inf

#: Stands for the ``start`` of a temporary child that runs: it is never started again, so nothing of it is kept.
FORGOTTEN = "forgotten"

DEFAULT_SHUTDOWN_S = 5.0
DEFAULT_START_TIMEOUT_S = 30.0


class SpecError(ValueError):
    """A specification that cannot be used; ``code`` is OTP's name for the fault."""

    def __init__(self, code: str, detail: object) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """``start`` is understood by the shell that runs the core (an actor class, a command); the core passes it on.

    ``shutdown_s``: seconds between the request to stop and force, ``INFINITY``, or ``BRUTAL_KILL``; default 5 for workers,
    ``INFINITY`` for supervisors. ``start_timeout_s``: a start that takes longer has failed (OTP has no such limit; a
    hanging start must not hang its supervisor). ``backoff``: pauses before restarts; None: at once, as in OTP.
    """

    id: str
    start: Any
    restart: Restart = Restart.PERMANENT
    shutdown_s: float | None = None
    type: ChildType = ChildType.WORKER
    significant: bool = False
    start_timeout_s: float = DEFAULT_START_TIMEOUT_S
    backoff: Backoff | None = None

    @property
    def shutdown(self) -> float:
        if self.shutdown_s is not None:
            return self.shutdown_s
        return INFINITY if self.type is ChildType.SUPERVISOR else DEFAULT_SHUTDOWN_S

    def without_start(self) -> ChildSpec:
        return replace(self, start=FORGOTTEN)


@dataclass(frozen=True, slots=True)
class SupervisorFlags:
    """``max_restarts`` passes are tolerated in ``period_s`` seconds (Elixir's defaults: 3 in 5 s)."""

    strategy: Strategy = Strategy.ONE_FOR_ONE
    max_restarts: int = 3
    period_s: float = 5.0
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER

    def check(self) -> None:
        if not isinstance(self.strategy, Strategy):
            raise SpecError("invalid_strategy", self.strategy)
        if not isinstance(self.max_restarts, int) or isinstance(self.max_restarts, bool) or self.max_restarts < 0:
            raise SpecError("invalid_intensity", self.max_restarts)
        if not _is_number(self.period_s) or not 0 < self.period_s < INFINITY:
            raise SpecError("invalid_period", self.period_s)
        if not isinstance(self.auto_shutdown, AutoShutdown):
            raise SpecError("invalid_auto_shutdown", self.auto_shutdown)


def check_flags(flags: object) -> SupervisorFlags:
    """``flags`` itself if it is usable."""
    if not isinstance(flags, SupervisorFlags):
        raise SpecError("invalid_type", flags)
    flags.check()
    return flags


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_child_spec(spec: object, auto_shutdown: AutoShutdown | None = None) -> ChildSpec:
    """``spec`` itself if it is usable. ``auto_shutdown`` None: not known, so only the rules within the spec apply."""
    if not isinstance(spec, ChildSpec):
        raise SpecError("invalid_child_spec", spec)
    if not isinstance(spec.id, str) or not spec.id:
        raise SpecError("missing_id", spec)
    if spec.start is None:
        raise SpecError("missing_start", spec.id)
    if not isinstance(spec.restart, Restart):
        raise SpecError("invalid_restart_type", spec.restart)
    if spec.significant is True and auto_shutdown is AutoShutdown.NEVER:
        raise SpecError("bad_combination", "a significant child needs auto_shutdown")
    if spec.significant is True and spec.restart is Restart.PERMANENT:
        raise SpecError("bad_combination", "a significant child cannot be permanent")
    if not isinstance(spec.significant, bool):
        raise SpecError("invalid_significant", spec.significant)
    if not isinstance(spec.type, ChildType):
        raise SpecError("invalid_child_type", spec.type)
    if not _is_number(spec.shutdown) or (spec.shutdown != BRUTAL_KILL and not spec.shutdown >= 0):
        raise SpecError("invalid_shutdown", spec.shutdown)
    if spec.backoff is not None and not isinstance(spec.backoff, Backoff):
        raise SpecError("invalid_backoff", spec.backoff)
    if not _is_number(spec.start_timeout_s) or not spec.start_timeout_s > 0:
        raise SpecError("invalid_start_timeout", spec.start_timeout_s)
    return spec


def check_child_specs(specs: Iterable[object], auto_shutdown: AutoShutdown | None = None) -> list[ChildSpec]:
    """All ``specs``, or ``SpecError``; duplicates are looked for last."""
    checked = [check_child_spec(spec, auto_shutdown) for spec in specs]
    seen: set[str] = set()
    for spec in checked:
        if spec.id in seen:
            raise SpecError("duplicate_child_name", spec.id)
        seen.add(spec.id)
    return checked
