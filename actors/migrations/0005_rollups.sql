-- What the trends are drawn from: buckets of 10 seconds, a minute and an hour, packed by wire/rollups.py, and when a hub was started.

CREATE TABLE rollup (
    size   INTEGER NOT NULL CHECK (size > 0),
    start  INTEGER NOT NULL,
    packed BLOB NOT NULL,
    PRIMARY KEY (size, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE hub_start (
    at      INTEGER PRIMARY KEY,
    boot_id TEXT NOT NULL
) STRICT;
