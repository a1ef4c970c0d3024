-- Leave to bring one file straight to the object store. Settled tickets are forgotten after some days: what came of
-- them stands in the upload.
CREATE TABLE upload_tickets (
    id                  BLOB NOT NULL PRIMARY KEY,
    account_id          BLOB NOT NULL REFERENCES accounts (id),
    state               TEXT NOT NULL,
    outlet_code         TEXT,
    slip_number_given   TEXT,
    slot_given          TEXT,
    size_bytes          INTEGER NOT NULL,
    sha256              BLOB NOT NULL,
    issued_at           TEXT NOT NULL,
    upload_by           TEXT NOT NULL,
    expires_at          TEXT NOT NULL,
    settled_at          TEXT,
    upload_id           BLOB
) STRICT;
CREATE INDEX upload_tickets_by_state ON upload_tickets (state, expires_at);
