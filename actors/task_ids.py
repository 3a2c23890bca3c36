"""A task's id and its key in the database say the same: ``task-`` and 16 hexadecimal digits, as one signed 64-bit number.

The upper half counts, so that new rows are written side by side; the lower half is chance, so that an id of a database that was
restored from a backup is not given to another task.
"""

from __future__ import annotations

PREFIX = "task-"
DIGITS = 16
_RANGE = 1 << 64
_SIGN = 1 << 63


def make_key(number: int, chance: int) -> int:
    """``number`` below 2**31, ``chance`` below 2**32."""
    return (number << 32) | chance


def id_of(key: int) -> str:
    return f"{PREFIX}{key % _RANGE:016x}"


def key_of(task_id: str) -> int | None:
    """None for what cannot be an id of ours."""
    digits = task_id[len(PREFIX) :]
    if len(digits) != DIGITS or not task_id.startswith(PREFIX):
        return None
    try:
        key = int(digits, 16)
    except ValueError:
        return None
    key = key - _RANGE if key >= _SIGN else key
    return key if id_of(key) == task_id else None
