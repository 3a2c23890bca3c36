-- When each agent came and went: the last day of it, at most a hundred rows for each.
CREATE TABLE agent_connection (
    agent_id TEXT NOT NULL,
    at       INTEGER NOT NULL,
    presence TEXT NOT NULL CHECK (presence IN ('online', 'left', 'lost')),
    PRIMARY KEY (agent_id, at)
) STRICT, WITHOUT ROWID;
