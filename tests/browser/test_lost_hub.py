"""What the page says when the hub is lost, silent, restarted, updated, or closed to strangers."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from typing import Any

from tests.browser.conftest import Watched
from tests.harness.hub import Hub
from tests.harness.waiting import wait_for

Watch = Callable[..., Watched]


def in_phase(page: Any, phase: str, timeout_s: float = 15.0) -> None:
    page.locator(f"[data-testid=connection-chip][data-phase={phase}]").wait_for(timeout=timeout_s * 1000)


def shows(page: Any, testid: str, text: str, within_s: float = 10.0) -> None:
    element = page.get_by_test_id(testid)
    wait_for(lambda: element.inner_text().strip() == text, within_s, f"{testid} showing {text}")


def test_A14_a_killed_hub_looks_lost_and_comes_back_with_everything(hub: Hub, watch: Watch) -> None:
    watched = watch()
    page = watched.open()
    in_phase(page, "live")
    hub.submit("before")
    shows(page, "counter-queued", "1")
    before = hub.hub_pid
    os.kill(before, signal.SIGSTOP)
    os.kill(before, signal.SIGKILL)
    banner = page.get_by_test_id("banner")
    banner.get_by_text("does not answer").wait_for(timeout=5000)
    assert page.locator(".not-live").count() == 1, "numbers that are not live look so"
    wait_for(lambda: hub.hub_pid != before, 15, "the new hub")
    in_phase(page, "live")
    banner.get_by_text(re.compile("Back after")).wait_for(timeout=5000)
    page.get_by_text("The hub was restarted.").first.wait_for(timeout=5000)
    assert page.locator(".not-live").count() == 0
    hub.submit("after")
    shows(page, "counter-queued", "2")
    assert page.get_by_test_id("outdated").count() == 0, "the same version serves on"
    banner.wait_for(state="detached", timeout=10_000)
    watched.check()


def test_A14_a_hub_that_is_gone_altogether_is_tried_again_and_again(hub: Hub, watch: Watch) -> None:
    page = watch().open()
    in_phase(page, "live")
    hub.stop()
    in_phase(page, "disconnected")
    page.get_by_test_id("banner").get_by_text(re.compile(r"Next try in \d+ s\.")).wait_for(timeout=5000)
    page.get_by_test_id("banner").get_by_role("button", name="Try now").click()
    page.get_by_test_id("banner").get_by_text(re.compile(r"Next try in \d+ s\.")).wait_for(timeout=5000)
    hub.start()
    in_phase(page, "live", 40)


def test_A15_silence_is_called_stale(hub: Hub, watch: Watch) -> None:
    watched = watch()
    watched.page.clock.install()
    page = watched.open()
    in_phase(page, "live")
    pids = [*hub.web_pids, hub.hub_pid]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        page.clock.run_for(47_000)
        in_phase(page, "stale")
        page.get_by_test_id("banner").get_by_text("Nothing was heard from the hub for 45 s.").wait_for(timeout=5000)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    page.clock.run_for(2000)
    in_phase(page, "live")


def test_A19_a_hidden_tab_lets_go_of_the_hub_and_is_right_again_when_shown(hub: Hub, watch: Watch) -> None:
    watched = watch()
    watched.page.clock.install()
    watched.page.add_init_script(
        "window.isHidden = false;"
        "Object.defineProperty(Document.prototype, 'hidden', {get: () => window.isHidden});"
        "window.hide = now => { window.isHidden = now; document.dispatchEvent(new Event('visibilitychange')); };"
    )
    page = watched.open()
    in_phase(page, "live")
    page.evaluate("window.hide(true)")
    page.clock.run_for(31_000)
    in_phase(page, "asleep")
    hub.submit("unseen")
    page.evaluate("window.hide(false)")
    in_phase(page, "live")
    shows(page, "counter-queued", "1")
    assert page.get_by_test_id("banner").count() == 0, "a tab that slept lost nothing"


def test_an_updated_hub_is_said_and_nothing_reloads_by_itself(hub: Hub, watch: Watch) -> None:
    watched = watch()
    page = watched.page
    page.route(re.compile(r"/static/[0-9a-f]{16}/js/main\.js"), lambda route: (
        route.fulfill(status=404) if route.request.method == "HEAD" else route.continue_()
    ))  # fmt: skip
    watched.open()
    in_phase(page, "live")
    hub.post("/api/admin/reset")
    before = hub.hub_pid
    os.kill(before, signal.SIGKILL)
    page.get_by_test_id("outdated").wait_for(timeout=20_000)
    page.get_by_test_id("outdated").get_by_role("button", name="Reload").click()
    in_phase(page, "live")
    assert page.get_by_test_id("outdated").count() == 0


def test_A70_A72_a_closed_dashboard_asks_for_a_token_and_keeps_it_to_itself(watch: Watch, closed_hub: Hub) -> None:
    watched = watch(at=closed_hub)
    page = watched.open()
    form = page.get_by_test_id("sign-in")
    form.get_by_label("Token").fill("hub_admin_wrong_wrong")
    form.get_by_role("button", name="Sign in").click()
    form.get_by_text("The hub does not know this token.").wait_for(timeout=10_000)
    form.get_by_label("Token").fill(closed_hub.admin_token)
    form.get_by_role("button", name="Sign in").click()
    in_phase(page, "live")
    closed_hub.submit("seen by a guest with a token")
    shows(page, "counter-queued", "1")
    page.get_by_role("link", name="Tasks", exact=True).click()
    page.get_by_text("seen by a guest with a token").wait_for(timeout=5000)
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, location.href, document.cookie])")
    assert closed_hub.admin_token not in kept + page.content()
    page.reload()
    page.get_by_test_id("sign-in").wait_for(timeout=10_000)
