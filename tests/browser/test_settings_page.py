"""The settings page in a real browser: what it keeps, whom it tells, and that a secret is shown once and stays nowhere."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.harness.hub import Hub
from tests.harness.receiver import Receiver, status
from tests.harness.waiting import wait_for

MESSAGE = {"title": "Health: critical", "body": "half of it fails", "tag": "health.worse", "path": "/system"}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One for all: each test leaves no target behind, and a restart keeps the address."""
    data = tmp_path_factory.mktemp("settings") / "data"
    with Hub(data, "--outgoing-network", "127.0.0.0/8", web_processes=1) as started:
        yield started


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


def shown_state(page: Any) -> str:
    return str(page.get_by_test_id("notification-state").inner_text())


def everything_kept(page: Any) -> str:
    """What would survive the dialog, or leave the page: address, storages, cookies, and the document."""
    return str(
        page.evaluate(
            "location.href + JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage}) + document.cookie"
            " + document.documentElement.outerHTML"
        )
    )


def test_choices_take_effect_at_once_and_survive_a_reload(watch: Callable[..., Any]) -> None:
    """A82 for the switch, A86 and A94 for theme and time zone."""
    watched = watch(timezone_id="America/New_York")
    page = watched.open("/settings")
    assert page.get_by_role("heading", level=1).inner_text() == "Settings"
    page.get_by_label("Light", exact=True).check()
    page.get_by_label("Roomy").check()
    page.get_by_test_id("time-zone").select_option("Asia/Tokyo")
    page.get_by_label("Single keys do something").uncheck()
    for _ in range(2):
        assert page.evaluate("document.documentElement.dataset.theme") == "light"
        assert page.evaluate("document.documentElement.dataset.density") == "roomy"
        page.get_by_text(re.compile(r"Now: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d GMT\+9")).wait_for()
        page.keyboard.press("t")
        assert page.evaluate("document.documentElement.dataset.theme") == "light", "single keys are off"
        page.reload()
        page.get_by_test_id("time-zone").wait_for()
    page.get_by_test_id("time-zone").select_option("")
    page.get_by_text(re.compile(r"Now: .* (GMT-[45]|E[SD]T)")).wait_for()
    watched.check()


def test_a_webhook_is_made_tried_read_and_removed_without_a_terminal(
    watch: Callable[..., Any], receiver: Receiver
) -> None:
    """The secret is shown once; afterwards it is nowhere in the page, its storage or its address."""
    watched = watch()
    page = watched.open("/settings")
    page.get_by_test_id("add-webhook").click()
    page.get_by_label("Address").fill("https://10.0.0.1/hook")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("alert").filter(has_text="not public").wait_for()
    page.get_by_label("Address").fill(f"{receiver.url}/secret-path")
    page.get_by_label("What to call it").fill("Ops <b>channel</b>")
    page.get_by_label("Health got worse").uncheck()
    page.get_by_role("button", name="Add", exact=True).click()
    shown = page.get_by_test_id("webhook-secret").inner_text()
    secret = re.search(r"whsec_\S+", shown)
    assert secret is not None
    page.keyboard.press("Escape")
    row = page.get_by_test_id("webhook-row")
    assert "Ops <b>channel</b>" in row.inner_text() and "health.worse" not in row.inner_text()
    assert secret[0] not in everything_kept(page) and "secret-path" not in everything_kept(page)
    row.get_by_role("button", name=re.compile("Test")).click()
    assert receiver.wait_for(1)[0].headers["webhook-signature"].startswith("v1,")
    row.get_by_role("button", name=re.compile("Log")).click()
    page.get_by_test_id("delivery-row").filter(has_text="204 in").wait_for()
    page.get_by_role("button", name=re.compile("Send msg_")).click()
    again = receiver.wait_for(2)
    assert again[0].headers["webhook-id"] == again[1].headers["webhook-id"]
    page.keyboard.press("Escape")
    row.get_by_role("button", name=re.compile("Remove")).click()
    row.get_by_role("button", name=re.compile("Really remove")).click()
    page.get_by_text("Nobody is told.").wait_for()
    watched.faults = [fault for fault in watched.faults if "422" not in fault]  # the browser itself reports the refusal
    watched.check()


