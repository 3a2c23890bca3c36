"""Webhooks, browsers and tokens at the door: what is refused, what is shown, and what a page may do without a token."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.unit.web.kit import Kit, Refuse, with_kit
from web.handlers import push
from wire import tokens

POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc"

WEBHOOK = {
    "id": "wh_1",
    "url": "https://example.org/secret-path",
    "secret": "whsec_AAAA",
    "events": [],
    "created_at": 1,
    "created_by": "me",
    "failures": 0,
    "disabled_at": None,
    "disabled_because": None,
    "label": "",
}
BROWSER = {"id": "b", "endpoint": ENDPOINT, "p256dh": POINT, "auth": AUTH, "created_at": 1, "label": "mine"}
DELIVERY = {
    "id": 7,
    "notice_id": "msg_1",
    "kind": "test",
    "target": "webhook:wh_1",
    "state": "waiting",
    "attempts": 0,
    "created_at": 1,
    "due_at": 1,
    "tried_at": None,
    "status": None,
    "error": None,
    "duration_ms": None,
}


def with_targets(kit: Kit) -> None:
    def refuse(**_: Any) -> None:
        raise Refuse("not_found")

    kit.hub.ops["notify.targets"] = lambda: {
        "webhooks": [WEBHOOK],
        "subscriptions": [BROWSER],
        "push_public_key": POINT,
    }
    kit.hub.ops["notify.create_webhook"] = lambda webhook: WEBHOOK | webhook
    kit.hub.ops["notify.subscribe"] = lambda subscription: subscription
    kit.hub.ops["notify.remove"] = lambda target: target in ("webhook:wh_1", "push:b")
    kit.hub.ops["notify.test"] = lambda target, body: DELIVERY if target != "webhook:no" else refuse()
    kit.hub.ops["notify.deliveries"] = lambda target, limit: [DELIVERY] if target == "webhook:wh_1" else refuse()
    kit.hub.ops["notify.redeliver"] = lambda target, delivery_id: DELIVERY if delivery_id == 7 else refuse()
    kit.hub.ops["notify.enable_webhook"] = lambda id: WEBHOOK if id == "wh_1" else refuse()


def asked(kit: Kit, op: str) -> list[dict[str, Any]]:
    return [args for name, args in kit.hub.calls if name == op]


@with_kit()
async def test_the_secret_is_shown_once_and_the_path_of_the_address_too(kit: Kit) -> None:
    with_targets(kit)
    made = await kit.post(
        "/api/webhooks", {"url": "https://example.org/hook", "events": ["health.worse"], "label": "Ops"}
    )
    assert made.status == 201 and made.json["url"] == "https://example.org/hook"
    assert len(base64.b64decode(made.json["secret"].removeprefix("whsec_"))) == 24
    [call] = asked(kit, "notify.create_webhook")
    assert call["webhook"]["events"] == ["health.worse"] and call["webhook"]["label"] == "Ops"
    [listed] = (await kit.get("/api/webhooks", token=None)).json["webhooks"]
    assert listed["url"] == "https://example.org/…" and "secret" not in listed


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": ""}, "url"),
        ({"url": 5}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "http://example.org/"}, "url"),
        ({"url": "https://user:secret@example.org/"}, "url"),
        ({"url": "https://example.org/" + "x" * 3_000}, "url"),
        ({"url": "https://example.org/", "events": ["agent.exploded"]}, "events[0]"),
        ({"url": "https://example.org/", "events": "health.worse"}, "events"),
        ({"url": "https://example.org/", "label": "two\nlines"}, "label"),
    ],
)
def test_a_bad_webhook_is_refused_by_its_field_and_stored_nowhere(body: dict[str, Any], field: str) -> None:
    @with_kit()
    async def run(kit: Kit) -> None:
        with_targets(kit)
        answer = await kit.post("/api/webhooks", body)
        assert (answer.status, answer.json["error"]) == (422, "validation_failed"), answer.json
        assert [fault["field"] for fault in answer.json["errors"]] == [field]
        assert "secret" not in str(answer.json) and asked(kit, "notify.create_webhook") == []

    run()


@with_kit(outgoing_networks=("127.0.0.0/8",))
async def test_a_network_that_was_named_may_be_told(kit: Kit) -> None:
    with_targets(kit)
    assert (await kit.post("/api/webhooks", {"url": "http://127.0.0.1:9/hook"})).status == 201
    assert (await kit.post("/api/webhooks", {"url": "https://10.0.0.1/hook"})).status == 422


@with_kit()
async def test_what_is_not_there_is_not_found(kit: Kit) -> None:
    with_targets(kit)
    assert (await kit.request("DELETE", "/api/webhooks/wh_1")).json == {"status": "removed", "id": "wh_1"}
    assert (await kit.post("/api/webhooks/wh_1/enable")).json["id"] == "wh_1"
    assert (await kit.post("/api/webhooks/wh_1/test")).status == 202
    assert (await kit.post("/api/webhooks/wh_1/deliveries/7/redeliver")).status == 202
    for method, path in (
        ("DELETE", "/api/webhooks/no"),
        ("POST", "/api/webhooks/no/enable"),
        ("POST", "/api/webhooks/no/test"),
        ("GET", "/api/webhooks/no/deliveries"),
        ("POST", "/api/webhooks/wh_1/deliveries/8/redeliver"),
        ("POST", "/api/webhooks/wh_1/deliveries/x/redeliver"),
        ("POST", "/api/webhooks/wh_1/deliveries/9999999999999999999999/redeliver"),
        ("DELETE", "/api/push/subscriptions/no"),
    ):
        answer = await kit.request(method, path)
        assert (answer.status, answer.json["error"]) == (404, "target_not_found"), path


@with_kit()
async def test_the_log_names_messages_and_is_a_page(kit: Kit) -> None:
    with_targets(kit)
    [row] = (await kit.get("/api/webhooks/wh_1/deliveries?limit=5", token=None)).json["deliveries"]
    assert row["message_id"] == "msg_1" and "target" not in row
    assert asked(kit, "notify.deliveries") == [{"target": "webhook:wh_1", "limit": 5}]
    assert (await kit.get("/api/webhooks/wh_1/deliveries?limit=0")).status == 422


@with_kit()
async def test_only_operators_and_a_page_of_ours_decide_whom_this_hub_tells(kit: Kit) -> None:
    with_targets(kit)
    body = {"url": "https://example.org/"}
    for role, status in (("agent", 403), ("submitter", 403), ("operator", 201), ("admin", 201)):
        assert (await kit.post("/api/webhooks", body, token=kit.hub.token(role, f"{role}-1"))).status == status
    assert (await kit.post("/api/webhooks", body, token=None)).status == 401
    assert (await kit.post("/api/webhooks", body, token=None, headers={"Origin": kit.url})).status == 201
    assert (await kit.post("/api/webhooks", body, token=None, headers={"Origin": "http://evil.test"})).status == 403


# --- browsers ---------------------------------------------------------------------------------------------------------------


@with_kit()
async def test_a_browser_subscribes_and_its_endpoint_stays_secret(kit: Kit) -> None:
    with_targets(kit)
    keys = {"p256dh": POINT, "auth": AUTH + "=="}
    made = await kit.post("/api/push/subscriptions", {"endpoint": ENDPOINT, "expirationTime": None, "keys": keys})
    assert made.status == 201 and made.json["service"] == "https://fcm.googleapis.com/…"
    [call] = asked(kit, "notify.subscribe")
    assert call["subscription"]["auth"] == AUTH and call["subscription"]["id"] == made.json["id"]
    shown = (await kit.get("/api/push", token=None)).json
    assert shown["public_key"] == POINT and "abc" not in str(shown) and AUTH not in str(shown)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"endpoint": "https://example.org/x"}, "endpoint"),
        ({"endpoint": "http://127.0.0.1/x"}, "endpoint"),
        ({"endpoint": "https://fcm.googleapis.com.evil.test/x"}, "endpoint"),
        ({"keys": {"p256dh": POINT[:-4], "auth": AUTH}}, "keys.p256dh"),
        ({"keys": {"p256dh": "B" + "A" * 86, "auth": AUTH}}, "keys.p256dh"),
        ({"keys": {"p256dh": POINT, "auth": AUTH[:-3]}}, "keys.auth"),
        ({"keys": {"p256dh": POINT}}, "auth"),
        ({"keys": None}, "keys"),
    ],
)
def test_what_is_no_subscription_is_refused(changes: dict[str, Any], field: str) -> None:
    @with_kit()
    async def run(kit: Kit) -> None:
        with_targets(kit)
        body = {"endpoint": ENDPOINT, "keys": {"p256dh": POINT, "auth": AUTH}} | changes
        answer = await kit.post("/api/push/subscriptions", body)
        assert answer.status == 422 and [fault["field"] for fault in answer.json["errors"]] == [field], answer.json
        assert asked(kit, "notify.subscribe") == []

    run()


@with_kit()
async def test_without_the_library_the_answer_says_what_to_install(kit: Kit) -> None:
    with_targets(kit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(push, "is_available", lambda: False)
        shown = (await kit.get("/api/push", token=None)).json
        assert shown["available"] is False and shown["install"] == "pip install 'agentcom[push]'"
        refused = await kit.post("/api/push/key")
        assert (refused.status, refused.json["error"]) == (409, "push_not_installed")
        assert refused.json["hint"] == "pip install 'agentcom[push]'"


@with_kit()
async def test_the_key_is_waited_for_until_the_notifier_made_it(kit: Kit) -> None:
    with_targets(kit)
    answers = [None, None, POINT]
    kit.hub.ops["notify.targets"] = lambda: {"push_public_key": answers.pop(0)}
    assert (await kit.post("/api/push/key")).json == {"public_key": POINT} and answers == []


# --- tokens on the page -----------------------------------------------------------------------------------------------------


@with_kit()
async def test_a_page_makes_and_ends_tokens_below_admin(kit: Kit) -> None:
    page = {"token": None, "headers": {"Origin": kit.url}}
    made = await kit.post("/admin/tokens", {"agent_id": "ci", "role": "submitter"}, **page)
    assert made.status == 201 and tokens.parse(made.json["token"]) is not None
    listed = (await kit.get("/api/dashboard/tokens", token=None)).json
    assert "ci" in [one["agent_id"] for one in listed["tokens"]] and made.json["token"] not in str(listed)
    assert (await kit.request("DELETE", "/admin/tokens/ci", **page)).status == 200


@with_kit()
async def test_a_page_without_a_token_cannot_make_itself_an_admin(kit: Kit) -> None:
    page = {"token": None, "headers": {"Origin": kit.url}}
    kit.hub.token("admin", "root")
    admin = next(one["name"] for one in kit.hub.identities.values() if one["role"] == "admin")
    for body in ({"agent_id": "me", "role": "admin"}, {"agent_id": admin, "role": "operator"}, {"agent_id": admin}):
        assert (await kit.post("/admin/tokens", body, **page)).status == 403
    assert (await kit.request("DELETE", f"/admin/tokens/{admin}", **page)).status == 403
    assert (await kit.get("/admin/tokens", token=None)).status == 401
    assert (await kit.post("/admin/tokens", {"agent_id": "x"}, token=None)).status == 401
