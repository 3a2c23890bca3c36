"""Webhooks, subscriptions, notices and their deliveries on SQLite; part of the queue's transactions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from actors.sqlite_connection import SqliteConnection
from actors.sqlite_rows import check_text, from_json, to_json
from actors.vocabulary.notices import Delivery, DeliveryState, Notice, PushSubscription, Webhook
from actors.vocabulary.tasks import AgentPresence, KnownAgent

_WEBHOOK = "SELECT id, url, secret, events, created_at, created_by, failures, disabled_at, disabled_because, label FROM webhook"
_SUBSCRIPTION = "SELECT id, endpoint, p256dh, auth, created_at, label FROM push_subscription"
_DELIVERY = (
    "SELECT id, notice_id, kind, target, state, attempts, created_at, due_at, tried_at, status, error, duration_ms"
    " FROM delivery"
)


def _webhook(row: tuple[Any, ...]) -> Webhook:
    id_, url, secret, events, *others = row
    return Webhook(id_, url, secret, tuple(from_json(events)), *others)


def _delivery(row: tuple[Any, ...]) -> Delivery:
    delivery = Delivery(*row)
    return replace(delivery, state=DeliveryState(delivery.state))


class SqliteNotices:
    """See ``actors.storage.NoticeStorage``."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._run = connection.run

    def _write(self, sql: str, values: tuple[object, ...] = ()) -> int:
        self._connection.begin()
        return self._run(sql, values).rowcount

    # --- targets --------------------------------------------------------------------------------------------------

    def webhooks(self) -> tuple[Webhook, ...]:
        return tuple(_webhook(row) for row in self._run(f"{_WEBHOOK} ORDER BY created_at DESC, id"))

    def save_webhook(self, webhook: Webhook) -> None:
        check_text(webhook.url, webhook.secret, webhook.created_by, webhook.label)
        values = (
            *(webhook.id, webhook.url, webhook.secret, to_json(webhook.events), webhook.created_at, webhook.created_by),
            *(webhook.failures, webhook.disabled_at, webhook.disabled_because, webhook.label),
        )
        self._write("INSERT OR REPLACE INTO webhook VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def remove_webhook(self, id_: str) -> bool:
        return self._write("DELETE FROM webhook WHERE id = ?", (id_,)) > 0

    def subscriptions(self) -> tuple[PushSubscription, ...]:
        return tuple(PushSubscription(*row) for row in self._run(f"{_SUBSCRIPTION} ORDER BY created_at DESC, id"))

    def save_subscription(self, one: PushSubscription) -> None:
        check_text(one.endpoint, one.p256dh, one.auth, one.label)
        values = (one.id, one.endpoint, one.p256dh, one.auth, one.created_at, one.label)
        self._write("INSERT OR REPLACE INTO push_subscription VALUES (?, ?, ?, ?, ?, ?)", values)

    def remove_subscription(self, id_: str) -> bool:
        return self._write("DELETE FROM push_subscription WHERE id = ?", (id_,)) > 0

    # --- notices and deliveries -------------------------------------------------------------------------------------

    def add_notice(self, notice: Notice, now: int) -> bool:
        """False: it is there already."""
        check_text(notice.id, notice.kind, notice.body)
        values = (notice.id, notice.kind, now, notice.body)
        return self._write("INSERT OR IGNORE INTO notice VALUES (?, ?, ?, ?)", values) > 0

    def notice_body(self, notice_id: str) -> str | None:
        row = self._run("SELECT body FROM notice WHERE id = ?", (notice_id,)).fetchone()
        return row[0] if row is not None else None

    def add_delivery(self, notice_id: str, kind: str, target: str, now: int) -> Delivery:
        self._connection.begin()
        sql = (
            "INSERT INTO delivery (notice_id, kind, target, state, attempts, created_at, due_at)"
            " VALUES (?, ?, ?, 'waiting', 0, ?, ?)"
        )
        id_ = self._run(sql, (notice_id, kind, target, now, now)).lastrowid
        return Delivery(int(id_ or 0), notice_id, kind, target, DeliveryState.WAITING, 0, now, now)

    def delivery(self, id_: int) -> Delivery | None:
        row = self._run(f"{_DELIVERY} WHERE id = ?", (id_,)).fetchone()
        return _delivery(row) if row is not None else None

    def save_delivery(self, one: Delivery) -> None:
        check_text(one.error)
        sql = (
            "UPDATE delivery SET state = ?, attempts = ?, due_at = ?, tried_at = ?, status = ?, error = ?, duration_ms = ?"
            " WHERE id = ?"
        )
        values = (one.state.value, one.attempts, one.due_at, one.tried_at, one.status, one.error, one.duration_ms)
        self._write(sql, (*values, one.id))

    def deliveries(self, target: str, limit: int) -> tuple[Delivery, ...]:
        sql = f"{_DELIVERY} WHERE target = ? ORDER BY id DESC LIMIT ?"
        return tuple(_delivery(row) for row in self._run(sql, (target, limit)))

    def due(self, now: int, limit: int, per_target: int) -> tuple[Delivery, ...]:
        sql = (
            "SELECT id, notice_id, kind, target, state, attempts, created_at, due_at, tried_at, status, error, duration_ms"
            " FROM (SELECT *, row_number() OVER (PARTITION BY target ORDER BY due_at, id) AS place FROM delivery"
            " WHERE state = 'waiting' AND due_at <= ?) WHERE place <= ? ORDER BY due_at, id LIMIT ?"
        )
        return tuple(_delivery(row) for row in self._run(sql, (now, per_target, limit)))

    def oldest_waiting(self, limit: int) -> tuple[Delivery, ...]:
        return tuple(
            _delivery(row) for row in self._run(f"{_DELIVERY} WHERE state = 'waiting' ORDER BY id LIMIT ?", (limit,))
        )

    def hold(self, target: str, until: int) -> None:
        sql = "UPDATE delivery SET due_at = max(due_at, ?) WHERE target = ? AND state = 'waiting'"
        self._write(sql, (until, target))

    def give_up_waiting(self, target: str, because: str) -> None:
        sql = "UPDATE delivery SET state = 'failed', error = ? WHERE target = ? AND state = 'waiting'"
        self._write(sql, (because, target))

    def count_waiting(self) -> int:
        count: int = self._run("SELECT count(*) FROM delivery WHERE state = 'waiting'").fetchone()[0]
        return count

    def trim(self, keep: int) -> None:
        """Forget the oldest deliveries that are over, and notices that nobody waits for and no log names."""
        sql = (
            "DELETE FROM delivery WHERE state <> 'waiting' AND id <="
            " (SELECT id FROM delivery ORDER BY id DESC LIMIT 1 OFFSET ?)"
        )
        self._write(sql, (keep,))
        self._write("DELETE FROM notice WHERE id NOT IN (SELECT notice_id FROM delivery)")

    # --- what is remembered -------------------------------------------------------------------------------------------

    def memory(self, key: str) -> Any:
        row = self._run("SELECT value FROM notifier_memory WHERE key = ?", (key,)).fetchone()
        return from_json(row[0]) if row is not None else None

    def remember(self, key: str, value: Any) -> None:
        encoded = to_json(value)
        self._write("INSERT OR REPLACE INTO notifier_memory VALUES (?, ?)", (key, encoded))

    def lost_agents(self, before: int, limit: int) -> tuple[KnownAgent, ...]:
        sql = (
            "SELECT agent_id, name, presence, since FROM agent WHERE presence = ? AND since <= ?"
            " AND agent_id NOT IN (SELECT agent_id FROM agent_mode)"  # nobody waits for one that was to do nothing
            " ORDER BY since DESC, agent_id LIMIT ?"
        )
        rows = self._run(sql, (AgentPresence.LOST.value, before, limit))
        return tuple(KnownAgent(id_, name, AgentPresence(presence), since) for id_, name, presence, since in rows)
