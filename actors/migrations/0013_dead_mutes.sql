-- Groups of dead letters that somebody looks after for a while. until is Unix ms; with alive_limit members it is over before.
CREATE TABLE dead_mute (
    dead_group  TEXT PRIMARY KEY NOT NULL,
    muted_by    TEXT NOT NULL,
    at          INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    note        TEXT,
    alive_limit INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
