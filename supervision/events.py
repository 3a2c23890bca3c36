"""What supervisors say of their children, in OTP's words, kept for whoever looks: the last few hundred of a runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["progress", "child_terminated", "start_error", "shutdown_error", "still_stopping", "shutdown"]

#: Events that a runtime remembers.
KEPT = 200

#: Messages for nobody that a runtime remembers.
DEAD_LETTERS_KEPT = 100


@dataclass(frozen=True, slots=True)
class SupervisionEvent:
    """``progress``: a child was started. ``child_terminated``: it ended, and that was not what its restart type expects.
    ``start_error``: it could not be started. ``shutdown_error``: it did not stop as asked.
    ``still_stopping``: it was asked long ago and may take its time; said again and again until it is gone.
    ``shutdown``: the supervisor gave up.

    ``at``: Unix milliseconds. ``reason``: one line, without a traceback.
    """

    at: int
    supervisor: str
    kind: Kind
    child: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that reached nobody. ``at``: Unix milliseconds. ``message``: its type, and nothing of what is in it."""

    at: int
    target: str
    message: str
