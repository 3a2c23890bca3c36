"""The agent's side of the protocol as a state machine without I/O: events in, effects out.

What is in hand survives the connection. The state follows from three facts: whether the hub knows us (``identified``),
the attempt in hand, and whether its child process is alive here. An effect is an order to the driver
(``sidecar.agent``), which carries them out one after another.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from sidecar.journal import Attempt
from sidecar.options import SidecarOptions
from sidecar.outcome import Outcome
from wire import limits

PROTOCOL_VERSION = 1

RETRY_REPORT_S = 2.0
"""How long to wait before a report is sent again that the hub could not take at the moment."""

EXIT_TOKEN = 4
EXIT_IN_USE = 5

Frame: TypeAlias = "dict[str, Any]"


class State(enum.Enum):
    DISCONNECTED = "disconnected"  # the hub does not know us (yet, or again)
    IDLE = "idle"
    RUNNING = "running"  # a child works
    REPORTING = "reporting"  # the child ended; the hub has not confirmed that it knows
    RECOVERING = "recovering"  # the journal has an attempt whose child died with an earlier sidecar


# --- effects ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    frame: Frame


@dataclass(frozen=True, slots=True)
class Save:
    """Make the journal say that this is in hand."""

    attempt: Attempt | None


@dataclass(frozen=True, slots=True)
class Start:
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Kill:
    """End the child and its group; nobody wants its result."""


@dataclass(frozen=True, slots=True)
class Remind:
    """Call ``reminded`` after so many seconds."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Identified:
    """The hub took us in. ``takes_output``: it shows what tasks print; older hubs would take offence at it."""

    takes_output: bool = False


@dataclass(frozen=True, slots=True)
class Quit:
    """Nothing that we can do will make this work: tell the operator and end."""

    exit_code: int
    message: str


@dataclass(frozen=True, slots=True)
class Note:
    """Worth a line in the log."""

    event: str
    about: str


Effect: TypeAlias = "Send | Save | Start | Kill | Remind | Identified | Quit | Note"


