"""``agentcom webhook …``: who is told of what happens, and whether it arrived."""

from __future__ import annotations

import time

import click

from agentcom.cli.main import NearestCommand
from agentcom.cli.output import age
from agentcom.cli.session import Session, hub_options
from agentcom.client import Json, quoted
from agentcom.failures import ExitStatus, Failure
from wire.notices import NoticeKind

#: An attempt takes at most five seconds; the first time the notifier has to start for it.
TEST_LIMIT_S = 20.0
TEST_LOOK_S = 0.2


@click.group(cls=NearestCommand)
def webhook() -> None:
    """Signed notices to a URL: agents offline, health, dead letters."""


@webhook.command()
@click.argument("url")
@click.option(
    "--event",
    "events",
    multiple=True,
    type=click.Choice([kind.value for kind in NoticeKind]),
    help="only this (repeatable)",
)
@click.option("--label", help="what to call it")
@hub_options
def add(session: Session, url: str, events: tuple[str, ...], label: str | None) -> None:
    """Tell URL what happens. Prints the signing secret, which is shown only now.

    Example:  agentcom webhook add https://example.org/hook --event dead_letters.new
    """
    created = session.hub.post("/api/webhooks", {"url": url, "events": list(events), "label": label})
    if session.out.as_json:
        session.out.data(created)
        return
    session.out.fields(created["id"], created["secret"])
    session.out.hint(
        f"Keep the secret where {created['url']} can read it.  Try it:  agentcom webhook test {created['id']}"
    )


@webhook.command("list")
@hub_options
def list_(session: Session) -> None:
    """The webhooks, without their secrets."""
    answer = session.hub.get("/api/webhooks")
    if session.out.as_json:
        session.out.data(answer)
        return
    rows = [
        (one["id"], one["label"], one["url"], " ".join(one["events"]) or "all", _state(one))
        for one in answer["webhooks"]
    ]
    session.out.table(("ID", "LABEL", "URL", "EVENTS", "STATE"), rows)


@webhook.command()
@click.argument("webhook_id")
@hub_options
def remove(session: Session, webhook_id: str) -> None:
    """Tell it nothing more."""
    _report(session, session.hub.delete(f"/api/webhooks/{quoted(webhook_id)}"), webhook_id, "removed")


@webhook.command()
@click.argument("webhook_id")
@hub_options
def enable(session: Session, webhook_id: str) -> None:
    """Begin again after it was disabled for its failures."""
    _report(session, session.hub.post(f"/api/webhooks/{quoted(webhook_id)}/enable", {}), webhook_id, "enabled")


@webhook.command()
@click.argument("webhook_id")
@hub_options
def test(session: Session, webhook_id: str) -> int:
    """Send a test, and wait for what becomes of the first attempt."""
    path = f"/api/webhooks/{quoted(webhook_id)}"
    sent = session.hub.post(f"{path}/test", {})
    delivery = _wait_for_attempt(session, f"{path}/deliveries", sent["id"])
    if session.out.as_json:
        session.out.data(delivery)
    else:
        session.out.fields(webhook_id, _outcome(delivery))
    return ExitStatus.OK if delivery["state"] == "delivered" else ExitStatus.FAILED


@webhook.command()
@click.argument("webhook_id")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@hub_options
def log(session: Session, webhook_id: str, limit: int) -> None:
    """What was sent, newest first, and what became of it."""
    answer = session.hub.get(f"/api/webhooks/{quoted(webhook_id)}/deliveries", {"limit": limit})
    if session.out.as_json:
        session.out.data(answer)
        return
    rows = [
        (one["id"], one["kind"], one["message_id"], one["attempts"], age(one["created_at"]), _outcome(one))
        for one in answer["deliveries"]
    ]
    session.out.table(("ID", "EVENT", "MESSAGE", "ATTEMPTS", "AGE", "OUTCOME"), rows)


@webhook.command()
@click.argument("webhook_id")
@click.argument("delivery_id", type=int)
@hub_options
def redeliver(session: Session, webhook_id: str, delivery_id: int) -> None:
    """Send a delivery of the log once more, under the same message id."""
    answer = session.hub.post(f"/api/webhooks/{quoted(webhook_id)}/deliveries/{delivery_id}/redeliver", {})
    _report(session, answer, str(delivery_id), "waiting")


def _wait_for_attempt(session: Session, path: str, delivery_id: int) -> Json:
    deadline = time.monotonic() + TEST_LIMIT_S
    while True:
        answer = session.hub.get(path, {"limit": 500})
        found = next((one for one in answer["deliveries"] if one["id"] == delivery_id), None)
        if found is not None and found["attempts"] > 0:
            return found
        if time.monotonic() > deadline:
            hint = "The log of the hub says whether its notifier runs."
            raise Failure("nothing was sent yet", hint, ExitStatus.TIMED_OUT, "timeout")
        time.sleep(TEST_LOOK_S)


def _report(session: Session, answer: Json, name: str, word: str) -> None:
    if session.out.as_json:
        session.out.data(answer)
    else:
        session.out.fields(name, word)


def _state(one: Json) -> str:
    if one["disabled_at"] is not None:
        return f"disabled: {one['disabled_because']}"
    return f"failing ({one['failures']} in a row)" if one["failures"] else "ok"


def _outcome(delivery: Json) -> str:
    if delivery["state"] == "delivered":
        return f"delivered ({delivery['status']}, {delivery['duration_ms']} ms)"
    if delivery["error"] is None:
        return "waiting"
    return f"{delivery['state']}: {delivery['error']}"
