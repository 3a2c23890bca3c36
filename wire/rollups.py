"""One bucket of the roll-ups: what happened in 10 seconds, a minute or an hour, as the hub keeps it and sends it to the web.

Buckets of one size add up to larger ones: counts are added, levels are averages over ``samples``, histograms merge.
"""

from __future__ import annotations

import msgspec

from wire.histogram import Pairs

#: Seconds of a bucket -> seconds for which buckets of this size are kept.
KEPT_S = {10: 2 * 3600, 60: 48 * 3600, 3600: 90 * 86_400}

#: Shares of which the percentiles are shown.
SHARES = (0.5, 0.95, 0.99)

LANES = 4
NONE = (0,) * LANES


class Rollup(msgspec.Struct, frozen=True, array_like=True):
    """``start`` is Unix milliseconds, a multiple of the bucket's size. New fields go to the end, with a default."""

    start: int
    samples: int = 0
    """Looks at the levels, one a second: fewer than the size of the bucket when the hub was away, or when it is not over."""
    submitted: int = 0
    completed: int = 0
    failed: int = 0
    """Attempts that ended badly, each once."""
    dead: int = 0
    """Tasks that became dead letters."""
    tokens: int = 0
    queued_sum: int = 0
    queued_max: int = 0
    working_sum: int = 0
    """Tasks that are with an agent."""
    online_sum: int = 0
    """Agents that are connected."""
    buried_sum: int = 0
    """Dead letters."""
    lanes_in: tuple[int, ...] = NONE
    """Tasks that began to wait, by lane: new ones and those that came back."""
    lanes_out: tuple[int, ...] = NONE
    """Tasks that stopped waiting, by lane."""
    wait: Pairs = ()
    """From the submission to the first hand-out."""
    run: Pairs = ()
    """From the hand-out to the completion."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Rollup)


def pack(rollup: Rollup) -> bytes:
    return _encoder.encode(rollup)


def unpack(packed: bytes) -> Rollup:
    """Raises ``msgspec.DecodeError`` for what is none."""
    return _decoder.decode(packed)