class Session:
    """One agent. ``attempt`` is what the journal held at the start."""

    def __init__(self, options: SidecarOptions, attempt: Attempt | None = None) -> None:
        self._options = options
        self.attempt = attempt
        self.identified = False
        self._has_child = False
        self._is_stopping = False

    @property
    def state(self) -> State:
        if not self.identified:
            return State.DISCONNECTED
        if self.attempt is None:
            return State.IDLE
        if self.attempt.outcome is not None:
            return State.REPORTING
        return State.RUNNING if self._has_child else State.RECOVERING

    # --- events of the connection -------------------------------------------------------------------------------------

    def opened(self) -> list[Effect]:
        identify = {
            "type": "identify",
            "agent_id": self._options.name,
            "token": self._options.token,
            "capabilities": list(self._options.capabilities),
            "client_type": "sidecar",
            "output": True,
        }
        return [_send(identify)]

    def closed(self, code: int | None) -> list[Effect]:
        """The connection ended, for whatever reason; ``code`` is the close code if there was one."""
        self.identified = False
        if code in (4401, 4403):
            return [self._token_refused()]
        if code == 4409:
            return [Quit(EXIT_IN_USE, f"another sidecar has connected as {self._options.name!r}; this one ends")]
        return []

    def received(self, frame: Frame) -> list[Effect]:
        """A frame of the hub. What has no place in the table is no concern of an agent in this state."""
        kind = frame.get("type")
        handler = TRANSITIONS.get((self.state, kind)) if isinstance(kind, str) else None
        return handler(self, frame) if handler is not None else []

    # --- events of the child ------------------------------------------------------------------------------------------

    def progressed(self, key: tuple[str, int], percent: int) -> list[Effect]:
        if self.state is State.RUNNING and self.attempt is not None and self.attempt.key == key:
            return [self._about_attempt("task_progress", progress=percent)]
        return []

    def ended(self, key: tuple[str, int], outcome: Outcome) -> list[Effect]:
        """The child's end; of no interest when its attempt was dropped meanwhile."""
        if self.attempt is None or self.attempt.key != key or self.attempt.outcome is not None:
            return []
        self._has_child = False
        self.attempt = self.attempt.ended(outcome)
        return [Save(self.attempt), *self._report()]

    # --- events of the operator and the clock -------------------------------------------------------------------------

    def reminded(self) -> list[Effect]:
        """Say again what the hub has not confirmed: a confirmation can get lost while the connection holds."""
        return self._what_is_owed()

    def stopping(self) -> None:
        """From now on no task is taken."""
        self._is_stopping = True

    def stopped(self) -> list[Effect]:
        """The child was killed because the operator wants us to end: the hub may give its task to somebody else at
        once."""
        had_child, self._has_child = self._has_child, False
        if not (self.identified and had_child and self.attempt is not None and self.attempt.outcome is None):
            return []  # what the hub has not confirmed, or cannot hear now, waits in the journal
        rejected = self._about_attempt("task_rejected", reason="stopping")
        self.attempt = None
        return [rejected, Save(None)]

    # --- handlers, by the table below ---------------------------------------------------------------------------------

    def _welcome(self, frame: Frame) -> list[Effect]:
        self.identified = True
        return [Identified(frame.get("output") is True), *self._what_is_owed()]

    def _take(self, frame: Frame) -> list[Effect]:
        attempt = attempt_from(frame)
        if attempt is None:
            return [Note("ignored", "an assignment that is not well-formed")]
        if self._is_stopping:
            return [_reject(attempt, "stopping")]
        self.attempt = attempt
        self._has_child = True
        return [Save(attempt), self._about_attempt("task_accepted"), Start(attempt)]

    def _refuse_second(self, frame: Frame) -> list[Effect]:
        attempt = attempt_from(frame)
        if attempt is None or self.attempt is None or attempt.key == self.attempt.key:
            return []  # the very attempt in hand: the hub was not sure that we have it, and will see
        return [_reject(attempt, "busy"), Note("rejected", attempt.task_id)]

    def _hear_verdict(self, frame: Frame) -> list[Effect]:
        if self._is_about_attempt(frame) and frame.get("action") == "abort":
            return self._drop("aborted")
        return []

    def _cancel(self, frame: Frame) -> list[Effect]:
        return self._drop("cancelled") if self._is_about_attempt(frame) else []

    def _hear_ack(self, frame: Frame) -> list[Effect]:
        is_final = frame.get("status") in ("complete", "retried", "dead_letter")
        return self._drop("confirmed") if is_final and self._is_about_attempt(frame) else []

    def _reassigned(self, frame: Frame) -> list[Effect]:
        return self._drop("taken_back") if self._is_about_attempt(frame) else []

    def _run_again(self, frame: Frame) -> list[Effect]:
        if self.attempt is None or frame.get("task_id") != self.attempt.task_id:
            return []
        generation = frame.get("generation", self.attempt.generation)
        if self._is_stopping or not _is_generation(generation):
            return []
        self.attempt = Attempt(self.attempt.task_id, generation, {**self.attempt.order, "generation": generation})
        self._has_child = True
        return [Save(self.attempt), self._about_attempt("task_accepted"), Start(self.attempt)]

    def _hear_error_early(self, frame: Frame) -> list[Effect]:
        error = str(frame.get("error"))
        if error in ("invalid_token", "token_agent_mismatch"):
            return [self._token_refused()]
        return [Note("hub_error", error)]

    def _hear_error(self, frame: Frame) -> list[Effect]:
        error = str(frame.get("error"))
        note = Note("hub_error", error)
        code, _, reason = error.partition(": ")
        if not self._is_about_attempt(frame):
            return [note]
        if code in REFUSALS.get(self.state, ()):
            if reason in ("stale_generation", "not_found", "invalid_state"):
                return [note, *self._drop("refused")]
            return [note, Remind(RETRY_REPORT_S)]
        is_about_report = frame.get("message_type") in ("task_complete", "task_failed")
        if self.state is State.REPORTING and error == "validation_failed" and is_about_report:
            return [note, *self._replace_report()]
        return [note]

    # --- steps --------------------------------------------------------------------------------------------------------

    def _what_is_owed(self) -> list[Effect]:
        match self.state:
            case State.REPORTING:
                return self._report()
            case State.RUNNING:
                return [self._about_attempt("state_report", status="working")]
            case State.RECOVERING:
                return [self._about_attempt("task_recovering", last_status="crashed")]
        return []

    def _report(self) -> list[Effect]:
        if self.state is not State.REPORTING or self.attempt is None or self.attempt.outcome is None:
            return []
        outcome = self.attempt.outcome
        if outcome.error is not None:
            return [self._about_attempt("task_failed", error=outcome.error)]
        tokens = {} if outcome.tokens_used is None else {"tokens_used": outcome.tokens_used}
        return [self._about_attempt("task_complete", result=outcome.result, **tokens)]

    def _replace_report(self) -> list[Effect]:
        """The hub finds the report itself faulty. A result becomes a failure that says so; nothing is left after
        that."""
        assert self.attempt is not None and self.attempt.outcome is not None
        if self.attempt.outcome.error is not None:
            return self._drop("refused")
        self.attempt = self.attempt.ended(Outcome.failure("the hub did not accept the form of the result"))
        return [Save(self.attempt), *self._report()]

    def _drop(self, why: str) -> list[Effect]:
        assert self.attempt is not None
        dropped, self.attempt = self.attempt, None
        kill: list[Effect] = [Kill()] if self._has_child else []
        self._has_child = False
        return [*kill, Save(None), Note(why, dropped.task_id)]

    def _is_about_attempt(self, frame: Frame) -> bool:
        """Pushes of old hubs carry no generation: then the task has to be enough."""
        attempt = self.attempt
        if attempt is None or frame.get("task_id") != attempt.task_id:
            return False
        return bool(frame.get("generation", attempt.generation) == attempt.generation)

    def _about_attempt(self, kind: str, **more: object) -> Send:
        assert self.attempt is not None
        return _send(
            {"type": kind, "task_id": self.attempt.task_id, "generation": self.attempt.generation, **more},
        )

    def _token_refused(self) -> Quit:
        command = f"agentcom token create {self._options.name} --role agent"
        return Quit(EXIT_TOKEN, f"the hub does not accept this token. On the hub's machine, type: {command}")


