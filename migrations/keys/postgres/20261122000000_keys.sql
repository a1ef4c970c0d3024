-- The key store: wrapped keys only, apart from the catalogue and with a short backup retention of its own.

CREATE TABLE data_keys (
    id                  UUID NOT NULL,
    wrapped_by          UUID NOT NULL,
    wrapped             BYTEA NOT NULL,
    purpose             TEXT NOT NULL,
    made_at             TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id, wrapped_by)
);
CREATE INDEX data_keys_by_purpose ON data_keys (purpose);