def test_A72_a_token_is_shown_once_works_and_is_kept_nowhere(watch: Callable[..., Any], hub: Hub) -> None:
    watched = watch()
    page = watched.open("/settings")
    page.get_by_test_id("add-token").click()
    page.get_by_role("textbox", name="Name").fill("ci")
    page.get_by_label("Role").select_option("submitter")
    page.get_by_role("button", name="Make it").click()
    found = re.search(r"hub_submitter_\S+", page.get_by_test_id("token-made").inner_text())
    assert found is not None
    token = found[0]
    assert hub.post("/api/tasks", {"description": "x", "assign_to": "nobody"}, token=token).status == 201
    page.keyboard.press("Escape")
    row = page.get_by_test_id("token-row").filter(has=page.get_by_text("ci", exact=True))
    row.wait_for()
    assert token not in everything_kept(page) and token not in hub.log()
    assert (
        page.get_by_test_id("token-row").filter(has=page.get_by_text("admin", exact=True)).get_by_role("button").count()
        == 0
    )
    row.get_by_role("button", name="Revoke: ci").click()
    row.get_by_role("button", name="Really revoke: ci").click()
    row.wait_for(state="detached")
    wait_for(lambda: hub.post("/api/tasks", {"description": "x"}, token=token).status == 401, 10)
    watched.check()


# --- notifications ----------------------------------------------------------------------------------------------------------


#: There is no push service here, and browsers of a test have none: the browser's own call is answered with these keys. What
#: the page does with them, what the hub sends to that endpoint, and the worker that shows it are real.
SUBSCRIBE = """
(subscription) => {
  let current = null;
  const made = (options) => ({
    endpoint: subscription.endpoint,
    options: { userVisibleOnly: true, applicationServerKey: decode(options.applicationServerKey) },
    toJSON: () => subscription, unsubscribe: async () => { current = null; return true; },
  });
  const decode = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)).buffer;
  PushManager.prototype.subscribe = async (options) => (current = made(options));
  PushManager.prototype.getSubscription = async () => current;
}
"""


class Worker:
    """The page's service worker through the protocol of the browser's own tools."""

    def __init__(self, page: Any, hub: Hub) -> None:
        self._session = page.context.new_cdp_session(page)
        self._hub = hub
        self._page = page
        self._registrations: list[str] = []
        self._session.on("ServiceWorker.workerRegistrationUpdated", self._seen)
        self._session.send("ServiceWorker.enable")

    def _seen(self, event: dict[str, Any]) -> None:
        self._registrations += [one["registrationId"] for one in event["registrations"] if not one["isDeleted"]]

    def deliver(self, data: str) -> None:
        deadline = time.monotonic() + 10
        while not self._registrations and time.monotonic() < deadline:
            self._page.wait_for_timeout(20)
        fields = {"origin": self._hub.url, "registrationId": self._registrations[-1], "data": data}
        self._session.send("ServiceWorker.deliverPushMessage", fields)

    def deliver_until(self, condition: Callable[[], object], data: str, what: str) -> None:
        """The browser drops in silence what comes while the worker is being started; a real push service would wait for it."""
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, what
            self.deliver(data)
            again_at = time.monotonic() + 2
            while not condition() and time.monotonic() < again_at:
                self._page.wait_for_timeout(50)


def notifications(page: Any) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = page.evaluate(
        "navigator.serviceWorker.ready.then((r) => r.getNotifications())"
        ".then((all) => all.map(({title, body, tag, data}) => ({title, body, tag, path: data.path})))"
    )
    return shown


