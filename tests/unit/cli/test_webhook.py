"""``agentcom webhook``: what it sends, what it prints, and that a test that did not arrive fails."""

from __future__ import annotations

from typing import Any

import pytest

from agentcom.cli import webhook
from tests.unit.cli.scripted_hub import Call, ScriptedHub

HOOK: dict[str, Any] = {
    "id": "wh_1",
    "url": "https://example.org/…",
    "events": [],
    "label": "Ops",
    "failures": 0,
    "created_at": 1,
    "disabled_at": None,
    "disabled_because": None,
}
DELIVERY: dict[str, Any] = {
    "id": 7,
    "message_id": "msg_1",
    "kind": "test",
    "state": "waiting",
    "attempts": 0,
    "created_at": 1,
    "due_at": 1,
    "status": None,
    "error": None,
    "duration_ms": None,
}


def test_adding_prints_the_secret_once_and_says_what_next(call: Call, hub: ScriptedHub) -> None:
    hub.routes["POST", "/api/webhooks"] = (201, {**HOOK, "url": "https://example.org/x", "secret": "whsec_abc"})
    done = call("webhook", "add", "https://example.org/x", "--event", "health.worse", "--label", "Ops")
    assert (done.status, done.out) == (0, "wh_1\twhsec_abc\n") and "webhook test wh_1" in done.err
    assert hub.seen[0]["body"] == {"url": "https://example.org/x", "events": ["health.worse"], "label": "Ops"}


def test_an_unknown_event_is_a_mistake_of_the_call(call: Call, hub: ScriptedHub) -> None:
    assert call("webhook", "add", "https://example.org/x", "--event", "all").status == 2 and hub.seen == []


def test_the_list_says_how_each_one_is(call: Call, hub: ScriptedHub) -> None:
    broken = {**HOOK, "id": "wh_2", "disabled_at": 5, "disabled_because": "it answered 410\x1b[2J"}
    hub.routes["GET", "/api/webhooks"] = (200, {"webhooks": [HOOK, broken, {**HOOK, "id": "wh_3", "failures": 4}]})
    rows = [line.split("\t") for line in call("webhook", "list").out.splitlines()]
    assert [row[-1] for row in rows[1:]] == ["ok", "disabled: it answered 410\\x1b[2J", "failing (4 in a row)"]
    assert call("webhook", "list", "--json").json["webhooks"][0] == HOOK


@pytest.mark.parametrize(
    ("outcome", "exit_status", "words"),
    [
        ({"state": "delivered", "attempts": 1, "status": 204, "duration_ms": 12}, 0, "delivered (204, 12 ms)"),
        ({"state": "waiting", "attempts": 1, "status": 500, "error": "answered 500"}, 1, "waiting: answered 500"),
    ],
)
def test_a_test_waits_for_the_first_attempt(
    call: Call, hub: ScriptedHub, outcome: dict[str, Any], exit_status: int, words: str
) -> None:
    hub.routes["POST", "/api/webhooks/wh_1/test"] = (202, DELIVERY)
    log = "/api/webhooks/wh_1/deliveries"
    hub.routes["GET", log] = [(200, {"deliveries": [DELIVERY]}), (200, {"deliveries": [{**DELIVERY, **outcome}]})]
    done = call("webhook", "test", "wh_1")
    assert (done.status, done.out) == (exit_status, f"wh_1\t{words}\n")


def test_a_test_that_nobody_sends_times_out(call: Call, hub: ScriptedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TEST_LIMIT_S", 0.0)
    hub.routes["POST", "/api/webhooks/wh_1/test"] = (202, DELIVERY)
    hub.routes["GET", "/api/webhooks/wh_1/deliveries"] = (200, {"deliveries": [DELIVERY]})
    assert call("webhook", "test", "wh_1").status == 7


def test_the_log_and_the_other_verbs(call: Call, hub: ScriptedHub) -> None:
    hub.routes["GET", "/api/webhooks/wh_1/deliveries"] = (200, {"deliveries": [DELIVERY]})
    assert call("webhook", "log", "wh_1", "--limit", "5").out.splitlines()[1].split("\t")[:4] == [
        "7",
        "test",
        "msg_1",
        "0",
    ]
    hub.routes["POST", "/api/webhooks/wh_1/deliveries/7/redeliver"] = (202, DELIVERY)
    assert call("webhook", "redeliver", "wh_1", "7").out == "7\twaiting\n"
    hub.routes["POST", "/api/webhooks/wh_1/enable"] = (200, HOOK)
    assert call("webhook", "enable", "wh_1").out == "wh_1\tenabled\n"
    hub.routes["DELETE", "/api/webhooks/wh_1"] = (200, {"status": "removed", "id": "wh_1"})
    assert call("webhook", "remove", "wh_1", "--json").json == {"status": "removed", "id": "wh_1"}
    assert call("webhook", "remove", "wh_2").status == 3
