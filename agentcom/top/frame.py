"""Draws a ``View`` for a terminal of any size.

Text from tasks and agents is escaped; a state is a mark and a word, never a colour alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agentcom.cli.output import MARKS, duration, safe
from agentcom.client import Json
from agentcom.top.view import Connection, View

#: From this width on agents stand beside lanes and dead letters.
WIDE = 110

LANES = ("urgent", "high", "normal", "low")

#: Rows of the lists when there is no screen to fit into.
ONCE_AGENTS = 40
ONCE_ROWS = 10

STYLES = {
    "ok": "bold green",
    "warning": "bold yellow",
    "critical": "bold white on red",
    "idle": "dim",
    "working": "green",
    "assigned": "cyan",
    "blocked": "bold yellow",
    "offline": "red",
}
HEALTH_MARKS = {"ok": "✓", "warning": "▲", "critical": "✗"}
CONNECTION_MARKS = {
    Connection.CONNECTING: ("◌", "yellow"),
    Connection.LIVE: ("●", "green"),
    Connection.STALE: ("◐", "bold yellow"),
    Connection.HUB_AWAY: ("◌", "bold yellow"),
    Connection.LOST: ("✗", "bold red"),
}
KEYS = "q quit   p {pause}   s sort: {sort}   r try again"


def screen(view: View, url: str, now_s: float, width: int, height: int) -> RenderableType:
    """Fills ``height`` lines of ``width`` cells."""
    head = [*_head(view, url, now_s)]
    footer = Text(KEYS.format(pause="go on" if view.is_paused else "pause", sort=view.sort), style="dim", no_wrap=True)
    layout = Layout()
    body = Layout(name="body")
    layout.split_column(Layout(Group(*head), size=min(len(head), max(height - 2, 1))), body, Layout(footer, size=1))
    rows = max(height - len(head) - 1, 1)
    if view.snapshot is None:
        body.update(_first_words(view, url, now_s))
    elif width >= WIDE:
        _wide(body, view, now_s, rows)
    else:
        _narrow(body, view, now_s, rows)
    return layout


def once(view: View, url: str, now_s: float, width: int) -> RenderableType:
    """One picture, as long as it has to be."""
    return Group(
        *_head(view, url, now_s),
        _lanes(view),
        _agents(view, now_s, ONCE_AGENTS, width),
        _dead(view, ONCE_ROWS),
        _completions(view, now_s, ONCE_ROWS),
    )


# --- the parts of the screen --------------------------------------------------------------------------------------


def _wide(body: Layout, view: View, now_s: float, rows: int) -> None:
    """Agents on the left as high as they need, lanes and dead letters beside them, completions below."""
    top = min(max(len(view.agents()) + 3, 12), max(rows * 2 // 3, 6))
    upper, lower = Layout(size=top), Layout(_completions(view, now_s, rows - top - 3))
    left = Layout(_agents(view, now_s, top - 3, WIDE), ratio=3)
    right = Layout(ratio=2)
    right.split_column(Layout(_lanes(view), size=len(LANES) + 2), Layout(_dead(view, top - len(LANES) - 4)))
    upper.split_row(left, right)
    body.split_column(upper, lower)


def _narrow(body: Layout, view: View, now_s: float, rows: int) -> None:
    lanes = len(LANES) + 2
    agents = min(len(view.agents()) + 3, max((rows - lanes) * 3 // 5, 4))
    parts = [Layout(_lanes(view), size=lanes), Layout(_agents(view, now_s, agents - 3, 0), size=agents)]
    left = rows - lanes - agents
    if left >= 8:
        dead = min(len(view.snapshot["dead_letter_tasks"]) + 2, left // 2)
        parts.append(Layout(_dead(view, dead - 2), size=max(dead, 3)))
        left -= max(dead, 3)
    if left >= 4:
        parts.append(Layout(_completions(view, now_s, left - 3)))
    body.split_column(*parts)


def _head(view: View, url: str, now_s: float) -> Iterable[RenderableType]:
    """One line each."""
    yield _title(view, url, now_s)
    if view.lost_at_ms is not None:
        yield _lost(view, now_s)
    elif view.connection(now_s) is Connection.STALE:
        words = f" Nothing heard for {view.silent_s(now_s):.0f} s. What is shown is as old as that. "
        yield Text(words, style="black on yellow", no_wrap=True)
    elif view.connection(now_s) is Connection.HUB_AWAY:
        yield Text(" The hub is starting again; agents go on working. ", style="black on yellow", no_wrap=True)
    if view.snapshot is not None:
        yield from _health(view, now_s)
        yield Text()
        yield _counters(view, now_s)


def _title(view: View, url: str, now_s: float) -> RenderableType:
    connection = view.connection(now_s)
    mark, style = CONNECTION_MARKS[connection]
    left = Text("agentcom top", style="bold")
    environment = view.snapshot.get("environment") if view.snapshot is not None else None
    if environment:
        left.append("  ").append(f" {safe(environment).upper()} ", style="bold white on purple4")
    left.append(f"  {url}", style="dim")
    right = Text(f"{mark} {connection}", style=style)
    if view.is_paused:
        right = Text(f"‖ paused, {view.pending} newer" if view.pending else "‖ paused", style="bold cyan")
    if view.snapshot is not None:
        up = duration(view.snapshot.get("uptime_ms", 0) / 1000)
        right.append(f"   up {up}   {_clock(view.now_ms(now_s))}", style="not bold default")
    line = Table.grid(expand=True)
    line.add_column(no_wrap=True, overflow="ellipsis")
    line.add_column(justify="right", no_wrap=True)
    line.add_row(left, right)
    return line


def _lost(view: View, now_s: float) -> RenderableType:
    assert view.lost_at_ms is not None
    since = "Showing what was true then." if view.snapshot is not None else "Nothing was seen yet."
    left_s = max(0.0, view.retry_at_s - now_s)
    words = f" Connection lost at {_clock(view.lost_at_ms)} ({safe(view.reason)}). {since} Next try in {left_s:.0f} s. "
    return Text(words, style="white on red", no_wrap=True, overflow="ellipsis")


def _first_words(view: View, url: str, now_s: float) -> RenderableType:
    if view.lost_at_ms is None:
        return Padding(Text(f"Connecting to {url} …", style="dim"), (1, 2))
    help_ = Text(
        "No hub answers there.\n\nStart one:      agentcom up\nOr look at one: agentcom demo\nName another:   --hub URL"
    )
    return Padding(help_, (1, 2))


def _health(view: View, now_s: float) -> Iterable[RenderableType]:
    health = view.snapshot["health"]
    status = str(health["status"])
    words = Text(
        f" {HEALTH_MARKS.get(status, '?')} {status.upper()} ", style=_style(view, now_s, STYLES.get(status, ""))
    )
    details = health.get("details", [])
    if not details:
        yield words.append("  nothing to report", style="not bold dim")
        return
    for number, one in enumerate(details[:4]):
        line = words if number == 0 else Text(" " * len(words.plain))
        mark = HEALTH_MARKS.get(one["severity"], "?")
        since = _ago(one.get("since"), view, now_s)
        line = (
            line.copy()
            .append(f"  {mark} {safe(one['message'])}", style="not bold default")
            .append(f"  for {since}", "dim not bold default")
        )
        line.no_wrap, line.overflow = True, "ellipsis"
        yield line


def _counters(view: View, now_s: float) -> RenderableType:
    shown = view.snapshot
    counts, hour = shown["queue"]["by_status"], shown["throughput"]
    rates = view.rates(now_s)
    online = sum(agent["fsm_state"] != "offline" for agent in shown["agents"])
    facts = [
        (f"{counts['queued']:,}", "queued"),
        (f"{counts['assigned']:,}", "working"),
        (f"{shown['dead_letter_total']:,}", "dead"),
        (f"{online:,}", "agents online"),
        (_rate(rates.submitted), "in/min"),
        (_rate(rates.completed), "done/min"),
        (f"{hour['completed_last_hour']:,}", "done in 60 min"),
        (duration(hour["avg_completion_ms"] / 1000), "mean"),
        (_large(hour["total_tokens_hour"]), "tokens in 60 min"),
    ]
    line = Text(no_wrap=True, overflow="ellipsis")
    for number, name in facts:
        line.append(number, style=_style(view, now_s, "bold")).append(f" {name}   ", style="dim")
    return line


# --- the lists ----------------------------------------------------------------------------------------------------


def _lanes(view: View) -> RenderableType:
    by_lane = view.snapshot["queue"]["by_priority"]
    depths = [int(by_lane.get(str(number), 0)) for number in range(len(LANES))]
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(width=7)
    table.add_column(justify="right", width=9)
    table.add_column(ratio=1)
    most = max(*depths, 1)
    for lane, depth in zip(LANES, depths, strict=True):
        bar = "█" * max(round(24 * depth / most), 1 if depth else 0)
        table.add_row(lane, f"{depth:,}", Text(bar, style="cyan"))
    return _panel(table, "Waiting by lane")


def _agents(view: View, now_s: float, rows: int, width: int) -> RenderableType:
    columns: list[tuple[str, dict[str, object]]] = [
        ("AGENT", {"ratio": 3, "min_width": 10}),
        ("STATE", {"width": 11}),
        ("FOR", {"width": 7, "justify": "right"}),
        ("TASK", {"ratio": 3, "min_width": 8}),
    ]
    if width >= WIDE:
        columns.append(("CAN", {"ratio": 4}))

    def cells(agent: Json) -> Sequence[RenderableType]:
        word = str(agent["fsm_state"])
        state = Text(f"{MARKS.get(word, ' ')} {word}", style=_style(view, now_s, STYLES.get(word, "")))
        mode = agent.get("mode") or "active"
        said = [*([mode] if mode != "active" else []), *agent.get("flags", ())]
        flags = f" ({', '.join(map(str, said))})" if said else ""
        can = ", ".join(str(one["name"]) for one in agent["capabilities"])
        found: list[RenderableType] = [Text(safe(str(agent["name"])) + safe(flags)), state]
        found += [_ago(agent["last_state_change"], view, now_s), _short(agent["current_task_id"])]
        return [*found, Text(safe(can), style="dim")] if width >= WIDE else found

    return _list(
        "Agents", columns, view.agents(), cells, rows, "No agent is connected.  agentcom agent start -- COMMAND"
    )


def _dead(view: View, rows: int) -> RenderableType:
    total = view.snapshot["dead_letter_total"]
    columns: list[tuple[str, dict[str, object]]] = [("ERROR", {"ratio": 1}), ("TASK", {"ratio": 1})]

    def cells(task: Json) -> Sequence[RenderableType]:
        return Text(safe(str(task["last_error"] or "-"))), Text(safe(str(task["description"])), style="dim")

    title = f"Dead letters, newest of {total:,}" if total else "Dead letters"
    return _list(
        title, columns, view.snapshot["dead_letter_tasks"], cells, rows, "None: nothing was given up.", head=False
    )


def _completions(view: View, now_s: float, rows: int) -> RenderableType:
    columns: list[tuple[str, dict[str, object]]] = [
        ("DONE", {"width": 10, "justify": "right"}),
        ("TOOK", {"width": 7, "justify": "right"}),
        ("AGENT", {"ratio": 1, "min_width": 8}),
        ("TASK", {"ratio": 4}),
    ]

    def cells(task: Json) -> Sequence[RenderableType]:
        return (
            f"{_ago(task['completed_at'], view, now_s)} ago",
            duration(task["duration_ms"] / 1000),
            Text(safe(str(task["agent_id"] or "-"))),
            Text(safe(str(task["description"]))),
        )

    newest = view.snapshot["recent_completions"][
        : max(rows, 0)
    ]  # a ring of the last hundred: how many more says nothing
    return _list("Done last", columns, newest, cells, rows, "Nothing yet.")


def _list(
    title: str,
    columns: Sequence[tuple[str, dict[str, object]]],
    items: Sequence[Json],
    cells: Callable[[Json], Sequence[RenderableType]],
    rows: int,
    when_empty: str,
    *,
    head: bool = True,
) -> RenderableType:
    """At most ``rows`` of them; the last row says how many more there are."""
    if not items:
        return _panel(Text(when_empty, style="dim"), title)
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim", show_header=head, pad_edge=False)
    for name, options in columns:
        table.add_column(name, no_wrap=True, overflow="ellipsis", **options)  # type: ignore[arg-type]
    shown = items if len(items) <= rows else items[: max(rows - 1, 0)]
    for item in shown:
        table.add_row(*cells(item))
    rest = len(items) - len(shown)
    return _panel(Group(table, Text(f"and {rest:,} more", style="dim")) if rest else table, title)


def _panel(content: RenderableType, title: str) -> RenderableType:
    return Panel(content, title=Text(title, style="bold"), title_align="left", box=box.ROUNDED, border_style="dim")


# --- words --------------------------------------------------------------------------------------------------------


def _style(view: View, now_s: float, style: str) -> str:
    """Colours are for what is true now."""
    return style if view.connection(now_s) is Connection.LIVE else "dim"


def _ago(unix_ms: object, view: View, now_s: float) -> str:
    if not isinstance(unix_ms, int):
        return "-"
    seconds = max(0.0, (view.now_ms(now_s) - unix_ms) / 1000)
    return f"{seconds:.0f}s" if seconds < 10 else duration(seconds)


def _short(task_id: object) -> Text:
    """The end of an id tells it from others; its beginning counts the tasks."""
    return Text("-", style="dim") if not isinstance(task_id, str) else Text("…" + safe(task_id)[-8:])


def _rate(per_minute: float | None) -> str:
    return "-" if per_minute is None else f"{per_minute:.1f}" if per_minute < 100 else f"{per_minute:,.0f}"


def _large(number: int) -> str:
    """Three digits are enough for what only grows."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= 10 * size:
            return f"{number / size:.3g}{unit}"
    return f"{number:,}"


def _clock(unix_ms: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(unix_ms / 1000))
