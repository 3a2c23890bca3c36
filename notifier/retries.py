"""When a delivery is tried again, and when it is given up. Pure: time and chance are arguments.

With the default first wait of 5 s the attempts of a delivery come at about 0 s, 5 s, 25 s, 1:45 min, 7 min, 28 min, 2 h, 7.5 h
and 13.5 h. Up to a fifth more or less by chance, so that what failed together does not come back together.
"""

from __future__ import annotations

ATTEMPTS = 9
GROWTH = 4.0
LONGEST_WAIT_S = 6 * 3600.0
JITTER = 0.2

#: The most that a receiver's ``Retry-After`` may ask for.
LONGEST_ASKED_S = 3600.0

_MAX_DIGITS = 6


def wait_s(attempts: int, first_wait_s: float, chance: float, asked_s: float | None = None) -> float | None:
    """Seconds until the next attempt after ``attempts`` that failed; None: that was the last one.

    ``chance``: from 0 to 1. ``asked_s``: how long the receiver asked us to stay away; never sooner than that.
    """
    if attempts >= ATTEMPTS:
        return None
    grown_s = min(first_wait_s * GROWTH ** (attempts - 1), LONGEST_WAIT_S)
    planned_s = grown_s * (1 + JITTER * (2 * chance - 1))
    return max(planned_s, min(asked_s or 0.0, LONGEST_ASKED_S))


def asked_wait_s(retry_after: str | None) -> float | None:
    """The seconds of a ``Retry-After`` header; a date, or anything else, is no wish that we know."""
    text = (retry_after or "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        return None
    return float(text)
