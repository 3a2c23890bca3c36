"""Percentiles from buckets are near the true ones, and buckets add up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wire.histogram import (
    BUCKETS,
    LONGEST_MS,
    add,
    bucket_of,
    empty,
    lowest_ms,
    middle_ms,
    pairs_of,
    quantiles,
)

durations = st.integers(min_value=0, max_value=LONGEST_MS)


def test_every_bucket_begins_where_the_one_before_it_ends() -> None:
    for bucket in range(BUCKETS):
        assert bucket_of(lowest_ms(bucket)) == bucket
        assert bucket_of(lowest_ms(bucket + 1) - 1) == bucket


@given(durations)
def test_a_duration_is_taken_for_one_that_is_at_most_an_eighth_away(duration_ms: int) -> None:
    assert abs(middle_ms(bucket_of(duration_ms)) - duration_ms) <= duration_ms / 16 + 1


def test_what_is_negative_or_endless_has_a_bucket() -> None:
    assert bucket_of(-5) == 0
    assert bucket_of(LONGEST_MS * 1000) == BUCKETS - 1


def filled(values: list[int]) -> list[int]:
    counts = empty()
    for value in values:
        counts[bucket_of(value)] += 1
    return counts


@given(st.lists(durations, min_size=1, max_size=200))
def test_percentiles_are_near_those_of_the_values(values: list[int]) -> None:
    found = quantiles(pairs_of(filled(values)), (0.5, 0.95, 0.99))
    assert found is not None
    for share, got in zip((0.5, 0.95, 0.99), found, strict=True):
        true = sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]
        assert abs(got - true) <= true / 16 + 1


@given(st.lists(durations, max_size=50), st.lists(durations, max_size=50))
def test_two_that_are_added_are_the_one_of_all_and_can_be_taken_apart_again(one: list[int], two: list[int]) -> None:
    counts = filled(one)
    add(counts, pairs_of(filled(two)))
    assert counts == filled(one + two)
    add(counts, pairs_of(filled(two)), -1)
    assert counts == filled(one)


def test_nothing_counted_has_no_percentiles_and_foreign_buckets_are_left_out() -> None:
    assert quantiles((), (0.5,)) is None
    counts = empty()
    add(counts, ((BUCKETS, 3), (-1, 2)))
    assert counts == empty()
