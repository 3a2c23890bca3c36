"""Questions that take the hub several steps: a page of rare tasks, a number that has to be counted, a preview of many.

The hub looks at a bounded number of rows for each step and works between them; this asks again until there is enough, for a
bounded time, and says how far it got.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from wire.limits import COUNTED_TO
from wire.task_filter import KEYS, LANES, STATES, quoted

#: Steps of one page: together 120,000 rows. A reader who wants more goes on with the cursor. A total may look at twice as many.
PAGE_STEPS = 6
COUNT_STEPS = 12

#: Seconds that an exact number or a preview may take.
COUNT_LIMIT_S = 30.0

Call = Callable[..., Awaitable[Any]]
"""``ApiHandler.call``."""


async def find(call: Call, arguments: dict[str, Any]) -> dict[str, Any]:
    """A ``FoundTasks`` that is full unless ``PAGE_STEPS`` were not enough."""
    found: dict[str, Any] = await call("tasks.find", **arguments)
    onward = "previous" if arguments["backwards"] else "next"
    for _ in range(PAGE_STEPS - 1):
        missing = arguments["limit"] - len(found["tasks"])
        if not found["stopped"] or missing <= 0:
            break
        further = {**arguments, "cursor": found[onward], "limit": missing, "seek": None, "at": None}
        more: dict[str, Any] = await call("tasks.find", **further)
        both = (more, found) if arguments["backwards"] else (found, more)
        found = found | {
            "tasks": [*both[0]["tasks"], *both[1]["tasks"]],
            onward: more[onward],
            "stopped": more["stopped"],
        }
    return found


async def count(call: Call, filter_: dict[str, Any], *, exact: bool) -> dict[str, Any]:
    """``{"count", "is_exact"}``: exact up to ``COUNTED_TO``, and beyond when asked for or where a counter says it. Not exact is
    "at least"."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + COUNT_LIMIT_S
    total, position = 0, None
    for steps in itertools.count(1):
        left = 1_000_000_000 if exact else COUNTED_TO + 1 - total
        step = await call("tasks.count", filter=filter_, position=position, limit=left)
        total, position = total + step["count"], step["position"]
        if position is None or (steps >= COUNT_STEPS and not exact) or loop.time() > deadline:
            return {"count": total if step["is_all"] else min(total, COUNTED_TO), "is_exact": step["is_all"]}
    raise AssertionError("unreachable")


async def preview(call: Call, arguments: dict[str, Any]) -> dict[str, Any]:
    """A complete ``Previewed``, or what there was when the time ran out."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + COUNT_LIMIT_S
    made: dict[str, Any] = await call("operations.preview", **arguments)
    while not made["is_complete"] and loop.time() < deadline:
        made = await call("operations.continue_preview", preview=made["preview"])
    return made


async def suggest(call: Call, key: str | None, prefix: str) -> list[dict[str, Any]]:
    """``value`` completes what is typed, ``text`` is the whole term, ``says`` explains it, ``count`` tells how many there are."""
    wanted = prefix.lower()
    if key is None:
        fitting = [one for one in KEYS.values() if one.name.startswith(wanted)]
        fitting += [one for one in KEYS.values() if wanted in one.name and one not in fitting]
        return [{"value": one.name, "text": f"{one.name}:", "says": one.says, "count": None} for one in fitting]
    if key not in KEYS:
        return []
    fixed = {"state": tuple(dict.fromkeys(STATES.values())), "lane": LANES}.get(key)
    if fixed is not None:
        return [_suggestion(key, word, "", None) for word in fixed if word.startswith(wanted)]
    examples = _EXAMPLES.get(key)
    if examples is not None:
        return [_suggestion(key, example, says, None) for example, says in examples if example.startswith(prefix)]
    found = await call("tasks.suggest", key=key, prefix=prefix)
    return [_suggestion(key, one["value"], one["says"], one["count"]) for one in found]


def _suggestion(key: str, value: str, says: str, count: int | None) -> dict[str, Any]:
    text = value if KEYS[key].kind in ("number", "duration") else quoted(value)
    return {"value": value, "text": f"{key}:{text}", "says": says, "count": count}


_DURATIONS = (("<10m", "less than 10 minutes"), (">10m", "more than 10 minutes"), ("<1h", "less than an hour"))
_EXAMPLES = {
    "age": (*_DURATIONS, ("<24h", "less than a day"), (">7d", "more than a week")),
    "updated": (*_DURATIONS, ("<24h", "less than a day")),
    "took": ((">30s", "more than 30 seconds"), (">10m", "more than 10 minutes"), ("<1s", "less than a second")),
    "retries": (("0", "none failed"), (">=1", "at least one"), (">=3", "at least three")),
    "tokens": ((">0", "any"), (">1000", "more than a thousand"), (">100000", "more than a hundred thousand")),
}
