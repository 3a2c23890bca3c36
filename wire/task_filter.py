"""The filter language of task lists, the same in the page, the API and the command line.

    state:queued,assigned lane:urgent agent:anna -error:timeout age:>10m retries:>=2 "two words" word

A filter is a list of terms, all of which must hold. A term is ``key:value``, or a word or a quoted phrase that the description
must contain. Commas separate alternatives, ``-`` before a term negates it, quotes hold what has spaces. ``KEYS`` says which
keys there are and what they take. ``parse`` is pure: it gives a ``Filter`` or raises ``Invalid`` with a sentence that says what
to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from wire import limits
from wire.errors import FieldError, Invalid
from wire.fields import is_task_id, priority_number

#: Longest text of a filter, in characters; most terms; most alternatives of one term.
FILTER_CHARS = 2_000
FILTER_TERMS = 30
TERM_VALUES = 100

#: Words for states; the hub's own come first in messages.
STATES = {
    "queued": "queued",
    "assigned": "assigned",
    "completed": "completed",
    "dead_letter": "dead_letter",
    "cancelled": "cancelled",
    "waiting": "queued",
    "working": "assigned",
    "running": "assigned",
    "done": "completed",
    "dead": "dead_letter",
    "discarded": "discarded",
}
LANES = ("urgent", "high", "normal", "low")

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d|w)")
_NUMBER = re.compile(r"[0-9]{1,15}")
_COMPARED = re.compile(r"(<=|>=|<|>|=|)(.*)", re.DOTALL)
_GROUP = re.compile(r"[0-9a-f]{12}")
_OPERATION = re.compile(r"op-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Key:
    """``kind``: how values are written (word, text, number, duration, …); ``says``: one line for the list of suggestions."""

    name: str
    kind: str
    says: str


KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key("state", "state", "queued, assigned, completed, dead_letter, cancelled or discarded"),
        Key("lane", "lane", "urgent, high, normal or low"),
        Key("agent", "word", "who has it, or had it last"),
        Key("pinned-to", "word", "the only agent that may have it"),
        Key("needs", "word", "a capability that it needs"),
        Key("error", "text", "part of its last error"),
        Key("group", "group", "a group of dead letters, by its id"),
        Key("age", "duration", "time since it was submitted: >10m, <1h"),
        Key("updated", "duration", "time since its last change: <5m"),
        Key("took", "duration", "time from hand-out to completion: >30s"),
        Key("retries", "number", "failed attempts: 0, >=2"),
        Key("tokens", "number", "tokens used: >1000"),
        Key("submitted-by", "word", "who submitted it"),
        Key("id", "id", "one task by its id"),
        Key("operation", "operation", "what a bulk operation acted on, by its id"),
    )
}

#: The key of a word or phrase without one.
TEXT = "text"


@dataclass(frozen=True, slots=True)
class Term:
    """``values`` are alternatives: of a comparison one number (milliseconds or a count), else strings as the hub stores them."""

    key: str
    values: tuple[str | int, ...]
    op: str = "="
    """=, <, <=, > or >=."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """All terms hold. No term: every task."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        """In the language again, each term in one way of writing it."""
        return " ".join(_written(term) for term in self.terms)

    def only(self, key: str) -> tuple[str | int, ...] | None:
        """The values that ``key`` is narrowed to; None when it is not narrowed by equality."""
        found: tuple[str | int, ...] | None = None
        for term in self.terms:
            if term.key == key and not term.negated and term.op == "=":
                found = term.values if found is None else tuple(one for one in found if one in term.values)
        return found


def parse(text: str) -> Filter:
    """Raises ``Invalid``: the faults of field ``q``, with the nearest key for an unknown one."""
    if len(text) > FILTER_CHARS:
        raise _fault("too_long", f"must have at most {FILTER_CHARS} characters")
    terms = tuple(_term(token) for token in _tokens(text))
    if len(terms) > FILTER_TERMS:
        raise _fault("too_many", f"must have at most {FILTER_TERMS} terms")
    return Filter(terms)


# --- cutting the text into terms --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Token:
    """``key`` None: words without one. ``parts``: the alternatives, each with whether it was quoted."""

    negated: bool
    key: str | None
    parts: tuple[tuple[str, bool], ...]


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        negated = text[at] == "-" and at + 1 < len(text) and not text[at + 1].isspace()
        at += negated
        key, at = _key_at(text, at)
        parts, at = _parts_at(text, at, alternatives=key is not None)
        yield _Token(negated, key, parts)


_KEY = re.compile(r"([A-Za-z][A-Za-z_-]*):")


def _key_at(text: str, at: int) -> tuple[str | None, int]:
    match = _KEY.match(text, at)
    return (match[1].lower().replace("_", "-"), match.end()) if match is not None else (None, at)


def _parts_at(text: str, at: int, *, alternatives: bool) -> tuple[tuple[tuple[str, bool], ...], int]:
    parts: list[tuple[str, bool]] = []
    while True:
        part, is_quoted, at = _part_at(text, at, stops_at_comma=alternatives)
        parts.append((part, is_quoted))
        if not (alternatives and at < len(text) and text[at] == ","):
            return tuple(parts), at
        at += 1


def _part_at(text: str, at: int, *, stops_at_comma: bool) -> tuple[str, bool, int]:
    """A comparison sign may stand before a quoted part."""
    sign = _COMPARED.match(text, at)
    prefix = sign[1] if sign is not None else ""
    if text.startswith('"', at + len(prefix)):
        part, end = _quoted_at(text, at + len(prefix) + 1)
        return prefix + part, not prefix, end
    end = at
    while end < len(text) and not text[end].isspace() and not (stops_at_comma and text[end] == ","):
        end += 1
    return text[at:end], False, end


def _quoted_at(text: str, at: int) -> tuple[str, int]:
    """Up to the closing quote; ``\\"`` and ``\\\\`` stand for themselves."""
    content: list[str] = []
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            content.append(text[at + 1])
            at += 2
            continue
        if text[at] == '"':
            return "".join(content), at + 1
        content.append(text[at])
        at += 1
    raise _fault("not_closed", 'a quotation mark is not closed; write "…" around the words')


