"""How an attempt ended, and how that is read from what the command printed.

A command reports with plain text on stdout. Lines that say ``progress: 40`` or ``{"progress": 40}`` are progress. What
remains is the result if it is one JSON object; otherwise the last line that is one; otherwise the end of the text, as
``{"output": …}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from wire import codec, limits
from wire.output import ESCAPE_SEQUENCE

OUTPUT_CHARS = 8_000
"""Of a text that is no JSON the end is kept: it says what happened."""

ESCAPED_RESULT_BYTES = limits.AGENT_FRAME_BYTES - 4 * limits.KIB
"""A result as it travels, with everything but ASCII escaped: a larger frame would close the connection, each time."""

PROGRESS_CHARS = 64
"""A longer line is never progress."""

_PROGRESS = re.compile(r"progress:\s*([0-9]{1,3})\s*%?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Outcome:
    """``error`` is None for success; then ``result`` is what goes to the hub."""

    result: dict[str, Any] | None = None
    tokens_used: int | None = None
    error: str | None = None

    @classmethod
    def failure(cls, error: str) -> Outcome:
        return cls(error=error[: limits.ERROR_CHARS])

    def as_json(self) -> dict[str, object]:
        return {"result": self.result, "tokens_used": self.tokens_used, "error": self.error}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Outcome:
        """Raises ``ValueError`` for what ``as_json`` cannot have written."""
        match value:
            case {
                "result": dict() | None as result,
                "tokens_used": int() | None as tokens,
                "error": str() | None as error,
            }:
                return cls(result, tokens, error)
        raise ValueError("not an outcome")


def progress_of(line: str) -> int | None:
    """The percentage that a line of stdout reports; None for any other line."""
    line = line.strip()
    if len(line) > PROGRESS_CHARS:
        return None
    value: object = None
    if match := _PROGRESS.fullmatch(line):
        value = int(match[1])
    elif line.startswith("{"):
        document = _object(line)
        value = document["progress"] if document is not None and set(document) == {"progress"} else None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100:
        return round(value)
    return None


def success(stdout: str) -> Outcome:
    """The outcome of a command that ended with exit status 0."""
    lines = [line for line in stdout.split("\n") if progress_of(line) is None]
    text = "\n".join(lines).strip()
    result = _object(text)
    if result is None:
        candidates = (line.strip() for line in reversed(lines) if line.lstrip().startswith("{"))
        result = next((found for line in candidates if (found := _object(line)) is not None), None)
    if result is None:
        result = {"output": cleaned(text)[-OUTPUT_CHARS:]}
    return Outcome(result, _tokens(result))


def exit_failure(status: int, stderr: str) -> Outcome:
    """The outcome of a command that ended with another exit status; negative: the signal that ended it."""
    told = f"exit status {status}" if status >= 0 else f"ended by signal {-status}"
    tail = cleaned(stderr).strip()[-(limits.ERROR_CHARS - len(told) - 2) :]
    return Outcome.failure(f"{told}: {tail}" if tail else told)


def cleaned(text: str) -> str:
    """``text`` without terminal sequences and control characters; tabs and line ends stay."""
    return _CONTROL.sub("\ufffd", ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object that ``text`` is, if the hub would take it as a result."""
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        value = codec.decode_object(text, max_bytes=limits.AGENT_FRAME_BYTES)
        fits = codec.encoded_size(value) <= limits.RESULT_BYTES and len(codec.encode(value)) <= ESCAPED_RESULT_BYTES
        return value if fits else None
    except codec.CodecError:
        return None


def _tokens(result: dict[str, Any]) -> int | None:
    tokens = result.get("tokens_used")
    if isinstance(tokens, int) and not isinstance(tokens, bool) and 0 <= tokens <= limits.JSON_INTEGER:
        return tokens
    return None
