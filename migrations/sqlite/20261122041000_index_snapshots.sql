-- Copies of the search index in the object store, from which a new node starts. One at a time is being made; it stands
-- here from its begin, so that a destruction meanwhile removes it too.
CREATE TABLE index_snapshots (
    id                  BLOB NOT NULL PRIMARY KEY,
    state               TEXT NOT NULL,
    reached             INTEGER NOT NULL,
    format              TEXT NOT NULL,
    key_id              BLOB NOT NULL,
    size_bytes          INTEGER NOT NULL,
    lease_until         TEXT,
    made_at             TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX index_snapshots_making ON index_snapshots (state) WHERE state = 'making';
