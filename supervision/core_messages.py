"""What a supervisor hears (events), what it has done (effects), and what it can be asked, all as plain data.

A shell (``supervisor`` for actors, ``process_supervisor`` for processes) turns what happens into events and carries out effects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from supervision.events import Kind
from supervision.exits import ExitReason
from supervision.spec import ChildSpec, ChildType

# --- events -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """Start the static children."""


@dataclass(frozen=True, slots=True)
class Started:
    key: str
    incarnation: int
    ref: Any = None
    info: Any = None
    """What the start had to say besides; for the caller of an administration call."""


@dataclass(frozen=True, slots=True)
class StartIgnored:
    key: str
    incarnation: int


@dataclass(frozen=True, slots=True)
class StartFailed:
    key: str
    incarnation: int
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class Exited:
    """A child that had started is gone; exactly once for each incarnation."""

    key: str
    incarnation: int
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class RetryDue:
    key: str
    token: int


@dataclass(frozen=True, slots=True)
class StopRequested:
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class Api:
    """An administration call; answered by the effect ``Reply`` with the same ``call``."""

    call: Any
    request: Request


@dataclass(frozen=True, slots=True)
class StartChildRequest:
    """``spec``: a ``ChildSpec``; a supervisor of actors also takes a class, or ``(class, argument, …)``."""

    spec: Any


@dataclass(frozen=True, slots=True)
class TerminateChildRequest:
    """``id``: of a dynamic supervisor also a ref."""

    id: Any


@dataclass(frozen=True, slots=True)
class RestartChildRequest:
    id: str


@dataclass(frozen=True, slots=True)
class DeleteChildRequest:
    id: str


@dataclass(frozen=True, slots=True)
class WhichChildrenRequest:
    pass


@dataclass(frozen=True, slots=True)
class WhichChildRequest:
    """Answer: ``ChildInfo`` or ``Failure("not_found")`` (OTP 28). ``id``: of a dynamic supervisor also a ref."""

    id: Any


@dataclass(frozen=True, slots=True)
class GetChildSpecRequest:
    """Answer: the ``ChildSpec`` or ``Failure("not_found")``. ``id``: of a dynamic supervisor also a ref."""

    id: Any


@dataclass(frozen=True, slots=True)
class ResetBackoffRequest:
    """The child is well again, whatever its back-off thinks: the next pause is the first one."""

    id: str


@dataclass(frozen=True, slots=True)
class CountChildrenRequest:
    pass


Request: TypeAlias = (
    StartChildRequest
    | TerminateChildRequest
    | RestartChildRequest
    | DeleteChildRequest
    | WhichChildrenRequest
    | WhichChildRequest
    | GetChildSpecRequest
    | ResetBackoffRequest
    | CountChildrenRequest
)
StartOutcome: TypeAlias = Started | StartIgnored | StartFailed
Event: TypeAlias = Begin | StartOutcome | Exited | RetryDue | StopRequested | Api

# --- effects ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StartChild:
    key: str
    incarnation: int
    spec: ChildSpec


@dataclass(frozen=True, slots=True)
class StopChild:
    """Ask, wait ``spec.shutdown`` seconds, then force. ``Exited`` must follow."""

    key: str
    incarnation: int
    spec: ChildSpec


@dataclass(frozen=True, slots=True)
class ScheduleRetry:
    """Send ``RetryDue(key, token)`` back after ``delay_s`` seconds, behind everything that waits already."""

    key: str
    token: int
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """``value`` is a result, or a ``Failure``."""

    call: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Ready:
    """All static children are started."""


@dataclass(frozen=True, slots=True)
class Report:
    """See ``supervision.events.SupervisionEvent``."""

    kind: Kind
    child: str
    reason: str
    detail: str = ""
    """The traceback, or the last words of a process."""


@dataclass(frozen=True, slots=True)
class Exit:
    """The supervisor is done: no child is left. ``start_failed``: it never became ready."""

    reason: ExitReason
    start_failed: bool = False


Effect: TypeAlias = StartChild | StopChild | ScheduleRetry | Reply | Ready | Report | Exit


@dataclass(frozen=True, slots=True)
class Failure:
    """The error return of an administration call: ``code`` as in OTP, ``detail`` the running child or the reason."""

    code: str
    detail: Any = None


@dataclass(frozen=True, slots=True)
class StartedWith:
    """The answer to a start that had something to say besides: OTP's ``{ok, Child, Info}``."""

    ref: Any
    info: Any


@dataclass(frozen=True, slots=True)
class ChildInfo:
    """One row of ``which_children``. ``ref`` is None unless ``state`` is running."""

    id: str
    ref: Any
    state: str
    type: ChildType
    restarts: int
    last_exit: str | None


@dataclass(frozen=True, slots=True)
class ChildCounts:
    specs: int
    active: int
    supervisors: int
    workers: int
