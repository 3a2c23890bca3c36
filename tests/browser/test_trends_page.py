"""The charts: the API's numbers, gaps where nothing is known, a table and CSV, zoom in the address, a cursor by keys."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from actors.sqlite_storage import SqliteStorage
from tests.browser.conftest import Watched
from tests.harness.hub import Hub
from tests.harness.waiting import wait_for
from wire.histogram import bucket_of
from wire.rollups import Rollup, pack

Watch = Callable[..., Watched]

#: Minutes ago in which no hub was there.
GAP = range(20, 35)

#: The series of the chart that is called Flow, in its order, and their words.
FLOW = ("submitted_per_min", "completed_per_min", "failed_per_min", "dead_per_min")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that has been there before, with an hour of minutes behind it and a gap in them."""
    data = tmp_path_factory.mktemp("trends") / "data"
    data.mkdir(mode=0o700)
    storage = SqliteStorage(data / "hub.db")
    this_minute = time.time_ns() // 60_000_000_000
    minutes = [minute(this_minute - ago, ago) for ago in range(1, 70) if ago not in GAP]
    storage.rollups.record([(60, one.start, pack(one)) for one in minutes])
    storage.commit()
    storage.close()
    with Hub(data, web_processes=1) as started:
        yield started


def minute(number: int, ago: int) -> Rollup:
    return Rollup(
        number * 60_000,
        samples=60,
        submitted=10 + ago % 7,
        completed=8 + ago % 5,
        failed=ago % 3,
        queued_sum=60 * (20 + ago),
        queued_max=20 + ago,
        online_sum=180,
        buried_sum=60 * 7,
        wait=((bucket_of(1_500), 9), (bucket_of(40_000), 1)),
    )


def opened(page: Any, title: str) -> Any:
    """The panel of a chart that has been drawn."""
    panel = page.get_by_role("region", name=title, exact=True)
    panel.locator("canvas").wait_for(timeout=15_000)
    return panel


def api(hub: Hub, range_: str = "1h") -> dict[str, Any]:
    found: dict[str, Any] = hub.get(f"/api/dashboard/trends?range={range_}", token=None).json
    return found


def test_A90_chart_table_and_csv_have_the_numbers_of_the_api_with_gaps_and_the_newest_marked(
    hub: Hub, watch: Watch
) -> None:
    watched = watch()
    page = watched.open("/trends?range=1h")
    panel = opened(page, "Flow")
    panel.get_by_role("button", name="Flow as a table").click()

    def agree() -> bool:
        """The newest minute may end between two reads."""
        table = panel.locator("tbody tr")
        shown = table.evaluate_all(
            "rows => rows.map(row => [row.dataset.time, ...[...row.querySelectorAll('td')].map(cell => cell.dataset.value)])"
        )
        found = api(hub)
        places = range(len(found["times"]) - 1, -1, -1)
        wanted = [
            [str(found["times"][place]), *(text(found["series"][name][place]) for name in FLOW)] for place in places
        ]
        return bool(shown[1:] == wanted[1:])

    wait_for(agree, 15, "the table and the API to agree")
    assert "not over" in panel.locator("tbody tr").first.inner_text()
    values = [cell.inner_text() for cell in panel.locator("tbody tr").nth(25).locator("td").all()]
    assert values == ["\u2013"] * 4, "nothing is known of the gap, and nothing is made up"

    address = panel.get_by_role("link", name="Flow as CSV").get_attribute("href")
    rows = list(csv.DictReader(io.StringIO(hub.get(address, token=None).body.decode())))
    found = api(hub)
    assert [[row[name] for name in FLOW] for row in rows][:-1] == [
        [text(found["series"][name][place]) for name in FLOW] for place in range(len(rows))
    ][:-1]
    watched.check()


def text(value: float | None) -> str:
    """A number as JavaScript and the table write it."""
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else str(value)


def test_A90_no_line_is_drawn_where_nothing_is_known(watch: Watch) -> None:
    page = watch(color_scheme="dark").open("/trends?range=1h")
    panel = opened(page, "Dead letters")
    # A constant line: the columns of the canvas in which it is drawn, and the widest hole between them.
    columns = panel.locator("canvas").evaluate(
        """canvas => {
          const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          const found = [];
          for (let x = 0; x < width; x += 1) {
            for (let y = 0; y < height; y += 1) {
              const at = 4 * (y * width + x);
              if (data[at] > 180 && data[at + 1] < 130 && data[at + 2] < 120 && data[at + 3] > 200) { found.push(x); break; }
            }
          }
          return found;
        }"""
    )
    holes = [after - before for before, after in pairwise(columns)]
    drawn = columns[-1] - columns[0]
    assert 0.18 * drawn < max(holes) < 0.36 * drawn, (drawn, max(holes))
    assert sorted(holes)[-2] < 4, "one hole, and no other"


