-- The key store: wrapped keys only, apart from the catalogue and with a short backup retention of its own.

CREATE TABLE data_keys (
    id                  BLOB NOT NULL,
    wrapped_by          BLOB NOT NULL,
    wrapped             BLOB NOT NULL,
    purpose             TEXT NOT NULL,
    made_at             TEXT NOT NULL,
    PRIMARY KEY (id, wrapped_by)
) STRICT;
CREATE INDEX data_keys_by_purpose ON data_keys (purpose);
