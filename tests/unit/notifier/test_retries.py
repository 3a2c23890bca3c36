"""The table of waits, walked cell by cell."""

from __future__ import annotations

import pytest

from notifier.retries import ATTEMPTS, LONGEST_ASKED_S, LONGEST_WAIT_S, asked_wait_s, wait_s

PLAN = [5, 20, 80, 320, 1_280, 5_120, 20_480, LONGEST_WAIT_S]


@pytest.mark.parametrize(("attempts", "planned_s"), list(enumerate(PLAN, 1)))
def test_waits_grow_and_keep_within_a_fifth_of_the_plan(attempts: int, planned_s: float) -> None:
    assert wait_s(attempts, 5.0, 0.5) == pytest.approx(planned_s)
    assert wait_s(attempts, 5.0, 0.0) == pytest.approx(0.8 * planned_s)
    assert wait_s(attempts, 5.0, 1.0) == pytest.approx(1.2 * planned_s)


def test_after_the_last_attempt_it_is_given_up() -> None:
    assert len(PLAN) + 1 == ATTEMPTS
    assert wait_s(ATTEMPTS, 5.0, 0.5) is None and wait_s(ATTEMPTS + 1, 5.0, 0.5, 60) is None


def test_who_asks_for_more_time_gets_it_within_reason() -> None:
    assert wait_s(1, 5.0, 0.5, 90.0) == 90.0
    assert wait_s(1, 5.0, 0.5, 1.0) == pytest.approx(5.0)
    assert wait_s(1, 5.0, 0.5, 10_000_000.0) == LONGEST_ASKED_S


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        *(
            ("120", 120.0),
            (" 7 ", 7.0),
            ("0", 0.0),
            (None, None),
            ("", None),
            ("-5", None),
            ("soon", None),
            ("1e9", None),
        ),
        *(("99999999999999999999", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("\u0663", None)),
    ],
)
def test_only_seconds_are_understood(header: str | None, expected: float | None) -> None:
    assert asked_wait_s(header) == expected
