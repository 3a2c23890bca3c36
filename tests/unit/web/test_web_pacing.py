"""Frames in a window, strikes, guesses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from web.pacing import FramePacer, Guesses, Strikes


@given(st.lists(st.floats(0, 0.3), max_size=200))
def test_no_window_of_a_second_holds_more_than_ten_frames(gaps: list[float]) -> None:
    pacer = FramePacer(10, 1.05)
    now, sent = 100.0, []
    for gap in gaps:
        now += gap
        if pacer.wait(now) == 0:
            pacer.record(now)
            sent.append(now)
    for start in sent:
        assert sum(start <= at < start + 1.0 for at in sent) <= 10


def test_the_wait_is_exact() -> None:
    pacer = FramePacer(2, 1.0)
    assert pacer.wait(5.0) == 0
    pacer.record(5.0)
    pacer.record(5.25)
    assert pacer.wait(5.5) == 0.5
    assert pacer.wait(6.0) == 0
    pacer.record(6.0)
    assert pacer.wait(6.0) == 0.25


def test_strikes_count_within_their_window_only() -> None:
    strikes = Strikes(3, 60.0)
    assert [strikes.add(at) for at in (0.0, 30.0, 61.0, 62.0, 90.0)] == [False, False, False, True, True]


def test_guesses_are_counted_by_address_and_name() -> None:
    guesses = Guesses(limit=2, window_s=60.0)
    assert not guesses.add("1.1.1.1", "a", 0.0)
    assert not guesses.add("2.2.2.2", "a", 0.0)
    assert not guesses.add("1.1.1.1", "b", 0.0)
    assert guesses.add("1.1.1.1", "a", 1.0)
    assert not guesses.add("1.1.1.1", "a", 100.0)


def test_guesses_take_bounded_memory() -> None:
    guesses = Guesses(keys=10)
    for number in range(1000):
        guesses.add("1.1.1.1", f"agent-{number}", 0.0)
    assert len(guesses._strikes) == 10
