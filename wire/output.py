"""What a task prints, made safe to show: colours stay, every other thing that a terminal would obey goes.

A line is a pair of the stream it came from (``out`` or ``err``) and its text, without its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from wire import codec, limits

#: A terminal's control sequences: CSI, OSC, and the short ones. Linear: no part of it reaches over another escape.
ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")

_COLOUR = r"\[[0-9;]{0,32}m"
_IS_COLOUR = re.compile(rf"\x1b{_COLOUR}")
_CONTROL = r"\x00-\x08\x0a-\x1a\x1c-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_SUSPECT = re.compile(rf"[\x1b{_CONTROL}]")
_UNSHOWABLE = re.compile(rf"\x1b(?!{_COLOUR})|[{_CONTROL}]")

REPLACEMENT = "\ufffd"


def safe_line(text: str) -> str:
    """``text`` with tabs and colours as they were, without other sequences, and with control characters replaced."""
    if _SUSPECT.search(text):
        kept = ESCAPE_SEQUENCE.sub(lambda found: found[0] if _IS_COLOUR.fullmatch(found[0]) else "", text)
        text = _UNSHOWABLE.sub(REPLACEMENT, kept)
    return text if len(text) <= limits.OUTPUT_LINE_CHARS else f"{text[: limits.OUTPUT_LINE_CHARS - 1]}…"


def plain_line(text: str) -> str:
    """``safe_line`` without its colours."""
    return _IS_COLOUR.sub("", safe_line(text))


def encoded_lines(lines: Iterable[tuple[str, str]]) -> bytes:
    """Safe lines as JSON pairs joined by commas, so that whoever joins several of these need not parse them."""
    return codec.encode([(stream, safe_line(text)) for stream, text in lines])[1:-1]
