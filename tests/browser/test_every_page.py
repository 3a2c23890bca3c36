"""What holds for every page, whoever built it: found by axe, by size, by hostile words, and by the browser's own policy.

The pages are those of ``pages.js``. The hubs are frozen demos, so that every run looks at the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.browser import pages
from tests.browser.conftest import Watched
from tests.harness.demo import Demo
from tests.harness.hub import Hub
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for
from web.handlers.page import SHELLS

PAGES = pages.listed()
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}

#: What opens the dialogs of a page. Those of the frame (help, palette) are judged where a page has none of its own.
DIALOGS = {
    "/dashboard": ("[data-testid=retry-group]",),
    "/tasks": ("text=Save view",),
    "/tasks/:id": (".task-actions .danger", "text=Duplicate and edit"),
    "/dead": ("[data-testid=bulk-retry]", "[data-testid=bulk-discard]", "text=Mute…"),
    "/agents": ("text=Add an agent",),
    "/agents/:id": ("[data-order=disconnect]", "[data-order=rotate-token]"),
    "/settings": ("[data-testid=add-webhook]", "[data-testid=add-token]"),
}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("full") / "data", tasks=250) as demo:
        yield demo


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("empty") / "data", tasks=0) as demo:
        yield demo


def address(path: str, hub: Hub) -> str:
    """A page of something is opened with something that the hub has; on an empty hub, with something that it has not."""
    agents = hub.snapshot()["agents"]
    tasks = [task for status in ("assigned", "queued") for task in hub.get(f"/api/tasks?status={status}").json["tasks"]]
    known = {
        "/tasks/:id": tasks[0]["id"] if tasks else "task-00000000deadbeef",
        "/agents/:id": agents[0]["agent_id"] if agents else "nobody",
    }
    return path.replace(":id", known.get(path, "unknown"))


@dataclass
class Viewer:
    """A page on a hub, whose connection can be cut."""

    page: Any
    watched: Watched
    is_cut: bool = False
    _sockets: list[Any] = field(default_factory=list)

    def route(self, socket: Any) -> None:
        if self.is_cut:
            socket.close()
        else:
            self._sockets.append(socket)
            socket.connect_to_server()

    def cut(self) -> None:
        self.is_cut = True
        for socket in self._sockets:
            socket.close()
        self.page.context.set_offline(True)


@pytest.fixture
def view(browser: Any) -> Iterator[Callable[..., Viewer]]:
    opened: list[Any] = []

    def make(hub: Hub, path: str, **options: Any) -> Viewer:
        options = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", **options}
        context = browser.new_context(**options)
        opened.append(context)
        page = context.new_page()
        viewer = Viewer(page, Watched(page, hub))
        page.route_web_socket(re.compile(r"/ws/dashboard"), viewer.route)
        viewer.watched.open(address(path, hub))
        pages.at_rest(page)
        return viewer

    yield make
    for context in opened:
        context.close()


# --- the list -----------------------------------------------------------------------------------------------------


def test_every_page_has_an_address_that_the_hub_answers(full: Demo) -> None:
    assert len(PAGES) == len(set(PAGES)) >= 4
    assert set(PAGES) <= {shell.route for shell in SHELLS}
    for path in PAGES:
        assert full.get(address(path, full), token=None).status == 200, path


# --- A80 ----------------------------------------------------------------------------------------------------------


class Judge:
    """Asks axe again and again, and remembers what it found where."""

    def __init__(self) -> None:
        self._axe = pytest.importorskip(
            "axe_playwright_python.sync_playwright", reason="NOT TESTED: axe is not installed"
        ).Axe()
        self.found: list[str] = []
        self.looks = 0

    def look(self, page: Any, where: str, within: str | None = None) -> None:
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            self.looks += 1
            # axe comes past the page's own policy, so only its findings are judged here.
            options = {"runOnly": RULES, "resultTypes": ["violations"]}
            for violation in self._axe.run(page, within, options).response["violations"]:
                nodes = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
                summary = violation["nodes"][0].get("failureSummary", "").replace("\n", " ")[:240]
                self.found.append(f"{where}, {scheme}: {violation['id']}: {nodes} ({summary})")


def open_dialog(page: Any, way: str) -> None:
    if way in ("?", "Control+k"):
        page.keyboard.press(way)
    else:
        page.locator(way).first.click()
    page.locator("dialog[open]").wait_for(timeout=5_000)
    wait_for(lambda: page.locator("dialog[open] .skeleton").count() == 0, 10, "what the dialog asks the hub for")


@pytest.mark.timeout(600)  # axe looks at a page eight times or more, for a second each, on a busy machine for several
@pytest.mark.parametrize("path", PAGES)
def test_A80_axe_finds_nothing(path: str, full: Demo, empty: Demo, view: Callable[..., Viewer]) -> None:
    """Every page in both themes: full, with each of its dialogs open, disconnected, and empty."""
    judge = Judge()
    viewer = view(full, path)
    judge.look(viewer.page, "full")
    for way in DIALOGS.get(path, ("?", "Control+k")):
        open_dialog(viewer.page, way)
        judge.look(viewer.page, f"after {way}", "dialog[open]")
        viewer.page.keyboard.press("Escape")
        viewer.page.locator("dialog[open]").wait_for(state="detached", timeout=5_000)
    viewer.watched.check()
    viewer.cut()
    viewer.page.get_by_test_id("banner").wait_for(state="visible", timeout=10_000)
    judge.look(viewer.page, "disconnected")
    first_day = view(empty, path)
    judge.look(first_day.page, "empty")
    # A read of what is not there is answered 404, which the browser writes into its console.
    first_day.watched.faults = [fault for fault in first_day.watched.faults if "404" not in fault]
    first_day.watched.check()
    assert judge.looks == 2 * (3 + len(DIALOGS.get(path, "??")))
    assert not judge.found, "\n".join(judge.found)


def test_A80_axe_finds_nothing_in_the_list_of_conditions(full: Demo, view: Callable[..., Viewer]) -> None:
    judge = Judge()
    page = view(full, "/dashboard").page
    page.get_by_test_id("health-pill").click()
    page.locator(".health-list").wait_for()
    judge.look(page, "conditions", ".health")
    assert not judge.found, "\n".join(judge.found)


def test_A80_the_judge_finds_what_is_wrong(full: Demo, view: Callable[..., Viewer]) -> None:
    """Else the tests above could not fail."""
    judge = Judge()
    page = view(full, "/system").page
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    judge.look(page, "a button without a name")
    assert len(judge.found) == 2 and all("button-name" in one for one in judge.found)


# --- A84 ----------------------------------------------------------------------------------------------------------

#: Elements that stick out of the window, or out of what cuts them off, and cannot be brought into view by scrolling.
OUTSIDE = """() => {
  const cut = [];
  for (const element of document.querySelectorAll('button, a[href], input, select, textarea, summary, h1, h2')) {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    let box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    let scrolls = false;
    for (let parent = element.parentElement; parent; parent = parent.parentElement) {
      const style = getComputedStyle(parent);
      if (/auto|scroll/.test(style.overflowX) && parent.scrollWidth > parent.clientWidth) scrolls = true;
    }
    if (!scrolls && (box.left < -1 || box.right > innerWidth + 1)) cut.push(element.outerHTML.slice(0, 120));
  }
  return cut;
}"""


@pytest.mark.parametrize("path", PAGES)
def test_A84_a_small_screen_and_a_zoom_of_400_percent_need_no_sideways_scrolling(
    path: str, full: Demo, view: Callable[..., Viewer]
) -> None:
    viewer = view(full, path, viewport={"width": 320, "height": 568}, has_touch=True, is_mobile=False)
    page = viewer.page
    for height in (568, 256):  # 320 by 256 is what a window of 1280 by 1024 has left at 400 %
        page.set_viewport_size({"width": 320, "height": height})
        pages.at_rest(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, f"320 by {height}"
        assert page.evaluate(OUTSIDE) == [], f"320 by {height}"
    viewer.watched.check()


@pytest.mark.parametrize("path", PAGES)
def test_A84_every_control_is_large_enough_for_a_finger(path: str, full: Demo, view: Callable[..., Viewer]) -> None:
    """24 px at least, by WCAG 2.5.8; what it excepts of links, axe knows (A80)."""
    page = view(full, path, viewport={"width": 390, "height": 844}, has_touch=True).page
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, summary')].filter((element) => {
          if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
          if (element.closest('label')?.getBoundingClientRect().height >= 24) return false;
          const { width, height } = element.getBoundingClientRect();
          return width >= 2 && height >= 2 && Math.min(width, height) < 24;
        }).map((element) => element.outerHTML.slice(0, 120))"""
    )
    assert small == []


