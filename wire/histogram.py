"""Durations in a bounded number of buckets, so that percentiles can be added up over any time and any number of tasks.

Eight buckets to each doubling: a percentile is at most 6 % away from the true one. What takes longer than ``LONGEST_MS``
counts as that long. A histogram is a list of ``BUCKETS`` counts while it is filled, and the pairs (bucket, count) of those
that are not empty when it is kept or sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import TypeAlias

Pairs: TypeAlias = tuple[tuple[int, int], ...]
"""(bucket, count), by bucket, without empty ones."""

#: log2 of the buckets in one doubling.
_FINE = 3
_PER_DOUBLING = 1 << _FINE

#: 2**32 ms are 50 days.
LONGEST_MS = 2**32 - 1

#: Durations below this have a bucket each.
_EXACT = 2 * _PER_DOUBLING


def bucket_of(duration_ms: int) -> int:
    """Costs the same for every duration; a negative one (the wall clock was set back) is none at all."""
    if duration_ms < _EXACT:
        return duration_ms if duration_ms > 0 else 0
    if duration_ms > LONGEST_MS:
        duration_ms = LONGEST_MS
    doublings = duration_ms.bit_length() - _FINE - 1
    return (doublings << _FINE) + (duration_ms >> doublings)


BUCKETS = bucket_of(LONGEST_MS) + 1


def lowest_ms(bucket: int) -> int:
    """The shortest duration in a bucket; of ``BUCKETS``, the end of the last one."""
    if bucket < _EXACT:
        return bucket
    doublings = (bucket >> _FINE) - 1
    return (_PER_DOUBLING + (bucket & (_PER_DOUBLING - 1))) << doublings


def middle_ms(bucket: int) -> int:
    """What a duration in this bucket is taken for."""
    return (lowest_ms(bucket) + lowest_ms(bucket + 1) - 1) // 2


def empty() -> list[int]:
    return list(repeat(0, BUCKETS))


def pairs_of(counts: Sequence[int]) -> Pairs:
    return tuple((bucket, count) for bucket, count in enumerate(counts) if count)


def add(counts: list[int], pairs: Iterable[tuple[int, int]], times: int = 1) -> None:
    """``times`` -1 takes them out again. A bucket that does not exist (another program wrote it) is left out."""
    for bucket, count in pairs:
        if 0 <= bucket < BUCKETS:
            counts[bucket] += times * count


def quantiles(pairs: Sequence[tuple[int, int]], shares: Sequence[float]) -> tuple[int, ...] | None:
    """For each share (rising, such as 0.5, 0.95, 0.99) the duration in ms that it does not exceed. None: nothing counted.

    ``pairs`` by bucket.
    """
    total = sum(count for _, count in pairs)
    if total <= 0:
        return None
    found: list[int] = []
    seen = 0
    for bucket, count in pairs:
        seen += count
        while len(found) < len(shares) and seen >= shares[len(found)] * total:
            found.append(middle_ms(bucket))
    return (*found, *repeat(found[-1], len(shares) - len(found)))
