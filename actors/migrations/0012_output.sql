-- The end of what an attempt printed: a bounded number of bytes of each, and of all. Only attempts that printed have a row.
CREATE TABLE output (
    key        INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    agent_id   TEXT NOT NULL,
    saved_at   INTEGER NOT NULL,
    parts      BLOB NOT NULL,
    PRIMARY KEY (key, generation)
) STRICT;

CREATE INDEX output_saved ON output (saved_at);
