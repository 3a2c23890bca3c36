"""Identities, settings, known agents and enrolment codes on SQLite; part of the queue's transactions."""

from __future__ import annotations

from typing import Any

from actors.sqlite_connection import SqliteConnection
from actors.sqlite_rows import check_text, from_json, to_json
from actors.vocabulary.fleet import AgentMode
from actors.vocabulary.tasks import AgentPresence, Identity, KnownAgent
from wire.roles import Role

_IDENTITIES = "SELECT token_id, name, role, secret_sha256, created_at FROM identity"


DAY_MS = 86_400_000

#: Comings and goings of one agent that are kept.
CONNECTIONS_KEPT = 100


def _identity(row: tuple[Any, ...]) -> Identity:
    token_id, name, role, secret_sha256, created_at = row
    return Identity(token_id, name, Role(role), secret_sha256, created_at)


class SqliteDirectory:
    """See ``actors.storage.DirectoryStorage``."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._run = connection.run

    def identities(self) -> tuple[Identity, ...]:
        return tuple(_identity(row) for row in self._run(f"{_IDENTITIES} ORDER BY name, created_at, token_id"))

    def identities_of(self, name: str) -> tuple[Identity, ...]:
        return tuple(
            _identity(row) for row in self._run(f"{_IDENTITIES} WHERE name = ? ORDER BY created_at, token_id", (name,))
        )

    def count_identities(self) -> int:
        count: int = self._run("SELECT count(*) FROM identity").fetchone()[0]
        return count

    def add_identity(self, identity: Identity) -> None:
        check_text(identity.token_id, identity.name)
        self._connection.begin()
        values = (identity.token_id, identity.name, identity.role.value, identity.secret_sha256, identity.created_at)
        self._run("INSERT INTO identity VALUES (?, ?, ?, ?, ?)", values)

    def remove_identities(self, name: str, keep_token_ids: tuple[str, ...] = ()) -> int:
        self._connection.begin()
        marks = ", ".join("?" * len(keep_token_ids))
        sql = f"DELETE FROM identity WHERE name = ? AND token_id NOT IN ({marks})"
        return self._run(sql, (name, *keep_token_ids)).rowcount

    def setting(self, key: str) -> Any:
        row = self._run("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return from_json(row[0]) if row is not None else None

    def write_setting(self, key: str, value: Any) -> None:
        encoded = to_json(value)
        self._connection.begin()
        sql = "INSERT INTO setting VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        self._run(sql, (key, encoded))

    def agents(self) -> tuple[KnownAgent, ...]:
        sql = "SELECT agent_id, name, presence, since FROM agent ORDER BY agent_id"
        modes = self.agent_modes()
        return tuple(
            KnownAgent(id_, name, AgentPresence(presence), since, modes.get(id_, AgentMode.ACTIVE))
            for id_, name, presence, since in self._run(sql)
        )

    def record_agent(self, agent: KnownAgent) -> None:
        check_text(agent.agent_id, agent.name)
        self._connection.begin()
        sql = (
            "INSERT INTO agent VALUES (?, ?, ?, ?) ON CONFLICT (agent_id) DO UPDATE SET"
            " name = excluded.name, presence = excluded.presence, since = excluded.since"
        )
        self._run(sql, (agent.agent_id, agent.name, agent.presence.value, agent.since))

    def add_enrolment(self, code_sha256: bytes, expires_at: int) -> None:
        self._connection.begin()
        self._run("INSERT OR REPLACE INTO enrolment VALUES (?, ?)", (code_sha256, expires_at))

    def has_enrolment(self, code_sha256: bytes, now: int) -> bool:
        sql = "SELECT 1 FROM enrolment WHERE code_sha256 = ? AND expires_at > ?"
        return self._run(sql, (code_sha256, now)).fetchone() is not None

    def spend_enrolment(self, code_sha256: bytes, now: int) -> bool:
        self._connection.begin()
        self._run("DELETE FROM enrolment WHERE expires_at <= ?", (now,))
        return self._run("DELETE FROM enrolment WHERE code_sha256 = ?", (code_sha256,)).rowcount == 1

    def presence_of(self, agent_id: str) -> AgentPresence | None:
        row = self._run("SELECT presence FROM agent WHERE agent_id = ?", (agent_id,)).fetchone()
        return AgentPresence(row[0]) if row is not None else None

    def record_connection(self, agent_id: str, at: int, presence: AgentPresence) -> None:
        self._connection.begin()
        self._run("INSERT OR REPLACE INTO agent_connection VALUES (?, ?, ?)", (agent_id, at, presence.value))
        # The last one before the day stays: it says how the day began.
        older = (
            "SELECT max(at) FROM agent_connection WHERE agent_id = ?1 AND at <= ?2",
            "SELECT at FROM agent_connection WHERE agent_id = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2",
        )
        for (query, bound), compare in zip(
            ((older[0], at - DAY_MS), (older[1], CONNECTIONS_KEPT)), ("<", "<="), strict=True
        ):
            sql = f"DELETE FROM agent_connection WHERE agent_id = ?1 AND at {compare} ({query})"
            self._run(sql, (agent_id, bound))

    def connections(self, agent_id: str) -> tuple[tuple[int, str], ...]:
        sql = "SELECT at, presence FROM agent_connection WHERE agent_id = ? ORDER BY at"
        return tuple(self._run(sql, (agent_id,)).fetchall())

    def agent_modes(self) -> dict[str, AgentMode]:
        return {id_: AgentMode(mode) for id_, mode in self._run("SELECT agent_id, mode FROM agent_mode")}

    def write_agent_mode(self, agent_id: str, mode: AgentMode) -> None:
        self._connection.begin()
        self._run("DELETE FROM agent_mode WHERE agent_id = ?", (agent_id,))
        if mode is not AgentMode.ACTIVE:
            self._run("INSERT INTO agent_mode VALUES (?, ?)", (agent_id, mode.value))

    def is_agent(self, agent_id: str) -> bool:
        sql = (
            "SELECT EXISTS (SELECT 1 FROM agent WHERE agent_id = ?)"
            " OR EXISTS (SELECT 1 FROM identity WHERE name = ? AND role = 'agent')"
        )
        return bool(self._run(sql, (agent_id, agent_id)).fetchone()[0])

    def forget_agent(self, agent_id: str) -> bool:
        self._connection.begin()
        self._run("DELETE FROM agent_mode WHERE agent_id = ?", (agent_id,))
        self._run("DELETE FROM agent_connection WHERE agent_id = ?", (agent_id,))
        return self._run("DELETE FROM agent WHERE agent_id = ?", (agent_id,)).rowcount == 1
