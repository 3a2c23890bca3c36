"""The ring gives a page that is behind exactly what it missed, or says that it cannot."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from link.messages import DashboardBatch
from web.event_ring import EventRing


def batch(first: int, last: int, *shown: int) -> DashboardBatch:
    """Covers first..last; ``shown`` are the events that browsers see of it."""
    events = b",".join(b'{"type":"task_event","seq":%d}' % seq for seq in shown)
    return DashboardBatch(first, last, events)


def seqs(ring: EventRing, after: int) -> list[int]:
    return [event["seq"] for event in json.loads(b"[" + ring.after(after) + b"]")]


def test_a_page_gets_what_came_after_its_last_event() -> None:
    ring = EventRing(10, 10_000)
    for one in (batch(1, 3, 1, 2, 3), batch(4, 4, 4), batch(5, 9, 6, 9)):
        ring.push(one)
    assert seqs(ring, 0) == [1, 2, 3, 4, 6, 9]
    assert seqs(ring, 3) == [4, 6, 9]
    assert seqs(ring, 4) == [6, 9]
    assert seqs(ring, 9) == [] and ring.covers(9)


def test_a_snapshot_in_the_middle_of_a_batch_is_followed_by_its_rest_only() -> None:
    ring = EventRing(10, 10_000)
    ring.push(batch(1, 10, 2, 5, 9))
    ring.push(batch(11, 11, 11))
    assert seqs(ring, 5) == [9, 11]
    assert seqs(ring, 4) == [5, 9, 11]
    assert seqs(ring, 10) == [11]
    assert seqs(ring, 9) == [11], "nothing of the first is left to show"


def test_a_snapshot_that_is_newer_than_every_batch_needs_nothing() -> None:
    ring = EventRing(10, 10_000)
    ring.push(batch(1, 3, 3))
    assert ring.covers(7) and seqs(ring, 7) == []
    ring.push(batch(4, 8, 5, 8))
    assert seqs(ring, 7) == [8]


def test_a_gap_makes_everything_before_it_useless() -> None:
    ring = EventRing(10, 10_000)
    ring.push(batch(1, 3, 1, 2, 3))
    ring.push(batch(5, 6, 5, 6))
    assert not ring.covers(3) and ring.covers(4) and ring.last_seq == 6


def test_too_many_batches_or_bytes_push_out_the_oldest() -> None:
    ring = EventRing(2, 10_000)
    for one in (batch(1, 1, 1), batch(2, 2, 2), batch(3, 3, 3)):
        ring.push(one)
    assert not ring.covers(0) and seqs(ring, 1) == [2, 3]
    ring = EventRing(100, 50)
    for one in (batch(1, 1, 1), batch(2, 2, 2), batch(3, 3, 3)):
        ring.push(one)
    assert not ring.covers(1) and seqs(ring, 2) == [3]


def test_an_empty_ring_covers_everything_and_holds_nothing() -> None:
    ring = EventRing(10, 10_000)
    assert ring.covers(0) and ring.after(0) == b"" and ring.last_seq is None


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=30), st.integers(0, 150))
def test_every_page_sees_every_shown_event_once_or_learns_of_the_gap(spans: list[tuple[int, bool]], sent: int) -> None:
    ring = EventRing(8, 10_000)
    first, shown = 1, []
    for span, is_gap in spans:
        first += 2 if is_gap else 0
        events = [seq for seq in range(first, first + span) if seq % 2 == 0]
        shown += events
        ring.push(batch(first, first + span - 1, *events))
        first += span
    if ring.covers(sent):
        assert seqs(ring, sent) == [seq for seq in shown if seq > sent]
