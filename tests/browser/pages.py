"""The pages there are, from the page's own table, and how a test knows that one of them has come to rest."""

from __future__ import annotations

import re
from typing import Any

from tests.harness.hub import Hub
from tests.harness.waiting import wait_for
from web.options import STATIC_DIR


def listed() -> list[str]:
    """The path of every page in ``pages.js``, in its order: a page that is added there is tested."""
    table = (STATIC_DIR / "js" / "pages.js").read_text()
    return re.findall(r"^\s*\{ id: '[\w-]+', path: '([^']+)'", table, flags=re.M)


def at_rest(page: Any) -> None:
    """What it shows is there: no placeholder is left, and nothing in the document has changed for a while."""
    page.locator("h1").first.wait_for(timeout=15_000)
    seen: list[tuple[int, int]] = []

    def rests() -> bool:
        page.wait_for_timeout(120)
        now = page.evaluate("[document.querySelectorAll('.skeleton').length, document.body.innerText.length]")
        seen.append(tuple(now))
        return len(seen) > 2 and seen[-1][0] == 0 and seen[-1] == seen[-2] == seen[-3]

    wait_for(rests, 20, f"{page.url} coming to rest")


def counters(page: Any) -> dict[str, int]:
    """As the overview shows them."""
    names = ("queued", "working", "dead", "done")
    return {name: int(page.get_by_test_id(f"counter-{name}").inner_text().replace(",", "")) for name in names}


def counted(hub: Hub) -> dict[str, int]:
    """The same by the hub."""
    snapshot = hub.snapshot()
    by_status = snapshot["queue"]["by_status"]
    return {
        "queued": by_status["queued"],
        "working": by_status["assigned"],
        "dead": snapshot["dead_letter_total"],
        "done": snapshot["throughput"]["completed_last_hour"],
    }
