-- How busy each agent was, by hour (Unix ms of its beginning): seven days of it. Milliseconds of slots at work, and of slots that were there.
CREATE TABLE agent_hour (
    start    INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    busy     INTEGER NOT NULL,
    there    INTEGER NOT NULL,
    PRIMARY KEY (start, agent_id)
) STRICT, WITHOUT ROWID;
