"""Makes docs/images/dashboard-{dark,light}.png from a real hub with real agents.

Run from the repository's root in the environment of the tests:  .venv/bin/python tools/take_screenshots.py
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import sync_playwright

from tests.harness.fleet import Fleet
from tests.harness.hub import Hub
from tests.harness.socket import Socket

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"

WORK = [
    ("Summarise the open pull requests", "normal", ["review"]),
    ("Fix the login redirect after a password reset", "urgent", ["code"]),
    ("Run the integration tests on the release branch", "high", ["linux"]),
    ("Translate the onboarding guide to German", "low", ["write"]),
    ("Bisect the slow start of the importer", "high", ["code", "linux"]),
    ("Draft the release notes of 2.4", "normal", ["write"]),
]


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="screenshots-"))
    try:
        with Hub(folder / "data") as hub, Fleet(hub, folder / "fleet") as fleet:
            prepare(hub, fleet)
            take(hub)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepare(hub: Hub, fleet: Fleet) -> None:
    """Some work done, some in hand, some waiting, and two tasks that nobody could do."""
    fleet.add("coder-1", "code", "review", "linux", work_ms=900)
    fleet.add("coder-2", "code", "linux", work_ms=1300)
    fleet.add("writer", "write", "review", work_ms=700)
    clumsy = Socket(f"{hub.ws_url}/ws")
    clumsy.ask(type="identify", agent_id="gpu-box", token=hub.agent_token("gpu-box"), capabilities=["gpu"])
    for text, error in (
        ("Train the ranking model on last week's clicks", "CUDA out of memory: tried to allocate 2.4 GiB"),
        ("Render the intro at 4K", "exit status 137: killed by the out-of-memory killer"),
    ):
        task_id = hub.submit(text, max_retries=1, needed_capabilities=["gpu"])
        clumsy.hear_type("task_assign")
        clumsy.ask(type="task_failed", task_id=task_id, generation=1, error=error)
    for number in range(42):
        text, lane, needs = WORK[number % len(WORK)]
        hub.submit(f"{text} (part {number // len(WORK) + 1})", priority=lane, needed_capabilities=needs)
    hub.submit("Fine-tune the small model", needed_capabilities=["gpu"], priority="high")
    clumsy.hear_type("task_assign")
    for _ in range(3):
        hub.submit("Label the new screenshots", needed_capabilities=["eyes"], priority="low")
    time.sleep(6)


def take(hub: Hub) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme in ("dark", "light"):
            page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
            page.goto(hub.url)
            page.get_by_test_id("completion-row").first.wait_for()
            page.wait_for_timeout(1500)
            page.screenshot(path=IMAGES / f"dashboard-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main()
