-- Dead letters by cause, counted in the transaction in which they die, so that nobody ever scans for them; and bulk operations, which
-- outlive a restart. None of these tables is touched by a task that is submitted, done, and fine.

CREATE TABLE dead_group (
    id        TEXT PRIMARY KEY NOT NULL,
    reason    TEXT NOT NULL,
    shape     TEXT NOT NULL,
    alive     INTEGER NOT NULL,
    discarded INTEGER NOT NULL,
    urgent    INTEGER NOT NULL,
    high      INTEGER NOT NULL,
    normal    INTEGER NOT NULL,
    low       INTEGER NOT NULL,
    first_at  INTEGER NOT NULL,
    last_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX dead_group_size ON dead_group (alive, id);
CREATE INDEX dead_group_recent ON dead_group (last_at, id);

CREATE TABLE dead_member (
    key          INTEGER PRIMARY KEY,
    dead_group   TEXT NOT NULL,
    died_at      INTEGER NOT NULL,
    discarded_at INTEGER
) STRICT;

CREATE INDEX dead_member_group ON dead_member (dead_group, key);
CREATE INDEX dead_member_discarded ON dead_member (discarded_at) WHERE discarded_at IS NOT NULL;

CREATE TABLE dead_hour (
    dead_group TEXT NOT NULL,
    hour       INTEGER NOT NULL,
    died       INTEGER NOT NULL,
    PRIMARY KEY (dead_group, hour)
) STRICT, WITHOUT ROWID;

INSERT INTO dead_member
SELECT key, fingerprint(CASE WHEN last_error = 'deadline passed' THEN 'deadline' WHEN retry_count >= max_retries THEN 'failed' ELSE 'unfinished' END, error_shape(last_error)),
       updated_at, NULL
FROM task WHERE is_final = 1 AND status = 'dead_letter';

INSERT INTO dead_group
SELECT m.dead_group,
       CASE WHEN t.last_error = 'deadline passed' THEN 'deadline' WHEN t.retry_count >= t.max_retries THEN 'failed' ELSE 'unfinished' END,
       error_shape(t.last_error), count(*), 0, sum(t.priority = 0), sum(t.priority = 1), sum(t.priority = 2), sum(t.priority = 3),
       min(m.died_at), max(m.died_at)
FROM dead_member m JOIN task t USING (key) GROUP BY m.dead_group;

CREATE TABLE operation (
    id         TEXT PRIMARY KEY NOT NULL,
    action     TEXT NOT NULL,
    lane       INTEGER,
    query      TEXT,
    dead_group TEXT,
    made_by    TEXT,
    as_of      INTEGER NOT NULL,
    over_ms    INTEGER NOT NULL,
    probe      INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('running', 'probing', 'finished', 'cancelled', 'probe_failed')),
    total      INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    done       INTEGER NOT NULL,
    skipped    INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    note       TEXT NOT NULL,
    made_at    INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX operation_recent ON operation (made_at);
CREATE INDEX operation_group ON operation (dead_group, made_at) WHERE dead_group IS NOT NULL;

CREATE TABLE operation_plan (
    operation TEXT NOT NULL,
    chunk     INTEGER NOT NULL,
    items     BLOB NOT NULL,
    PRIMARY KEY (operation, chunk)
) STRICT;

CREATE TABLE operation_item (
    operation TEXT NOT NULL,
    key       INTEGER NOT NULL,
    outcome   TEXT NOT NULL CHECK (outcome IN ('done', 'skipped', 'failed')),
    detail    TEXT NOT NULL,
    PRIMARY KEY (operation, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX operation_problem ON operation_item (operation, key) WHERE outcome <> 'done';
