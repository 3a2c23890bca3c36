"""Hours of work as shares: of a day, of a week, and each for itself."""

from __future__ import annotations

from actors.utilisation import DAY_HOURS, HOUR_MS, KEPT_HOURS, hour_of, kept_hours, shown

NOW = 1_772_323_200_000 + 20 * 60_000
LAST = hour_of(NOW)


def test_there_is_no_share_of_a_time_in_which_nobody_was_there() -> None:
    found = shown((), (0, 0), NOW)
    assert found["utilisation_day"] is None and found["utilisation_week"] is None
    assert found["utilisation_hours"] == {"from": LAST - (KEPT_HOURS - 1) * HOUR_MS, "shares": [None] * KEPT_HOURS}


def test_hours_are_weighed_by_how_long_the_agent_was_there() -> None:
    rows = [(LAST - HOUR_MS, 100, 1_000), (LAST, 90, 100)]
    found = shown(rows, (10, 0), NOW)
    assert found["utilisation_day"] == round(200 / 1_100, 3)
    assert found["utilisation_hours"]["shares"][-2:] == [0.1, 1.0]


def test_a_day_is_the_present_hour_and_the_23_before_and_a_week_is_seven_of_them() -> None:
    rows = [
        (LAST - DAY_HOURS * HOUR_MS, 1_000, 1_000),
        (LAST - (DAY_HOURS - 1) * HOUR_MS, 0, 1_000),
        (LAST - KEPT_HOURS * HOUR_MS, 5_000, 5_000),
    ]
    found = shown(rows, (0, 0), NOW)
    assert (found["utilisation_day"], found["utilisation_week"]) == (0.0, 0.5)


def test_a_share_is_never_more_than_everything() -> None:
    """A task that ends while its agent is away was busy when nobody counted that it was there."""
    assert shown([(LAST, 300, 200)], (0, 0), NOW)["utilisation_day"] == 1.0


def test_the_kept_hours_end_with_the_present_one() -> None:
    hours = kept_hours(NOW)
    assert len(hours) == KEPT_HOURS and hours[-1] == LAST and hours == sorted(hours)