Handler: TypeAlias = Callable[[Session, Frame], list[Effect]]

#: What each frame means in each state. There is no row for what means nothing.
TRANSITIONS: dict[tuple[State, str], Handler] = {
    (State.DISCONNECTED, "identified"): Session._welcome,
    (State.DISCONNECTED, "error"): Session._hear_error_early,
    (State.IDLE, "task_assign"): Session._take,
    (State.IDLE, "error"): Session._hear_error,
    (State.RUNNING, "task_assign"): Session._refuse_second,
    (State.RUNNING, "state_report_ack"): Session._hear_verdict,
    (State.RUNNING, "task_cancelled"): Session._cancel,
    (State.RUNNING, "error"): Session._hear_error,
    (State.REPORTING, "task_assign"): Session._refuse_second,
    (State.REPORTING, "task_ack"): Session._hear_ack,
    (State.REPORTING, "task_cancelled"): Session._cancel,
    (State.REPORTING, "error"): Session._hear_error,
    (State.RECOVERING, "task_assign"): Session._refuse_second,
    (State.RECOVERING, "task_reassign"): Session._reassigned,
    (State.RECOVERING, "task_continue"): Session._run_again,
    (State.RECOVERING, "task_cancelled"): Session._cancel,
    (State.RECOVERING, "error"): Session._hear_error,
}

#: Errors about the attempt in hand that answer something we said in this state.
REFUSALS: dict[State, tuple[str, ...]] = {
    State.RUNNING: ("task_accept_failed",),
    State.REPORTING: ("task_complete_failed", "task_fail_failed"),
}


def attempt_from(frame: Frame) -> Attempt | None:
    """The attempt that a ``task_assign`` hands out; None when it is not well-formed. Unknown fields go to the child
    too."""
    task_id, generation = frame.get("task_id"), frame.get("generation", 0)
    if not isinstance(task_id, str) or not 0 < len(task_id) <= limits.TASK_ID_CHARS:
        return None
    if not task_id.isascii() or not task_id.isprintable() or not _is_generation(generation):
        return None
    if not isinstance(frame.get("description"), str) or not isinstance(frame.get("metadata", {}), dict):
        return None
    order = {name: value for name, value in frame.items() if name not in ("type", "protocol_version")}
    return Attempt(task_id, generation, {"metadata": {}, **order, "generation": generation})


def _is_generation(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _reject(attempt: Attempt, reason: str) -> Send:
    return _send(
        {"type": "task_rejected", "task_id": attempt.task_id, "generation": attempt.generation, "reason": reason}
    )


def _send(frame: Frame) -> Send:
    return Send({"protocol_version": PROTOCOL_VERSION, **frame})
