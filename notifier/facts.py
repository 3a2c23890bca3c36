"""What is worth telling: health got worse or better, agents that went away, tasks that were given up. Pure.

``look`` compares what the hub says now with what was told before and answers with notices and with what to remember.
Each is told once; a flood becomes one notice a minute that counts. The first look at a hub only remembers: what was so before
anybody asked to be told is no news.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from wire import codec
from wire.notices import NoticeKind

#: Conditions that have notices of their own kind.
TOLD_OTHERWISE = frozenset({"agent_offline", "dead_letters_new"})

RANK = {"ok": 0, "warning": 1, "critical": 2}

#: Health must be good for so long before it is told: what comes back at once was not over. Also longer than a hub takes to start.
RECOVERED_AFTER_MS = 60_000

#: Least time between two notices of one kind: what happens meanwhile is told together.
GAP_MS = 60_000

NAMES_SHOWN = 5
IDS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Seen:
    """What the hub says now, at ``now_ms``. ``dead``: task objects, newest first, at most ``dead_limit``."""

    now_ms: int
    conditions: Sequence[Mapping[str, Any]]
    lost: Sequence[Mapping[str, Any]]
    dead: Sequence[Mapping[str, Any]]
    dead_limit: int


@dataclass(frozen=True, slots=True)
class Fact:
    """One notice: a title and a sentence for people, ``data`` for programs, ``path`` of the page that shows more."""

    kind: NoticeKind
    title: str
    text: str
    path: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    facts: tuple[Fact, ...]
    memory: dict[str, Any]


def look(seen: Seen, memory: Mapping[str, Any] | None) -> Told:
    """``memory`` is that of the last look; None: the first."""
    if memory is None:
        return Told((), _first_memory(seen))
    after = dict(memory)
    for until in (
        "agents_until",
        "dead_until",
    ):  # a clock that was set back must not keep us silent until it is there again
        after[until] = min(after[until], seen.now_ms)
    facts: list[Fact] = []
    for step in (_agents, _dead_letters, _health):
        facts += step(seen, after)
    return Told(tuple(facts), after)


def _first_memory(seen: Seen) -> dict[str, Any]:
    told = {str(one["id"]): str(one["severity"]) for one in _health_conditions(seen)}
    return {
        "agents_until": max([seen.now_ms, *(int(one["since"]) for one in seen.lost)]),
        "agents_told": 0,
        "dead_until": max([seen.now_ms, *(int(one["updated_at"]) for one in seen.dead)]),
        "dead_told": 0,
        "conditions": told,
        "good_since": None,
    }


# --- agents ---------------------------------------------------------------------------------------------------------------


def _agents(seen: Seen, memory: dict[str, Any]) -> list[Fact]:
    new = [one for one in seen.lost if int(one["since"]) > memory["agents_until"]]
    if not new or _too_soon(memory["agents_told"], seen.now_ms):
        return []
    memory["agents_until"] = max(int(one["since"]) for one in new)
    memory["agents_told"] = seen.now_ms
    ids = [str(one["agent_id"]) for one in new]
    title = f"Agent {ids[0]} is offline" if len(ids) == 1 else f"{len(ids)} agents are offline"
    text = f"Left without a goodbye: {_some(ids)}."
    path = f"/agents/{ids[0]}" if len(ids) == 1 else "/agents"
    return [Fact(NoticeKind.AGENT_OFFLINE, title, text, path, {"agent_ids": ids[:IDS_SHOWN], "count": len(ids)})]


# --- dead letters ---------------------------------------------------------------------------------------------------------


def _dead_letters(seen: Seen, memory: dict[str, Any]) -> list[Fact]:
    new = [one for one in seen.dead if int(one["updated_at"]) > memory["dead_until"]]
    if not new or _too_soon(memory["dead_told"], seen.now_ms):
        return []
    memory["dead_until"] = max(int(one["updated_at"]) for one in new)
    memory["dead_told"] = seen.now_ms
    is_all = len(new) < seen.dead_limit
    number = str(len(new)) if is_all else f"{len(new)} or more"
    ids = [str(one["id"]) for one in new]
    agents = Counter(str(one["assigned_to"]) for one in new if one.get("assigned_to"))
    title = "A task was given up" if len(new) == 1 else f"{number} tasks were given up"
    text = f"In the dead letters: {_some(ids)}."
    if agents:
        text += " Last at " + ", ".join(f"{name} ({count})" for name, count in agents.most_common(NAMES_SHOWN)) + "."
    path = f"/tasks/{ids[0]}" if len(new) == 1 else "/dead"
    data = {"task_ids": ids[:IDS_SHOWN], "count": len(new), "count_is_exact": is_all}
    return [Fact(NoticeKind.DEAD_LETTERS, title, text, path, data)]


# --- health ---------------------------------------------------------------------------------------------------------------


def _health_conditions(seen: Seen) -> list[Mapping[str, Any]]:
    return [one for one in seen.conditions if one["id"] not in TOLD_OTHERWISE]


def _health(seen: Seen, memory: dict[str, Any]) -> list[Fact]:
    """A condition is told when it is new or graver than it was told; all of them over for a while is told once."""
    now = {str(one["id"]): one for one in _health_conditions(seen)}
    told: dict[str, str] = dict(memory["conditions"])
    worse = [one for id_, one in now.items() if _rank(one["severity"]) > _rank(told.get(id_, "ok"))]
    if now:
        memory["good_since"] = None
    if worse:
        memory["conditions"] = told | {str(one["id"]): str(one["severity"]) for one in worse}
        return [_worse(worse)]
    if now or not told:
        return []
    memory["good_since"] = memory["good_since"] if memory["good_since"] is not None else seen.now_ms
    if seen.now_ms - memory["good_since"] < RECOVERED_AFTER_MS:
        return []
    memory.update(conditions={}, good_since=None)
    text = f"No condition for a minute. Over: {', '.join(sorted(told))}."
    return [Fact(NoticeKind.HEALTH_RECOVERED, "Health is ok again", text, "/dashboard", {"conditions": sorted(told)})]


def _worse(conditions: list[Mapping[str, Any]]) -> Fact:
    gravest = max(conditions, key=lambda one: _rank(one["severity"]))
    severity = str(gravest["severity"])
    text = " ".join(f"{str(one['message']).rstrip('.')}." for one in conditions)
    shown = [{"id": one["id"], "severity": one["severity"], "since": one.get("since")} for one in conditions]
    return Fact(
        NoticeKind.HEALTH_WORSE, f"Health: {severity}", text, "/dashboard", {"severity": severity, "conditions": shown}
    )


def _rank(severity: object) -> int:
    return RANK.get(str(severity), 1)


def _too_soon(told_ms: int, now_ms: int) -> bool:
    return 0 <= now_ms - told_ms < GAP_MS


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMES_SHOWN
    listed = ", ".join(names[:NAMES_SHOWN])
    return f"{listed} and {more} more" if more > 0 else listed


# --- as it travels --------------------------------------------------------------------------------------------------------


def body_of(fact: Fact, now_ms: int) -> str:
    """The JSON text of a notice: ``type`` and ``timestamp`` as Standard Webhooks wants them, what is known in ``data``."""
    moment = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {"title": fact.title, "text": fact.text, "path": fact.path, **fact.data}
    return codec.encode({"type": fact.kind.value, "timestamp": moment, "data": data}).decode()


def push_message(body: str, notice_id: str) -> bytes:
    """What a browser is told: never the text of a task. ``tag``: a later notice of a kind replaces the one before it."""
    raw = body.encode()
    notice: Any = codec.decode(raw, max_bytes=len(raw))
    data = notice["data"]
    shown = {
        "id": notice_id,
        "tag": str(notice["type"]),
        "title": str(data["title"])[:TITLE_CHARS],
        "body": str(data["text"])[:TEXT_CHARS],
        "path": str(data["path"])[:PATH_CHARS],
    }
    return codec.encode(shown)


#: Together far below what a push service takes, whatever their letters are.
TITLE_CHARS = 120
TEXT_CHARS = 400
PATH_CHARS = 200
