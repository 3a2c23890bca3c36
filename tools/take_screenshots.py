"""Makes the pictures of ``docs/`` from a frozen demo, so that the same program makes the same pictures:  make screenshots

Every page of ``SHOTS`` in both themes, on a desktop and on a phone; and ``agentcom top`` as a drawing. A
name as argument makes only the pictures that begin with it. Nothing moves while they are taken: the hub's clock and the
browser's stand still.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from PIL import Image
from playwright.sync_api import sync_playwright
from rich.console import Console

from agentcom.cli.demo import FROZEN_AT_MS
from agentcom.stopped_clock import UPTIME_S
from agentcom.top import frame
from agentcom.top.view import View
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.harness.demo import Demo

IMAGES = REPOSITORY / "docs" / "images"

#: Files that are not pictures of the page.
KEPT = re.compile(r"bench-.*\.svg")

TASKS = 2000
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

#: Colours of a picture: enough for a page, and a third of the bytes.
COLOURS = 255

#: All pictures together.
MOST_BYTES = 3 * 1024 * 1024

TERMINAL_COLUMNS = 118
TERMINAL_ROWS = 36


@dataclass(frozen=True)
class Shot:
    """``path`` may name what the demo knows: ``{task}``, ``{agent}``. ``prepare`` acts on the page before the picture."""

    name: str
    path: str
    prepare: Callable[[Any], None] = lambda page: None


def hide_chance(page: Any) -> None:
    """The begins of tokens are random, also in a demo."""
    page.get_by_test_id("token-row").first.wait_for()
    page.evaluate(
        "for (const code of document.querySelectorAll('[data-testid=token-row] code')) code.textContent = 'hub_…'"
    )


def wait_for_titles(page: Any) -> None:
    """Events know only the ids of their tasks; the titles are asked for a second later."""
    page.locator(".activity bdi").first.wait_for()
    page.locator(".activity bdi:text-matches('^Task [0-9a-f]+$')").first.wait_for(state="detached")
    settle(page)


SHOTS = (
    Shot("overview", "/", prepare=wait_for_titles),
    Shot("tasks", "/tasks"),
    Shot("task", "/tasks/{task}"),
    Shot("dead", "/dead"),
    Shot("agents", "/agents"),
    Shot("agent", "/agents/{agent}"),
    Shot("activity", "/activity?view=audit"),
    Shot("trends", "/trends?range=1h"),
    Shot("system", "/system"),
    Shot("settings", "/settings", prepare=hide_chance),
)


def main() -> None:
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    folder = Path(tempfile.mkdtemp(prefix="screenshots-"))
    IMAGES.mkdir(parents=True, exist_ok=True)
    if not wanted:
        for old in IMAGES.iterdir():
            if not KEPT.fullmatch(old.name):
                old.unlink()
    try:
        with Demo(folder / "data", tasks=TASKS) as demo:
            take_pages(demo, [shot for shot in SHOTS if shot.name.startswith(wanted)])
            if "top".startswith(wanted):
                draw_top(demo)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    size = sum(path.stat().st_size for path in IMAGES.iterdir())
    print(f"{len(list(IMAGES.iterdir()))} pictures, {size / 1024:.0f} KiB")
    if size > MOST_BYTES:
        sys.exit(f"more than {MOST_BYTES} bytes: leave some away")


# --- the page -----------------------------------------------------------------------------------------------------


def take_pages(demo: Demo, shots: list[Shot]) -> None:
    known = {"task": a_task_worth_showing(demo), "agent": "builder-1"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for scheme in ("dark", "light"):
            for size, is_phone in ((DESKTOP, False), (PHONE, True)):
                context = browser.new_context(
                    viewport=size,
                    color_scheme=scheme,
                    device_scale_factor=1.5 if is_phone else 1,
                    has_touch=is_phone,
                    reduced_motion="reduce",
                    locale="en-GB",
                    timezone_id="UTC",
                )
                page = context.new_page()
                page.clock.set_fixed_time(FROZEN_AT_MS / 1000)
                page.route("**/api/system/tree*", without_chance)
                page.route("**/api/system/figures", with_usual_figures)
                for shot in shots:
                    page.goto(demo.url + shot.path.format(**known))
                    settle(page)
                    shot.prepare(page)
                    save(page.screenshot(), f"{shot.name}-{scheme}{'-phone' if is_phone else ''}.png")
                page.unroute_all(
                    behavior="wait"
                )  # else an answer that is under way would be thrown away while it is read
                context.close()
        browser.close()


def without_chance(route: Any) -> None:
    """The tree of processes is a real one: its process ids and ages are those of this run, and not of the picture."""
    answer = route.fetch()
    tree = answer.json()
    numbers = iter(range(4101, 4200))

    def steady(node: dict[str, Any]) -> None:
        if node.get("pid"):
            node["pid"] = next(numbers)
        if node.get("uptime_s") is not None:
            node["uptime_s"] = UPTIME_S
        if node.get("mailbox"):
            node["mailbox"] = 0
        for child in node.get("children", ()):
            steady(child)

    for root in (tree, tree.get("processes")):
        if root is not None:
            steady(root)
    tree["events"] = sorted(tree.get("events", ()), key=lambda event: event["at"])
    route.fulfill(response=answer, json=tree)


def with_usual_figures(route: Any) -> None:
    """Sizes of this machine's disk and of an empty link say nothing; these are those of a busy afternoon."""
    answer = route.fetch()
    figures = answer.json()
    storage = figures["storage"]
    storage |= {"path": "/var/lib/agentcom/hub.db", "database_bytes": 214_000_000, "wal_bytes": 3_900_000}
    storage |= {"disk_free": 61_000_000_000, "disk_size": 107_000_000_000, "commits": 18_412}
    storage["last_commit"] = {"at": FROZEN_AT_MS - 2_000, "messages": 7, "took_us": 840}
    for number, one in enumerate(figures["processes"]):
        one["connected_at"] = FROZEN_AT_MS - 4 * 3_600_000
        one["from_it"] = {"messages": 48_211 + number, "bytes": 9_450_000}
        one["to_it"] = {"messages": 39_040 + number, "bytes": 14_800_000, "unsent_bytes": 0}
        if one["sockets"] is not None:
            one["sockets"] |= {"dashboards": 1 - number % 2, "frames_per_s": 4 - 4 * (number % 2)}
    route.fulfill(response=answer, json=figures)


