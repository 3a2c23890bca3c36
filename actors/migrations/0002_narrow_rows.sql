-- What changes with every transition is a narrow row; texts are written once, beside it. The key of a task is the number in its
-- id, so an id needs no index; an id of the first schema is 16 random digits, which are a number as well.

CREATE TABLE task_row (
    key           INTEGER PRIMARY KEY,
    seq           INTEGER NOT NULL,
    priority      INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 3),
    status        TEXT NOT NULL CHECK (status IN ('queued', 'assigned', 'completed', 'dead_letter', 'cancelled')),
    is_final      INTEGER NOT NULL CHECK (is_final = (status IN ('completed', 'dead_letter', 'cancelled'))),
    generation    INTEGER NOT NULL CHECK (generation >= 0),
    assigned_to   TEXT,
    assigned_at   INTEGER,
    accepted_at   INTEGER,
    accepted_on   TEXT,
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
    CHECK ((status = 'assigned') <= (assigned_to IS NOT NULL))
) STRICT;

CREATE TABLE content (
    key         INTEGER PRIMARY KEY,
    description TEXT NOT NULL,
    metadata    TEXT NOT NULL,
    extras      TEXT NOT NULL
) STRICT;

CREATE TABLE result (
    key   INTEGER PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TEMP TABLE key_of (id TEXT PRIMARY KEY, key INTEGER NOT NULL) WITHOUT ROWID;

INSERT INTO key_of
WITH RECURSIVE digits (id, at, key) AS (
    SELECT id, 6, 0 FROM task
    UNION ALL
    SELECT id, at + 1, (key << 4) | (instr('0123456789abcdef', substr(id, at, 1)) - 1) FROM digits WHERE at <= length(id)
)
SELECT id, key FROM digits WHERE at = length(id) + 1;

INSERT INTO task_row
SELECT k.key, seq, priority, status, status IN ('completed', 'dead_letter', 'cancelled'), generation, assigned_to, assigned_at,
       accepted_at, NULL, retry_count, max_retries, reclaim_count, assign_to, needs, complete_by, not_before, last_error, tokens_used,
       submitted_by, created_at, updated_at, completed_at
FROM task JOIN key_of k USING (id);

INSERT INTO content SELECT k.key, description, metadata, extras FROM task JOIN key_of k USING (id);
INSERT INTO result SELECT k.key, result FROM task JOIN key_of k USING (id) WHERE result IS NOT NULL;

CREATE TABLE history_row (
    key        INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    event      TEXT NOT NULL,
    generation INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    details    TEXT NOT NULL,
    PRIMARY KEY (key, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO history_row
SELECT k.key, h.seq, h.event, h.generation, h.at, h.details FROM history h JOIN key_of k ON k.id = h.task_id;

CREATE TABLE idempotency_row (
    submitted_by TEXT NOT NULL,
    key          TEXT NOT NULL,
    body_hash    BLOB NOT NULL,
    task         INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    priority     INTEGER NOT NULL,
    PRIMARY KEY (submitted_by, key)
) STRICT, WITHOUT ROWID;

INSERT INTO idempotency_row
SELECT i.submitted_by, i.key, i.body_hash, k.key, i.created_at, i.priority FROM idempotency_key i JOIN key_of k ON k.id = i.task_id;

INSERT INTO counter SELECT 'history', COALESCE(MAX(seq), 0) FROM history;

DROP TABLE idempotency_key;
DROP TABLE history;
DROP TABLE task;
DROP TABLE key_of;
ALTER TABLE task_row RENAME TO task;
ALTER TABLE history_row RENAME TO history;
ALTER TABLE idempotency_row RENAME TO idempotency_key;

CREATE INDEX idempotency_age ON idempotency_key (created_at);
CREATE INDEX task_open ON task (priority, seq) WHERE is_final = 0;
CREATE INDEX task_final ON task (status, updated_at) WHERE is_final = 1;
CREATE INDEX task_final_lane ON task (priority, seq) WHERE is_final = 1;
