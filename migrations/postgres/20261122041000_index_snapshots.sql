-- Copies of the search index in the object store, from which a new node starts. One at a time is being made; it stands
-- here from its begin, so that a destruction meanwhile removes it too.
CREATE TABLE index_snapshots (
    id                  UUID NOT NULL PRIMARY KEY,
    state               TEXT NOT NULL,
    reached             BIGINT NOT NULL,
    format              TEXT NOT NULL,
    key_id              UUID NOT NULL,
    size_bytes          BIGINT NOT NULL,
    lease_until         TIMESTAMPTZ,
    made_at             TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX index_snapshots_making ON index_snapshots (state) WHERE state = 'making';
