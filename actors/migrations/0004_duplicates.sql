-- Which task was made after which: shown on both. Only duplicates have a row.

CREATE TABLE duplicate (
    key      INTEGER PRIMARY KEY,
    original INTEGER NOT NULL
) STRICT;

CREATE INDEX duplicate_original ON duplicate (original, key);