# --- what the terms mean ----------------------------------------------------------------------------------------------


def _term(token: _Token) -> Term:
    if token.key is None:
        return Term(TEXT, (_some(token.parts[0][0], TEXT),), negated=token.negated)
    key = KEYS.get(token.key)
    if key is None:
        raise _unknown(token.key)
    if len(token.parts) > TERM_VALUES:
        raise _fault("too_many", f"{key.name}: takes at most {TERM_VALUES} values")
    if key.kind in ("number", "duration"):
        return _comparison(key, token)
    values = tuple(dict.fromkeys(_value(key, part) for part, _ in token.parts))
    return Term(key.name, values, negated=token.negated)


def _comparison(key: Key, token: _Token) -> Term:
    written = [_COMPARED.fullmatch(part) for part, _ in token.parts]
    [(op, text), *others] = [(match[1], match[2]) for match in written if match is not None]
    if key.kind == "duration" and (op in ("", "=") or others):
        raise _fault("no_comparison", f"{key.name}: compares, as in {key.name}:>10m or {key.name}:<1h")
    if others and (op not in ("", "=") or any(sign not in ("", "=") for sign, _ in others)):
        raise _fault("bad_format", f"{key.name}: takes one comparison; write two terms for two")
    read = _milliseconds if key.kind == "duration" else _count
    return Term(key.name, tuple(read(key, one) for one in (text, *(t for _, t in others))), op or "=", token.negated)


def _value(key: Key, text: str) -> str | int:
    text = _some(text, key.name)
    match key.kind:
        case "state":
            state = STATES.get(text.lower())
            if state is None:
                raise _fault(
                    "unknown_value",
                    f"state: takes {_listed(sorted(set(STATES.values())))}{_nearest(text, list(STATES))}",
                )
            return state
        case "lane":
            lane = priority_number(text.lower())
            if lane is None:
                raise _fault("unknown_value", f"lane: takes {_listed(LANES)}{_nearest(text, LANES)}")
            return lane
        case "id" if not is_task_id(text):
            raise _fault("bad_format", "id: takes the id of a task")
        case "group" if _GROUP.fullmatch(text) is None:
            raise _fault("bad_format", "group: takes the id of a group, 12 hexadecimal digits")
        case "operation" if _OPERATION.fullmatch(text) is None:
            raise _fault("bad_format", "operation: takes the id of an operation, as op-0123456789ab")
    return text


def _some(text: str, key: str) -> str:
    if not text or "\x00" in text:
        raise _fault("empty", f"{key}: needs a value" if key != TEXT else "a quoted phrase must not be empty")
    if len(text) > limits.STATUS_CHARS:
        raise _fault("too_long", f"a value must have at most {limits.STATUS_CHARS} characters")
    return text


def _milliseconds(key: Key, text: str) -> int:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise _fault("bad_format", f"{key.name}: takes a time as 30s, 10m, 2h or 7d, as in {key.name}:>10m")
    return int(match[1]) * _UNITS_MS.get(match[2], 1)


def _count(key: Key, text: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise _fault("bad_format", f"{key.name}: takes a number, as in {key.name}:>=2")
    return int(text)


# --- refusals ---------------------------------------------------------------------------------------------------------


def nearest_key(name: str) -> str | None:
    """The key that was probably meant."""
    wanted = {"status": "state", "priority": "lane", "capability": "needs", "assigned-to": "agent", "tag": "needs"}
    if name in wanted:
        return wanted[name]
    return next(iter(get_close_matches(name, KEYS, 1, 0.5)), None)


def _unknown(name: str) -> Invalid:
    nearest = nearest_key(name)
    if nearest is None:
        sentence = f'there is no such key; there are {_listed(KEYS)}. Quote words that contain a colon: "…"'
    else:
        sentence = f"there is no such key; did you mean {nearest}:?"
    return _fault("unknown_key", sentence)


def _nearest(text: str, choices: list[str] | tuple[str, ...]) -> str:
    found = get_close_matches(text.lower(), choices, 1, 0.5)
    return f"; did you mean {found[0]}?" if found else ""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _fault(error: str, detail: str) -> Invalid:
    return Invalid([FieldError("q", error, detail)])


# --- writing it again -------------------------------------------------------------------------------------------------


def _written(term: Term) -> str:
    sign = "-" if term.negated else ""
    if term.key == TEXT:
        return sign + quoted(str(term.values[0]))
    kind = KEYS[term.key].kind
    values = ",".join(_written_value(kind, value) for value in term.values)
    return f"{sign}{term.key}:{'' if term.op == '=' else term.op}{values}"


def _written_value(kind: str, value: str | int) -> str:
    if kind == "lane":
        return LANES[int(value)]
    if kind == "duration":
        return duration(int(value))
    return quoted(str(value)) if isinstance(value, str) else str(value)


def duration(ms: int) -> str:
    """In the largest unit that says it exactly."""
    for unit in ("w", "d", "h", "m", "s"):
        if ms and ms % _UNITS_MS[unit] == 0:
            return f"{ms // _UNITS_MS[unit]}{unit}"
    return f"{ms}ms"


def quoted(text: str) -> str:
    """As it may stand in a filter: quoted where it would mean something else without."""
    if text and not re.search(r'[\s",:<>=\\]', text) and not text.startswith("-"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
