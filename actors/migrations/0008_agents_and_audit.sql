-- What an operator wants of an agent, where it is not simply to work.
CREATE TABLE agent_mode (
    agent_id TEXT PRIMARY KEY NOT NULL,
    mode     TEXT NOT NULL CHECK (mode IN ('paused', 'draining'))
) STRICT, WITHOUT ROWID;

-- Every write by a person or an operator's route, oldest first.
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    role    TEXT NOT NULL,
    way     TEXT NOT NULL,
    action  TEXT NOT NULL,
    target  TEXT,
    outcome TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;
