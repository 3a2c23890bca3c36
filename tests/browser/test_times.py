"""Times on the page: the hub's, in the zone that the reader chose, whatever the clock of the browser says."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.browser import pages
from tests.browser.conftest import Watched
from tests.harness.hub import Hub
from tests.harness.seed import Mix, seed
from tests.harness.waiting import wait_for

Watch = Callable[..., Watched]

AGE_MS = 20 * 60_000

#: Zones without summer time, and how far they are ahead of UTC. Empty: the browser's own, which is Bogotá's here.
ZONES = {"": -300, "UTC": 0, "Asia/Kabul": 270}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    data: Path = tmp_path_factory.mktemp("times") / "data"
    seed(data, Mix(3), newest_ms=int(time.time() * 1000) - AGE_MS)
    with Hub(data, web_processes=1) as started:
        yield started


def in_zone(at_ms: float, zone: str) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, timezone(timedelta(minutes=ZONES[zone])))


def choose(page: Any, hub: Hub, zone: str) -> None:
    page.goto(f"{hub.url}/settings")
    page.get_by_test_id("time-zone").select_option(zone)


@pytest.mark.parametrize("wrong_min", [10, -10])
def test_A94_times_are_the_hubs_in_the_chosen_zone_with_a_browser_whose_clock_is_wrong(
    hub: Hub, watch: Watch, wrong_min: int
) -> None:
    watched = watch(timezone_id="America/Bogota")
    page = watched.page
    page.clock.install(time=datetime.now(UTC) + timedelta(minutes=wrong_min))
    watched.open("/settings")
    newest = hub.get("/api/dashboard/tasks?limit=1", token=None).json["tasks"][0]
    for zone in ZONES:
        choose(page, hub, zone)
        page.goto(f"{hub.url}/tasks")
        shown = page.locator(f".grid-body time[title^=Created][datetime='{iso(newest['created_at'])}']")
        shown.wait_for(timeout=10_000)
        assert in_zone(newest["created_at"], zone).strftime("%Y-%m-%d %H:%M:%S ") in shown.get_attribute("title")

        def is_right(shown: Any = shown) -> bool:
            really = (time.time() * 1000 - newest["created_at"]) / 60_000
            return shown.inner_text() in {f"{int(really - 0.1)} min ago", f"{int(really)} min ago"}

        wait_for(is_right, 10, "the age of a task by the hub's clock")
    watched.check()


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_A94_charts_and_the_jump_to_a_time_are_in_the_chosen_zone(hub: Hub, watch: Watch) -> None:
    watched = watch(timezone_id="America/Bogota")
    page = watched.open("/settings")
    zone = "Asia/Kabul"
    choose(page, hub, zone)
    for span, form in (("1h", "%H:%M"), ("90d", "%-d %b, %H:%M")):
        page.goto(f"{hub.url}/trends?range={span}")
        pages.at_rest(page)
        moment = page.locator(".legend-time time").first
        at = datetime.fromisoformat(moment.get_attribute("datetime")).timestamp() * 1000
        assert moment.inner_text() == in_zone(at, zone).strftime(form)
    page.goto(f"{hub.url}/tasks")
    field = page.get_by_label("Go to tasks of a time")
    wanted = 1_767_268_800_000  # noon of a first of January
    with page.expect_request(re.compile(r"[?&]at=")) as asked:
        field.fill(in_zone(wanted, zone).strftime("%Y-%m-%dT%H:%M"))
    assert f"at={wanted}" in asked.value.url
    watched.check()


def test_A94_the_moment_of_a_loss_is_told_in_the_hubs_time(hub: Hub, watch: Watch) -> None:
    page = watch(timezone_id="America/Bogota").page
    page.clock.install(time=datetime.now(UTC) + timedelta(minutes=10))
    page.goto(hub.url)
    page.locator("[data-testid=connection-chip][data-phase=live]").wait_for(timeout=10_000)
    before = time.time() - 2  # a difference that small is not corrected
    hub.stop()
    said = page.get_by_test_id("banner").get_by_text(re.compile(r"Connection lost at [\d:]+"))
    said.wait_for(timeout=10_000)
    seconds = range(int(before), int(time.time()) + 3)
    told = re.search(r"lost at ([\d:]+)", said.inner_text())
    assert told and told[1] in {in_zone(second * 1000, "").strftime("%H:%M:%S") for second in seconds}
    hub.start()
