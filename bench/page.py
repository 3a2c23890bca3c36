"""What a reader of the dashboard waits for: the first view with 100,000 tasks, and a page that is left open in a storm.

A real Chromium, without anything in its caches, against a hub on the same two cores. A storm is a steady stream of tasks that an
agent takes and completes at once, three transitions each.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.load_clients import Agent, Http
from bench.measure import Spread, say
from bench.tasks import TASK
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.pages import counted, counters
from tests.harness.hub import Hub
from tests.harness.seed import Mix, seed
from tests.harness.waiting import wait_for

MIX = Mix(100_000, queued=1_000, dead=3_000, cancelled=500)

#: Page -> what has to be seen of it.
FIRST_VIEWS = {
    "overview": ("/", "[data-testid=connection-chip][data-phase=live]", "[data-testid=lane-1]"),
    "tasks": ("/tasks", "[data-testid=task-row] >> nth=0", "[data-testid=total]"),
}

TRANSITIONS_A_SECOND = 200
STORM_S = 20.0

_WATCH_LONG_TASKS = """() => {
    window.longTasks = 0;
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) window.longTasks += one.duration;
    }).observe({ entryTypes: ['longtask'] });
}"""


def measure(runs: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, _browser() as browser:
        data = Path(folder) / "data"
        seed(data, MIX, newest_ms=int(time.time() * 1000) - 120_000)
        with Hub(data, web_processes=1) as hub:
            views = {
                f"first view of {name}, ms": Spread.of([_first_view(browser, hub, *seen) for _ in range(runs)])
                for name, seen in FIRST_VIEWS.items()
            }
            say(f"  {TRANSITIONS_A_SECOND} transitions a second")
            storms = [_storm(browser, hub) for _ in range(runs)]
    return views | {name: Spread.of([one[name] for one in storms]) for name in storms[0]}


@contextmanager
def _browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def _page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        yield context.new_page()
    finally:
        context.close()


def _first_view(browser: Any, hub: Hub, path: str, *seen: str) -> float:
    """Milliseconds until everything of ``seen`` is visible."""
    with _page(browser) as page:
        began = time.perf_counter()
        page.goto(hub.url + path, wait_until="commit")
        for one in seen:
            page.locator(one).wait_for()
        return (time.perf_counter() - began) * 1000


def _storm(browser: Any, hub: Hub) -> dict[str, float]:
    frames: list[float] = []
    with _page(browser) as page:
        page.on("websocket", lambda socket: socket.on("framereceived", lambda _: frames.append(time.perf_counter())))
        page.goto(hub.url)
        page.locator("[data-testid=connection-chip][data-phase=live]").wait_for()
        page.evaluate(_WATCH_LONG_TASKS)
        frames.clear()
        began = time.perf_counter()
        load = threading.Thread(target=lambda: asyncio.run(_work(hub)))
        load.start()
        while load.is_alive():
            page.wait_for_timeout(100)  # the browser's messages are taken in this thread
        seconds = time.perf_counter() - began
        long_ms = page.evaluate("window.longTasks")
        most = max(sum(1 for at in frames if start <= at < start + 1) for start in frames)
        wait_for(lambda: counters(page) == counted(hub), 10, "the page showing what the hub counts")
    return {
        "storm: transitions a second": TRANSITIONS_A_SECOND * STORM_S / seconds,
        "storm: most frames in a second": float(most),
        "storm: long tasks, % of the time": long_ms / seconds / 10,
    }


async def _work(hub: Hub) -> None:
    """Tasks at a fixed rate, until the last one is completed."""
    tasks = int(TRANSITIONS_A_SECOND * STORM_S / 3)
    done = asyncio.Event()
    left = tasks

    def completed() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            done.set()

    agent = Agent("storm", slots=8)
    agent.on_completed = completed
    await agent.connect(hub.url, hub.agent_token("storm"))
    http = await Http.connect(hub.url, hub.admin_token)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(tasks):
        await asyncio.sleep(began + number * STORM_S / tasks - loop.time())
        await http.request("POST", "/api/tasks", TASK | {"assign_to": "storm"})
    await asyncio.wait_for(done.wait(), 60)
    agent.socket.close()
    http.close()
