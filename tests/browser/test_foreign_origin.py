"""What a page of somebody else, open in the same browser, can do to a hub: nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.browser.conftest import Watched
from tests.harness.hub import Hub

#: Tries everything that a script of a page can: the sockets, and writes that need no question of the browser and that do.
ATTACK = """async ([http, ws, task]) => {
  const socket = (path) => new Promise((done) => {
    const one = new WebSocket(ws + path);
    one.onmessage = () => done('heard');
    one.onclose = () => done('refused');
  });
  const cancel = `${http}/api/tasks/${task}/cancel`;
  const write = (options) => fetch(cancel, { method: 'POST', body: '{}', ...options }).then((answer) => answer.status, () => 0);
  return {
    dashboard: await socket('/ws/dashboard'),
    dashboard2: await socket('/ws/dashboard?protocol=2'),
    simple: await write({ mode: 'no-cors' }),
    asJson: await write({ headers: { 'Content-Type': 'application/json' } }),
    reading: await fetch(`${http}/api/dashboard/state`).then((answer) => answer.text(), () => 'refused'),
  };
}"""


class _Elsewhere(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of another web server on this machine."""
    server = HTTPServer(("127.0.0.1", 0), _Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])  # of the same site as the hub, and of another
def test_A71_a_page_of_another_origin_is_refused_by_sockets_and_writes(
    host: str, hub: Hub, elsewhere: int, browser: Any, watch: Callable[..., Watched]
) -> None:
    task_id = hub.submit("mine", assign_to="nobody")
    asked = [hub.url, hub.ws_url, task_id]
    page = watch().page
    page.goto(f"http://{host}:{elsewhere}/")
    found = page.evaluate(ATTACK, asked)
    assert (found["dashboard"], found["dashboard2"], found["reading"]) == ("refused", "refused", "refused"), found
    assert found["simple"] == found["asJson"] == 0, "neither was answered for this page to read"
    assert hub.task(task_id)["status"] == "queued"
    ours = watch().open("/")
    found = ours.evaluate(ATTACK, asked)  # the same from the hub's own page, or nothing of the above would be proved
    assert (found["dashboard"], found["dashboard2"]) == ("heard", "heard") and "by_status" in found["reading"], found
    assert hub.task(task_id)["status"] == "cancelled"
