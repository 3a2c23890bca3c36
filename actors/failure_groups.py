"""Which failures are of one kind: their texts are the same but for numbers, ids and spaces."""

from __future__ import annotations

import re

#: Characters of a text that count: where a message differs later, it is mostly in what it was about.
COMPARED_CHARS = 160

_ID = re.compile(r"\b(?=[0-9a-f-]*[0-9])[0-9a-f]{6,}(?:-[0-9a-f]{2,})*\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_SPACE = re.compile(r"\s+")


def kind_of(error: str | None) -> str:
    """The text with a mark in the place of each number and id; what is compared, and what a person can read."""
    text = _SPACE.sub(" ", (error or "no reason was given").strip())[: 2 * COMPARED_CHARS]
    return _NUMBER.sub("#", _ID.sub("#", text))[:COMPARED_CHARS]
