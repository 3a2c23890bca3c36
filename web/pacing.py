"""How much of something is too much in a stretch of time. Pure: the time is an argument, in seconds of one clock."""

from __future__ import annotations

from collections import deque


class FramePacer:
    """Lets at most ``frames`` through in any ``window_s``."""

    def __init__(self, frames: int, window_s: float) -> None:
        self._window_s = window_s
        self._sent: deque[float] = deque(maxlen=frames)

    def wait(self, now: float) -> float:
        """Seconds until the next frame may go; 0 when it may go now."""
        if len(self._sent) < (self._sent.maxlen or 0):
            return 0.0
        return max(0.0, self._sent[0] + self._window_s - now)

    def record(self, now: float) -> None:
        """A frame goes out."""
        self._sent.append(now)


class Strikes:
    """Counts offences; ``add`` is True with the one that makes ``limit`` of them within ``window_s``."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._window_s = window_s
        self._at: deque[float] = deque(maxlen=limit)

    def add(self, now: float) -> bool:
        self._at.append(now)
        return len(self._at) == self._at.maxlen and now - self._at[0] <= self._window_s


class Budget:
    """``per_s`` of something, and up to ``at_once`` after a time without it."""

    def __init__(self, per_s: float, at_once: float) -> None:
        self._per_s = per_s
        self._at_once = self._left = at_once
        self._filled_at: float | None = None

    def take(self, amount: float, now: float) -> bool:
        """False, and nothing taken, when there is nothing left. The last of it may be overdrawn."""
        if self._filled_at is not None:
            self._left = min(self._at_once, self._left + self._per_s * (now - self._filled_at))
        self._filled_at = now
        if self._left <= 0:
            return False
        self._left -= amount
        return True


class Guesses:
    """Bad tokens by (address, agent id): whoever keeps guessing is cut off at the first one of a connection.

    A valid token always passes: nobody can lock an agent out by guessing in its name.
    """

    def __init__(self, limit: int = 10, window_s: float = 60.0, keys: int = 10_000) -> None:
        self._limit = limit
        self._window_s = window_s
        self._keys = keys
        self._strikes: dict[tuple[str, str], Strikes] = {}

    def add(self, address: str, agent_id: str, now: float) -> bool:
        """Note a bad one. True: too many by now."""
        key = (address, agent_id)
        strikes = self._strikes.pop(key, None) or Strikes(self._limit, self._window_s)
        self._strikes[key] = strikes  # the least recently used comes first
        if len(self._strikes) > self._keys:
            del self._strikes[next(iter(self._strikes))]
        return strikes.add(now)