def wait_in(page: Any, condition: Callable[[], object], what: str, timeout_s: float = 60.0) -> None:
    """Not ``wait_for``: the browser's events arrive only while something is asked of it."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, what
        page.wait_for_timeout(20)


def turn_on(page: Any, hub: Hub) -> None:
    page.context.grant_permissions(["notifications"], origin=hub.url)
    page.goto(f"{hub.url}/settings")
    page.get_by_role("button", name="Turn on here").click()
    page.get_by_role("button", name="Turn off").wait_for()


def test_A92_what_is_pushed_is_shown_opens_its_page_and_still_arrives_after_a_restart(
    watch: Callable[..., Any], hub: Hub, receiver: Receiver
) -> None:
    pytest.importorskip("cryptography", reason="NOT TESTED: the extra 'push' is not installed")
    from tests.harness.push_browser import PushBrowser

    receiver.answers = [status(201)]
    browser = PushBrowser()
    watched = watch()
    page = watched.page
    subscription = browser.subscription(f"{receiver.url}/push/1")
    page.add_init_script(f"({SUBSCRIBE})({json.dumps(subscription)})")
    turn_on(page, hub)
    assert shown_state(page) == "On, also when no tab is open."
    page.get_by_role("button", name="Send a test").click()
    wait_in(page, lambda: receiver.received, "the test at the push service")
    pushed = browser.read(receiver.received[0].body)
    worker = Worker(page, hub)
    worker.deliver_until(lambda: notifications(page), pushed.decode(), "the notification")
    [shown] = notifications(page)
    assert (shown["title"], shown["tag"], shown["path"]) == ("AgentCom can reach you", "test", "/settings")

    second, third = json.dumps(MESSAGE), json.dumps(MESSAGE | {"body": "all of it fails"})
    worker.deliver_until(lambda: len(notifications(page)) == 2, second, "the second notification")
    worker.deliver_until(lambda: "all of it" in str(notifications(page)), third, "the third one in place of the second")
    assert len(notifications(page)) == 2, "one of a kind"
    wait_in(page, lambda: page.context.service_workers, "the worker awake")
    page.context.service_workers[-1].evaluate(
        "registration.getNotifications({tag: 'health.worse'}).then(([notification]) =>"
        " self.dispatchEvent(new NotificationEvent('notificationclick', {notification})))"
    )
    page.wait_for_url("**/system")
    assert page.get_by_role("heading", level=1).inner_text() == "System"
    wait_in(page, lambda: len(notifications(page)) == 1, "the clicked one gone")

    hub.stop()
    hub.start()
    page.goto(f"{hub.url}/settings")
    assert shown_state(page) == "On, also when no tab is open."
    page.get_by_role("button", name="Send a test").click()
    wait_in(page, lambda: len(receiver.received) == 2, "the test after the restart")
    assert json.loads(browser.read(receiver.received[1].body))["title"] == "AgentCom can reach you"
    keys = {one.headers["authorization"].rpartition("k=")[2] for one in receiver.received}
    assert len(keys) == 1, "the key was kept"
    page.get_by_role("button", name="Turn off").click()
    page.get_by_role("button", name="Turn on here").wait_for()
    wait_in(page, lambda: hub.get("/api/push").json["subscriptions"] == [], "the hub forgetting this browser")
    assert page.evaluate("window.violations") == []


def test_A93_a_browser_that_its_push_service_calls_gone_is_forgotten_and_says_so(
    watch: Callable[..., Any], hub: Hub, receiver: Receiver
) -> None:
    pytest.importorskip("cryptography", reason="NOT TESTED: the extra 'push' is not installed")
    from tests.harness.push_browser import PushBrowser

    receiver.answers = [status(410)]
    page = watch().page
    page.add_init_script(f"({SUBSCRIBE})({json.dumps(PushBrowser().subscription(f'{receiver.url}/gone'))})")
    turn_on(page, hub)
    page.get_by_test_id("browsers").get_by_text("this one").wait_for()
    page.get_by_role("button", name="Send a test").click()
    wait_in(page, lambda: receiver.received, "the test at the push service")
    wait_in(page, lambda: hub.get("/api/push").json["subscriptions"] == [], "the subscription's end")
    page.reload()
    page.get_by_text("On while a tab of this hub is open.").wait_for()


def test_A58_without_push_an_open_page_tells_what_got_worse(watch: Callable[..., Any], hub: Hub) -> None:
    """Questions of agents are not there yet; what can be told is."""
    watched = watch()
    page = watched.page
    page.add_init_script(
        "PushManager.prototype.subscribe = async () => { throw new Error('there is no push service'); };"
    )
    turn_on(page, hub)
    assert shown_state(page) == "On while a tab of this hub is open."
    page.get_by_role("button", name="Send a test").click()

    def of_kind(tag: str) -> list[dict[str, Any]]:
        """The browser keeps what another test's hub showed, should it have had the same port."""
        return [one for one in notifications(page) if one["tag"] == tag]

    wait_in(page, lambda: of_kind("test"), "the test")
    assert [one["title"] for one in of_kind("test")] == ["AgentCom can reach you"]
    give_up(hub)
    wait_in(page, lambda: of_kind("dead_letters.new"), "the notice of the dead letter")
    [told] = of_kind("dead_letters.new")
    assert (told["title"], told["path"]) == ("A task was given up", "/dead")
    watched.check()