def settle(page: Any) -> None:
    """Until two pictures in a row are the same."""
    page.wait_for_load_state("load")
    before = b""
    for _ in range(60):
        page.wait_for_timeout(250)
        now = page.screenshot()
        if now == before:
            return
        before = now
    raise SystemExit(f"{page.url} does not come to rest")


def save(png: bytes, name: str) -> None:
    image = Image.open(io.BytesIO(png)).convert("RGB")
    small = image.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small.save(IMAGES / name, optimize=True)


def a_task_worth_showing(demo: Demo) -> str:
    """One that took several attempts, on more than one agent."""

    def attempts(task: dict[str, Any]) -> int:
        return int(task["retry_count"])

    def agents(task: dict[str, Any]) -> int:
        return len(
            {str(entry["details"]) for entry in demo.task(task["id"])["history"] if entry["event"] == "assigned"}
        )

    done = demo.get("/api/tasks?status=completed&limit=500").json["tasks"]
    best = max(
        (task for task in done if attempts(task) > 0), key=lambda task: (attempts(task), agents(task), task["id"])
    )
    return str(best["id"])


# --- the terminal -------------------------------------------------------------------------------------------------

#: Without fonts from elsewhere: a picture of ours asks nobody for anything.
_SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img"
 aria-label="agentcom top in a terminal">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px;
 line-height: {line_height}px; font-variant-east-asian: full-width; white-space: pre }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
<rect fill="#0f1218" width="{width}" height="{height}" rx="8"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def draw_top(demo: Demo) -> None:
    view = View()
    view.take(demo.snapshot(), 0.0)
    console = Console(width=TERMINAL_COLUMNS, record=True, file=io.StringIO(), force_terminal=True)
    console.print(
        frame.screen(view, "http://127.0.0.1:4100", 0.0, TERMINAL_COLUMNS, TERMINAL_ROWS), height=TERMINAL_ROWS
    )
    (IMAGES / "top.svg").write_text(console.export_svg(code_format=_SVG, unique_id="top"), encoding="utf-8")


if __name__ == "__main__":
    main()
