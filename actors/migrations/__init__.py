"""Numbered, forward-only migrations: ``NNNN_name.sql`` in this folder, each applied in one transaction with its number.

A kill anywhere leaves the old schema or the new one, complete. A database of a newer program is refused.
"""

from __future__ import annotations

import sqlite3
from importlib import resources

from actors.fingerprint import fingerprint, shape_of
from actors.storage import StorageRefused

#: "AgC1": says that a file is one of ours (``PRAGMA application_id``).
APPLICATION_ID = 0x41674331


def available() -> list[tuple[int, str, str]]:
    """(number, file name, SQL), in order and without a gap."""
    found = []
    for entry in resources.files(__package__).iterdir():
        if entry.name.endswith(".sql"):
            found.append((int(entry.name.split("_")[0]), entry.name, entry.read_text(encoding="utf-8")))
    found.sort()
    assert [number for number, _, _ in found] == list(range(1, len(found) + 1)), (
        "migrations must be numbered 1, 2, 3 ..."
    )
    return found


def check(connection: sqlite3.Connection) -> int:
    """The number of the database's schema, 0 for a new one. Raises ``StorageRefused`` when it is not ours to touch."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application_id = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if application_id not in (0, APPLICATION_ID) or (version > 0 and application_id == 0):
        raise StorageRefused("the database belongs to another program")
    newest = len(available())
    if version > newest:
        raise StorageRefused(
            f"the database has schema {version}, this program knows {newest}: it was written by a newer agentcom"
        )
    return version


def migrate(connection: sqlite3.Connection) -> int:
    """Bring the database to the newest schema; its number. Raises ``StorageRefused`` and changes nothing then."""
    version = check(connection)
    migrations = available()
    connection.create_function("error_shape", 1, shape_of, deterministic=True)
    connection.create_function("fingerprint", 2, fingerprint, deterministic=True)
    for number, _, sql in migrations[version:]:
        _apply(connection, number, sql)
    return len(migrations)


def _apply(connection: sqlite3.Connection, number: int, sql: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in sql.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