def test_A91_a_zoom_by_dragging_stands_in_the_address_and_is_there_after_a_reload(watch: Watch) -> None:
    watched = watch()
    page = watched.open("/trends?range=1h")
    box = opened(page, "Flow").locator(".u-over").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=5)
    page.mouse.up()
    words = page.get_by_test_id("zoom")
    wait_for(lambda: re.fullmatch(r"\d\d:\d\d:\d\d to \d\d:\d\d:\d\d", words.inner_text()), 5, "the zoom in words")
    query = parse_qs(urlsplit(page.url).query)
    span_ms = int(query["until"][0]) - int(query["from"][0])
    assert query["range"] == ["1h"] and 0.2 < span_ms / 3_600_000 < 0.3
    before = words.inner_text()
    page.reload()
    opened(page, "Wait")
    assert words.inner_text() == before
    panel = page.get_by_role("region", name="Queue", exact=True)
    panel.get_by_role("button", name="Queue as a table").click()
    assert 12 <= panel.locator("tbody tr").count() <= 18, "the table shows what the chart shows"
    page.get_by_role("button", name="Zoom in").click()
    wait_for(lambda: words.inner_text() != before, 5, "half of it")
    live = page.locator(".zoom-tools").get_by_role("button", name="Live")
    live.click()
    wait_for(lambda: page.evaluate("location.search") == "?range=1h", 5, "the address without a zoom")
    assert live.get_attribute("aria-pressed") == "true"
    page.go_back()
    wait_for(
        lambda: "from=" in page.evaluate("location.search") and " to " in words.inner_text(),
        5,
        "Back leads to the zoom",
    )
    watched.check()


def test_a_cursor_that_arrow_keys_move_says_the_values(hub: Hub, watch: Watch) -> None:
    page = watch().open("/trends?range=1h")
    panel = opened(page, "Flow")
    drawing = panel.get_by_role("application")
    drawing.focus()
    page.keyboard.press("Home")
    found = api(hub)
    said = panel.get_by_role("status")
    value = found["series"]["submitted_per_min"][0]
    wait_for(lambda: f"Submitted {value:g}, Done " in said.inner_text(), 5, "the values at the beginning")
    assert re.match(r"\d\d:\d\d:\d\d: ", said.inner_text())
    page.keyboard.press("End")
    wait_for(lambda: "not over yet" in said.inner_text(), 5, "the newest step")
    # The other charts follow.
    other = page.get_by_role("region", name="Queue", exact=True).locator(".chart-legend time")
    mine = panel.locator(".chart-legend time")
    wait_for(lambda: mine.inner_text() == other.inner_text(), 5, "the shared cursor")
    page.keyboard.press("Escape")
    wait_for(lambda: said.inner_text() == "", 5, "silence")


def test_a_range_is_chosen_by_a_link_and_a_series_without_data_is_not_in_the_legend(watch: Watch) -> None:
    watched = watch()
    page = watched.open("/trends")
    opened(page, "Flow")
    page.get_by_role("navigation", name="Range").get_by_role("link", name="6 h").click()
    wait_for(lambda: page.evaluate("location.search") == "?range=6h", 5, "the address")
    panel = opened(page, "Wait")
    words = [entry.get_attribute("data-series") for entry in panel.locator(".chart-legend li[data-series]").all()]
    assert words == ["wait_p50_ms", "wait_p95_ms", "wait_p99_ms"]
    assert (
        page.get_by_role("region", name="Run", exact=True).get_by_text("Nothing was counted in this time.").count() == 1
    )
    watched.check()


def test_the_overview_draws_flow_and_wait_with_a_shared_cursor(watch: Watch) -> None:
    watched = watch()
    page = watched.open()
    flow, wait = opened(page, "Flow"), opened(page, "Wait")
    box = flow.locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
    newest = wait.locator(".chart-legend time").inner_text()
    wait_for(
        lambda: flow.locator(".chart-legend time").inner_text() == wait.locator(".chart-legend time").inner_text(),
        5,
        "one time",
    )
    assert flow.locator(".legend-start").count() == 1, "this hub was started within the hour"
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
    wait_for(lambda: wait.locator(".chart-legend time").inner_text() != newest, 5, "the other chart following")
    watched.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_charts_and_tables(watch: Watch, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="NOT TESTED: axe is not installed")
    page = watch(color_scheme=scheme).open("/trends?range=1h")
    opened(page, "Flow")
    page.get_by_role("button", name="Queue as a table").click()
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}
    results = axe.Axe().run(page, options=tags)
    assert results.violations_count == 0, results.generate_report()


def test_charts_need_no_sideways_scrolling_on_a_phone(watch: Watch) -> None:
    watched = watch()
    watched.page.set_viewport_size({"width": 320, "height": 568})
    page = watched.open("/trends?range=24h")
    opened(page, "Flow")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    watched.check()
