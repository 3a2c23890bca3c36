"""Where our supervisor differs from OTP's on purpose, in one table, which the comparison applies and the page is checked by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Answer = Callable[[str, str], str]
"""(operation, our answer) -> the answer that OTP gives in this place."""


@dataclass(frozen=True)
class Deviation:
    """``number``: that of the specification's list of quirks, or a dash. ``as_otp`` None: no script can show the difference."""

    number: str
    otp: str
    ours: str
    why: str
    as_otp: Answer | None = None

    def row(self) -> str:
        return f"| {self.number} | {self.otp} | {self.ours} | {self.why} |"


def _any_dead_instance_is_ok(operation: str, answer: str) -> str:
    return "ok" if (operation, answer) == ("terminate_instance", "not_found") else answer


KEPT = (
    Deviation(
        "Q1",
        "counts restarts in whole seconds",
        "with the float clock, edge included",
        "the same decision outside (period, period + 1); scripts use an hour, so it never shows",
    ),
    Deviation(
        "Q2",
        "two queued retries of one child both run and both count",
        "one retry, stamped with a token",
        "a duplicate that nobody asked for; scripts do not let children die together while a start fails",
    ),
    Deviation(
        "Q3",
        "an instance whose *restart* is ignored stays as a phantom, and the supervisor crashes at its end",
        "it is removed",
        "a fault of `simple_one_for_one`; scripts let no restart of an instance be ignored",
    ),
    Deviation(
        "Q6",
        "terminating any dead process of a `simple_one_for_one` is `ok`",
        "`not_found`, as Elixir's DynamicSupervisor",
        "a typo should show",
        _any_dead_instance_is_ok,
    ),
    Deviation(
        "Q7",
        "a thrown value is taken for the result of a start",
        "a failed start",
        "Python has no such throw",
    ),
    Deviation(
        "Q8",
        "unknown keys of a specification are ignored",
        "refused (specifications are typed objects)",
        "a typo in a supervision tree is costly",
    ),
    Deviation(
        "Q10",
        "a start that hangs, hangs its supervisor",
        "it has failed after `start_timeout_s` (30 s)",
        "a thread cannot be interrupted",
    ),
    Deviation(
        "-",
        "ids of dynamic children are `undefined`",
        "they keep theirs",
        "one can tell them apart in the tree; the oracle writes down the script's name for the process",
    ),
)


def as_otp(operation: str, answer: str) -> str:
    """Our answer, with the kept deviations taken out."""
    for deviation in KEPT:
        if deviation.as_otp is not None:
            answer = deviation.as_otp(operation, answer)
    return answer