def test_without_the_library_the_page_says_what_to_install_and_the_rest_works(
    watch: Callable[..., Any], hub: Hub
) -> None:
    answer = {"available": False, "install": "pip install 'agentcom[push]'", "public_key": None, "subscriptions": []}
    watched = watch()
    watched.page.route("**/api/push", lambda route: route.fulfill(json=answer))
    page = watched.open("/settings")
    assert "pip install 'agentcom[push]'" in page.get_by_test_id("push-install").inner_text()
    page.get_by_test_id("add-token").wait_for()
    watched.check()


def test_an_address_that_cannot_be_reached_says_offline_and_opens_when_the_hub_is_back(
    watch: Callable[..., Any], hub: Hub
) -> None:
    watched = watch()
    page = watched.page
    page.add_init_script(
        "PushManager.prototype.subscribe = async () => { throw new Error('there is no push service'); };"
    )
    turn_on(page, hub)
    url = hub.url
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    hub.stop()
    page.goto(f"{url}/tasks?state=queued")
    assert page.get_by_role("heading", level=1).inner_text() == "Offline"
    assert page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") != "none", "its style is there"
    hub.start()
    page.wait_for_url("**/tasks?state=queued", timeout=20_000)
    page.get_by_role("heading", name="Tasks", level=1).wait_for()


def test_the_installed_app_has_a_name_icons_and_a_start(hub: Hub) -> None:
    page = hub.get("/settings", token=None).body.decode()
    link = re.search(r'<link rel="manifest" href="\./(static/[0-9a-f]+/)manifest.webmanifest"', page)
    assert link is not None
    answer = hub.get(f"/{link[1]}manifest.webmanifest", token=None)
    assert answer.headers["content-type"] == "application/manifest+json"
    for icon in answer.json["icons"]:
        found = hub.get(f"/{link[1]}{icon['src']}", token=None)
        assert found.status == 200 and found.headers["content-type"] == icon["type"]
        if icon["type"] == "image/png":
            width = int.from_bytes(found.body[16:20], "big")
            assert icon["sizes"] == f"{width}x{width}"
    worker = hub.get("/sw.js", token=None)
    assert worker.status == 200 and worker.headers["cache-control"] == "no-cache"
    assert worker.headers["content-type"].startswith("text/javascript")


def give_up(hub: Hub) -> None:
    from tests.harness.socket import Socket

    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="clumsy", token=hub.agent_token("clumsy"))
    hub.submit("fragile", max_retries=1)
    assigned = agent.hear_type("task_assign")
    about = {"task_id": assigned["task_id"], "generation": assigned["generation"]}
    agent.say(type="task_accepted", **about)
    agent.say(type="task_failed", **about, error="broke")
    hub.wait_for_status(assigned["task_id"], "dead_letter")
    agent.close()
