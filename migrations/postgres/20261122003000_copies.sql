-- Copies that were begun into this archive. While one has not ended nothing is served from it.

CREATE TABLE copies (
    source              TEXT NOT NULL PRIMARY KEY,
    kind                TEXT NOT NULL,
    started_at          TIMESTAMPTZ NOT NULL,
    finished_at         TIMESTAMPTZ
);
