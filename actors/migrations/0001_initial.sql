CREATE TABLE task (
    id            TEXT PRIMARY KEY NOT NULL,
    seq           INTEGER NOT NULL UNIQUE,
    priority      INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 3),
    status        TEXT NOT NULL CHECK (status IN ('queued', 'assigned', 'completed', 'dead_letter', 'cancelled')),
    generation    INTEGER NOT NULL CHECK (generation >= 0),
    assigned_to   TEXT,
    assigned_at   INTEGER,
    accepted_at   INTEGER,
    retry_count   INTEGER NOT NULL CHECK (retry_count >= 0),
    max_retries   INTEGER NOT NULL CHECK (max_retries >= 0),
    reclaim_count INTEGER NOT NULL CHECK (reclaim_count >= 0),
    assign_to     TEXT,
    needs         TEXT NOT NULL,
    complete_by   INTEGER,
    not_before    INTEGER,
    last_error    TEXT,
    tokens_used   INTEGER NOT NULL,
    submitted_by  TEXT,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    completed_at  INTEGER,
    description   TEXT NOT NULL,
    metadata      TEXT NOT NULL,
    extras        TEXT NOT NULL,
    result        TEXT,
    CHECK ((status = 'assigned') <= (assigned_to IS NOT NULL))
) STRICT;

CREATE INDEX task_lane ON task (status, priority, seq);
CREATE INDEX task_recent ON task (status, updated_at);
CREATE INDEX task_owner ON task (assigned_to, priority, seq) WHERE assigned_to IS NOT NULL;

CREATE TABLE history (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id    TEXT NOT NULL,
    event      TEXT NOT NULL,
    generation INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    details    TEXT NOT NULL
) STRICT;

CREATE INDEX history_task ON history (task_id, seq);

CREATE TABLE counter (
    name  TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE minute (
    minute      INTEGER PRIMARY KEY,
    completed   INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    tokens_used INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency_key (
    submitted_by TEXT NOT NULL,
    key          TEXT NOT NULL,
    body_hash    BLOB NOT NULL,
    task_id      TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    priority     INTEGER NOT NULL,
    PRIMARY KEY (submitted_by, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_age ON idempotency_key (created_at);

CREATE TABLE identity (
    token_id      TEXT PRIMARY KEY NOT NULL,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('agent', 'submitter', 'operator', 'admin')),
    secret_sha256 BLOB NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX identity_name ON identity (name);

CREATE TABLE setting (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE agent (
    agent_id TEXT PRIMARY KEY NOT NULL,
    name     TEXT NOT NULL,
    presence TEXT NOT NULL CHECK (presence IN ('online', 'left', 'lost')),
    since    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolment (
    code_sha256 BLOB PRIMARY KEY NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
