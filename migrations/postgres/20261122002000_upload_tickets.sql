-- Leave to bring one file straight to the object store. Settled tickets are forgotten after some days: what came of
-- them stands in the upload.
CREATE TABLE upload_tickets (
    id                  UUID NOT NULL PRIMARY KEY,
    account_id          UUID NOT NULL REFERENCES accounts (id),
    state               TEXT NOT NULL,
    outlet_code         TEXT,
    slip_number_given   TEXT,
    slot_given          TEXT,
    size_bytes          BIGINT NOT NULL,
    sha256              BYTEA NOT NULL,
    issued_at           TIMESTAMPTZ NOT NULL,
    upload_by           TIMESTAMPTZ NOT NULL,
    expires_at          TIMESTAMPTZ NOT NULL,
    settled_at          TIMESTAMPTZ,
    upload_id           UUID
);
CREATE INDEX upload_tickets_by_state ON upload_tickets (state, expires_at);
