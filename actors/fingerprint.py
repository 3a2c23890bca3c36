"""Which dead letters died of the same: the fingerprint of a reason and of an error text without what differs by chance.

Ids, numbers, paths, hexadecimal and quoted strings are replaced by marks, so that "timeout after 31 s for task-12ab" and
"timeout after 29 s for task-77cd" are one cause. Of a traceback the last line counts, and the function in which it happened.
"""

from __future__ import annotations

import hashlib
import re

from actors.vocabulary.tasks import Task

#: Characters of an error that are looked at, and of the shape that is kept.
LOOKED_AT = 4_000
SHAPE_CHARS = 240

#: Why a task was given up: its last attempt failed, it was handed out too often without an end, or its deadline passed.
FAILED, UNFINISHED, DEADLINE = "failed", "unfinished", "deadline"

_FRAME = re.compile(r'^\s*File "[^"\n]{0,400}", line \d+, in (\S{1,100})', re.MULTILINE)

#: In this order: what is replaced first cannot be found again. Each is linear in the length of the text.
_MARKS = (
    (re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>]+", re.IGNORECASE), "URL"),
    (re.compile(r'"[^"\n]*"|\'[^\'\n]*\'|`[^`\n]*`'), "“…”"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "ID"),
    (re.compile(r"\btask-[0-9a-f]{16}\b"), "ID"),
    (re.compile(r"(?<![\w/])(?:~|\.{1,2}|[A-Za-z]:)?(?:[/\\][\w.@+-]+)+[/\\]?"), "PATH"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "HEX"),
    (re.compile(r"\b(?=[a-f]*[0-9])[0-9a-f]{6,}\b", re.IGNORECASE), "HEX"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "N"),
    (re.compile(r"\s+"), " "),
)


def reason_of(before: Task, after: Task) -> str:
    """Why the step from ``before`` made ``after`` a dead letter."""
    if after.retry_count > before.retry_count:
        return FAILED
    return UNFINISHED if after.reclaim_count > before.reclaim_count else DEADLINE


def shape_of(error: str | None) -> str:
    """The text of an error without what differs by chance; at most ``SHAPE_CHARS`` characters."""
    text = (
        (error or "").strip()[-LOOKED_AT:] if "Traceback (most recent" in (error or "") else (error or "")[:LOOKED_AT]
    )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return "(no error text)"
    frames = _FRAME.findall(text)
    shape = f"{lines[-1]} in {frames[-1]}" if frames else " ".join(lines[:3])
    for pattern, mark in _MARKS:
        shape = pattern.sub(mark, shape)
    return shape[:SHAPE_CHARS]


def fingerprint(reason: str, shape: str) -> str:
    """12 hexadecimal digits."""
    return hashlib.sha256(f"{reason}\n{shape}".encode(errors="replace")).hexdigest()[:12]
