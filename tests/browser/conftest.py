"""A real Chromium against a real hub. Without the browser these tests are skipped, loudly."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.hub import Hub

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="module")  # not longer: while it is open, its event loop occupies the thread of the tests
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("NOT TESTED: no Chromium on this machine (make test installs it where it may)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="NOT TESTED: playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def expect(browser: Any) -> Any:
    """Playwright's assertions, which wait; asks for the browser first, so that without one the test is skipped."""
    return pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(tmp_path / "data") as started:
        yield started


@pytest.fixture
def closed_hub(tmp_path: Path) -> Iterator[Hub]:
    """One that shows its dashboard to nobody without a token."""
    with Hub(tmp_path / "closed", "--dashboard-auth", "token") as started:
        yield started


class Watched:
    """A page with everything that must not happen on it: console errors, violations of the policy, other origins."""

    def __init__(self, page: Any, hub: Hub) -> None:
        self.page = page
        self.faults: list[str] = []
        self.hub = hub
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        page.on("request", self._request)
        page.add_init_script(
            "window.violations = [];"
            "addEventListener('securitypolicyviolation', e => window.violations.push(e.violatedDirective));"
        )

    def _console(self, message: Any) -> None:
        # A socket that is lost is reported by the browser itself; the page cannot prevent that.
        if message.type == "error" and "WebSocket" not in message.text and "ERR_CONNECTION" not in message.text:
            self.faults.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.hub.url, self.hub.ws_url, "data:")):
            self.faults.append(f"asks another origin: {request.url}")

    def open(self, path: str = "/") -> Any:
        self.page.goto(self.hub.url + path)
        return self.page

    def check(self) -> None:
        assert self.faults == []
        assert self.page.evaluate("window.violations") == []


@pytest.fixture
def watch(browser: Any, hub: Hub) -> Iterator[Callable[..., Watched]]:
    opened: list[Any] = []

    def make(at: Hub | None = None, **options: Any) -> Watched:
        """``at``: another hub than the usual one; ``options``: of the browser's context."""
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        opened.append(context)
        return Watched(context.new_page(), at or hub)

    yield make
    for context in opened:
        context.close()