# --- A55 ----------------------------------------------------------------------------------------------------------

MARKUP = "<img src=x onerror=alert(1)>"
HOSTILE = (
    MARKUP,
    "</script><script>alert(1)</script>",
    "{{constructor.constructor('alert(1)')()}}",
    "javascript:alert(1)",
    "\u202egnp.exe\u2066",
    "W" * 9_900,
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub where everybody says the worst in every field that takes words."""
    with Hub(tmp_path_factory.mktemp("hostile") / "data", "--environment", "<b>X</b>", web_processes=1) as hub:
        agent = Socket(f"{hub.ws_url}/ws")
        hello = {
            "agent_id": "evil",
            "name": f"<b>{MARKUP}</b>",
            "status": f"{MARKUP}\u202e",
            "capabilities": ["<i>x</i>"],
        }
        agent.ask(type="identify", token=hub.agent_token("evil"), **hello)
        for words in HOSTILE:
            body = {"metadata": {words[:60]: words[:900]}, "max_retries": 1, "repo": words[:250], "branch": words[:250]}
            for ending in ("task_failed", "task_complete"):
                task_id = hub.submit(words, **body)
                agent.hear_type("task_assign")
                said = (
                    {"error": f"{words[:1900]}\x1b[31m\x07"}
                    if ending == "task_failed"
                    else {"result": {words[:60]: words}}
                )
                agent.ask(type=ending, task_id=task_id, generation=1, **said)
        hub.submit(MARKUP, needed_capabilities=["<u>gpu</u>"])
        hub.submit(HOSTILE[-1], priority="urgent")
        agent.hear_type("task_assign")
        yield hub


@pytest.mark.parametrize("path", PAGES)
def test_A55_hostile_words_are_shown_as_words(path: str, hostile: Hub, view: Callable[..., Viewer]) -> None:
    for width in (1440, 320):
        viewer = view(hostile, path, viewport={"width": width, "height": 800})
        page = viewer.page
        assert page.locator("main img, main b, main i, main u, main script, main iframe").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("[...document.links].every(link => link.protocol.startsWith('http'))")
        words = page.evaluate("document.body.innerText")
        assert "\x1b" not in words and "\x07" not in words and "\u202e" not in words
        viewer.watched.check()


def test_A55_the_words_are_really_there(hostile: Hub, view: Callable[..., Viewer]) -> None:
    """Else the test above could not fail."""
    for path in ("/dashboard", "/tasks", "/tasks/:id"):
        page = view(hostile, path).page
        assert MARKUP in page.evaluate("document.body.innerText") or "WWWW" in page.evaluate(
            "document.body.innerText"
        ), path


@pytest.mark.parametrize("path", PAGES)
def test_A55_hostile_addresses_are_shown_as_words(path: str, hostile: Hub, view: Callable[..., Viewer]) -> None:
    """A link that somebody was sent: in its path, in every parameter that a page knows, and in its fragment."""
    known = (
        "q",
        "state",
        "who",
        "action",
        "target",
        "way",
        "view",
        "kind",
        "sort",
        "cursor",
        "range",
        "from",
        "until",
        "page",
    )
    place = path.replace(":id", quote(MARKUP, safe=""))
    query = urlencode(dict.fromkeys(known, MARKUP))
    page = view(hostile, f"{place}?{query}#{quote(MARKUP)}").page
    assert page.locator("img, main script, main iframe").count() == 0
    assert page.evaluate("[...document.links].every(link => link.protocol.startsWith('http'))")
    assert page.evaluate("window.violations") == []


# --- A02 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_A02_only_the_hub_is_asked_and_nothing_is_inline(path: str, full: Demo, view: Callable[..., Viewer]) -> None:
    viewer = view(full, path)
    policy = full.get(address(path, full), token=None).headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";") if " " in part.strip())
    assert directives["default-src"] in ("'self'", "'none'")
    for name in ("script-src", "style-src"):
        assert "unsafe" not in directives.get(name, directives["default-src"])
    inline = "script:not([src]):not([type=importmap]), style, [onclick], [onload], [onerror]"
    assert viewer.page.locator(inline).count() == 0
    viewer.watched.check()  # also: no request to another origin, no violation of the policy, no error in the console


# --- A83 ----------------------------------------------------------------------------------------------------------


def test_A83_states_differ_in_shape_and_word_and_not_only_in_colour(full: Demo, view: Callable[..., Viewer]) -> None:
    """So no deficiency of colour vision can hide one."""
    for path in ("/tasks", "/dashboard"):
        shown: dict[str, str] = view(full, path).page.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll('main .state')].map((state) =>
              [state.innerText.trim().toLowerCase(), state.querySelector('use')?.getAttribute('href') ?? '']))"""
        )
        assert len(shown) >= 2 and all(word and shape for word, shape in shown.items())
        assert len({shape.partition("#")[2] for shape in shown.values()}) == len(shown), shown
