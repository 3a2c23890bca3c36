-- Who is told of what happens, and what became of it (actors/vocabulary/notices.py). Nothing here is touched by the work on tasks.

CREATE TABLE webhook (
    id               TEXT PRIMARY KEY NOT NULL,
    url              TEXT NOT NULL,
    secret           TEXT NOT NULL,
    events           TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    created_by       TEXT,
    failures         INTEGER NOT NULL,
    disabled_at      INTEGER,
    disabled_because TEXT,
    label            TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE push_subscription (
    id         TEXT PRIMARY KEY NOT NULL,
    endpoint   TEXT NOT NULL UNIQUE,
    p256dh     TEXT NOT NULL,
    auth       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    label      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE notice (
    id         TEXT PRIMARY KEY NOT NULL,
    kind       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    notice_id   TEXT NOT NULL,
    kind        TEXT NOT NULL,
    target      TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    tried_at    INTEGER,
    status      INTEGER,
    error       TEXT,
    duration_ms INTEGER
) STRICT;

CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 'waiting';
CREATE INDEX delivery_target ON delivery (target, id);
CREATE INDEX delivery_notice ON delivery (notice_id);

CREATE TABLE notifier_memory (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
