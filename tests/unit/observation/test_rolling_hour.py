"""The rolling hour: nothing is lost at a full hour, everything goes after one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.rolling import HourTotals, RollingHour
from actors.vocabulary.tasks import FinishedMinute

NOW_MS = 1_800_000_000_000 + 12_345


def test_an_empty_hour_has_an_average_of_zero() -> None:
    totals = RollingHour().totals(0.0)
    assert totals == HourTotals()
    assert totals.avg_completion_ms == 0


def test_completions_and_failures_are_summed_and_averaged_with_integer_division() -> None:
    hour = RollingHour()
    hour.add_completed(10.0, duration_ms=1_000, tokens_used=5)
    hour.add_completed(70.0, duration_ms=2_001, tokens_used=7)
    hour.add_failed(71.0)
    totals = hour.totals(72.0)
    assert totals == HourTotals(completed=2, failed=1, duration_ms=3_001, tokens_used=12)
    assert totals.finished == 3
    assert totals.avg_completion_ms == 1_500


def test_the_window_rolls_and_does_not_fall_to_zero_each_hour_lessons_42() -> None:
    hour = RollingHour()
    for minute in range(120):
        hour.add_completed(minute * 60.0, duration_ms=1, tokens_used=1)
        assert hour.totals(minute * 60.0).completed == min(minute + 1, 61)


@given(at=st.floats(0, 1e6), later=st.floats(0, 5_000))
def test_a_fact_counts_for_an_hour_and_at_most_a_minute_more(at: float, later: float) -> None:
    hour = RollingHour()
    hour.add_failed(at)
    age = (at + later) - at  # what the floats really differ by
    failed = hour.totals(at + later).failed
    if age < 3_600:
        assert failed == 1
    if age > 3_660:
        assert failed == 0


@given(st.lists(st.tuples(st.floats(0, 600), st.booleans(), st.integers(0, 1000)), max_size=80))
def test_the_sums_equal_a_count_of_the_kept_buckets(steps: list[tuple[float, bool, int]]) -> None:
    hour, now_s = RollingHour(), 5_000.0
    facts: list[tuple[int, bool, int]] = []
    for pause_s, completed, size in steps:
        now_s += pause_s
        facts.append((int(now_s // 60), completed, size))
        if completed:
            hour.add_completed(now_s, duration_ms=size, tokens_used=2 * size)
        else:
            hour.add_failed(now_s)
    kept = [fact for fact in facts if fact[0] >= int(now_s // 60) - 60]
    assert hour.totals(now_s) == HourTotals(
        completed=sum(completed for _, completed, _ in kept),
        failed=sum(not completed for _, completed, _ in kept),
        duration_ms=sum(size for _, completed, size in kept if completed),
        tokens_used=sum(2 * size for _, completed, size in kept if completed),
    )


def rows(*ages_min: int, failed: int = 0) -> list[FinishedMinute]:
    return [
        FinishedMinute(NOW_MS // 60_000 - age, completed=1, failed=failed, duration_ms=10, tokens_used=3)
        for age in ages_min
    ]


def test_a_rebuild_keeps_every_row_of_the_last_hour_whatever_the_phase_of_the_two_clocks() -> None:
    for phase_s in range(0, 60, 7):
        now_s = 999_000.0 + phase_s  # the row of 60 minutes ago still holds facts that are younger than an hour
        hour = RollingHour.from_minutes(rows(*range(61), failed=2), now_s=now_s, now_ms=NOW_MS)
        assert hour.totals(now_s) == HourTotals(completed=61, failed=122, duration_ms=610, tokens_used=183)


def test_rows_that_are_older_than_the_window_are_dropped() -> None:
    hour = RollingHour.from_minutes(rows(62, 90, 10_000), now_s=999_000.0, now_ms=NOW_MS)
    assert hour.totals(999_000.0) == HourTotals()


def test_rebuilt_rows_age_like_folded_ones() -> None:
    hour = RollingHour.from_minutes(rows(0, 30, 59), now_s=50.0, now_ms=NOW_MS)  # a clock younger than the window
    assert hour.totals(50.0).completed == 3
    assert hour.totals(50.0 + 5 * 60).completed == 2
    assert hour.totals(50.0 + 35 * 60).completed == 1
    assert hour.totals(50.0 + 62 * 60).completed == 0


def test_a_row_from_the_future_counts_as_now_when_the_wall_clock_was_set_back() -> None:
    hour = RollingHour.from_minutes(rows(-600), now_s=100.0, now_ms=NOW_MS)
    assert hour.totals(100.0 + 3_500).completed == 1
    assert hour.totals(100.0 + 3_700).completed == 0
