-- The catalogue of the archive. Personal columns are ciphertext (names ending in _sealed); what can be searched
-- stands there as keyed hashes. Instants are UTC. Counters hand out gapless numbers inside the transaction.

CREATE TABLE branches (
    code                TEXT NOT NULL PRIMARY KEY,
    name                TEXT NOT NULL
) STRICT;

CREATE TABLE outlets (
    code                TEXT NOT NULL PRIMARY KEY,
    name                TEXT NOT NULL,
    branch_code         TEXT NOT NULL REFERENCES branches (code),
    channel             TEXT NOT NULL
) STRICT;

CREATE TABLE accounts (
    id                  BLOB NOT NULL PRIMARY KEY,
    staff_number        TEXT NOT NULL UNIQUE,
    role                TEXT NOT NULL,
    outlet_code         TEXT,
    branch_code         TEXT,
    created_at          TEXT NOT NULL,
    disabled_at         TEXT
) STRICT;

CREATE TABLE api_tokens (
    id                  BLOB NOT NULL PRIMARY KEY,
    account_id          BLOB NOT NULL REFERENCES accounts (id),
    token_hash          BLOB NOT NULL UNIQUE,
    created_at          TEXT NOT NULL,
    expires_at          TEXT,
    revoked_at          TEXT
) STRICT;

CREATE TABLE counters (
    name                TEXT NOT NULL PRIMARY KEY,
    value               INTEGER NOT NULL
) STRICT;

INSERT INTO counters (name, value) VALUES ('change', 0), ('operation_log', 0);

CREATE TABLE case_files (
    id                  BLOB NOT NULL PRIMARY KEY,
    slip_number         TEXT NOT NULL UNIQUE,
    outlet_code         TEXT,
    branch_code         TEXT,
    channel             TEXT,
    accepted_on         TEXT,
    series              TEXT NOT NULL,
    state               TEXT NOT NULL,
    archival_code       TEXT UNIQUE,
    archived_at         TEXT,
    returned_on         TEXT,
    papers_received_on  TEXT,
    assigned_to         BLOB,
    key_id              BLOB NOT NULL,
    entered_data_id     BLOB,
    verdict_id          BLOB,
    change_sequence     INTEGER NOT NULL,
    created_at          TEXT NOT NULL,
    updated_at          TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX case_files_by_change ON case_files (change_sequence);
CREATE INDEX case_files_by_outlet_day ON case_files (outlet_code, accepted_on);
CREATE INDEX case_files_by_state ON case_files (state, accepted_on);

-- Every change of state, for ever: the proof that only legal ones happened.
CREATE TABLE case_state_changes (
    case_file_id        BLOB NOT NULL REFERENCES case_files (id),
    number              INTEGER NOT NULL,
    from_state          TEXT,
    to_state            TEXT NOT NULL,
    reason              TEXT NOT NULL,
    changed_at          TEXT NOT NULL,
    PRIMARY KEY (case_file_id, number)
) STRICT;

-- Keyed hashes of whole values, by which a scan finds its case file and a customer all of theirs.
CREATE TABLE case_file_tokens (
    kind                TEXT NOT NULL,
    token               BLOB NOT NULL,
    case_file_id        BLOB NOT NULL REFERENCES case_files (id),
    PRIMARY KEY (kind, token, case_file_id)
) STRICT;
CREATE INDEX case_file_tokens_by_case_file ON case_file_tokens (case_file_id);

CREATE TABLE entered_data (
    id                  BLOB NOT NULL PRIMARY KEY,
    case_file_id        BLOB NOT NULL REFERENCES case_files (id),
    version             INTEGER NOT NULL,
    digest              BLOB NOT NULL,
    entered_sealed      BLOB NOT NULL,
    source              TEXT NOT NULL,
    received_by         BLOB,
    received_at         TEXT NOT NULL,
    UNIQUE (case_file_id, version)
) STRICT;

CREATE TABLE uploads (
    id                  BLOB NOT NULL PRIMARY KEY,
    account_id          BLOB NOT NULL REFERENCES accounts (id),
    idempotency_key     TEXT,
    outlet_code         TEXT,
    received_at         TEXT NOT NULL,
    UNIQUE (account_id, idempotency_key)
) STRICT;

CREATE TABLE scans (
    id                  BLOB NOT NULL PRIMARY KEY,
    upload_id           BLOB NOT NULL REFERENCES uploads (id),
    case_file_id        BLOB REFERENCES case_files (id),
    same_as             BLOB REFERENCES scans (id),
    state               TEXT NOT NULL,
    problem             TEXT,
    outlet_code         TEXT,
    slip_number_given   TEXT,
    slot_given          TEXT,
    media_type          TEXT NOT NULL,
    size_bytes          INTEGER NOT NULL,
    sha256              BLOB NOT NULL,
    key_id              BLOB NOT NULL,
    name_sealed         BLOB,
    placed_by           TEXT,
    placed_at           TEXT,
    received_by         BLOB NOT NULL,
    received_at         TEXT NOT NULL
) STRICT;
CREATE INDEX scans_by_case_file ON scans (case_file_id);
CREATE INDEX scans_by_upload ON scans (upload_id);
CREATE INDEX scans_by_sha256 ON scans (sha256);
CREATE INDEX scans_by_state ON scans (state, received_at);

-- What one file of an upload became: a new scan, or the link to one that was there.
CREATE TABLE upload_items (
    upload_id           BLOB NOT NULL REFERENCES uploads (id),
    item_number         INTEGER NOT NULL,
    scan_id             BLOB,
    outcome             TEXT NOT NULL,
    PRIMARY KEY (upload_id, item_number)
) STRICT;

CREATE TABLE pages (
    id                  BLOB NOT NULL PRIMARY KEY,
    scan_id             BLOB NOT NULL REFERENCES scans (id),
    page_index          INTEGER NOT NULL,
    width               INTEGER NOT NULL,
    height              INTEGER NOT NULL,
    problem             TEXT,
    facts_sealed        BLOB,
    fingerprint_sealed  BLOB,
    UNIQUE (scan_id, page_index)
) STRICT;

CREATE TABLE page_bands (
    band                INTEGER NOT NULL,
    value               INTEGER NOT NULL,
    page_id             BLOB NOT NULL REFERENCES pages (id),
    PRIMARY KEY (band, value, page_id)
) STRICT;
CREATE INDEX page_bands_by_page ON page_bands (page_id);

CREATE TABLE readings (
    id                  BLOB NOT NULL PRIMARY KEY,
    page_id             BLOB NOT NULL REFERENCES pages (id),
    scan_id             BLOB NOT NULL REFERENCES scans (id),
    engine              TEXT NOT NULL,
    engine_version      TEXT NOT NULL,
    corrected_by        BLOB,
    reading_sealed      BLOB NOT NULL,
    cpu_ms              INTEGER NOT NULL,
    made_at             TEXT NOT NULL
) STRICT;
CREATE INDEX readings_by_scan ON readings (scan_id, made_at);

CREATE TABLE verdicts (
    id                  BLOB NOT NULL PRIMARY KEY,
    case_file_id        BLOB NOT NULL REFERENCES case_files (id),
    case_digest         BLOB NOT NULL,
    outcome             TEXT NOT NULL,
    given_at            TEXT NOT NULL,
    fallen_at           TEXT
) STRICT;
CREATE INDEX verdicts_by_case_file ON verdicts (case_file_id, given_at);

-- Which paper fills which slot, as the verdict saw it.
CREATE TABLE slot_fillings (
    verdict_id          BLOB NOT NULL REFERENCES verdicts (id),
    slot                TEXT NOT NULL,
    reading_id          BLOB NOT NULL REFERENCES readings (id),
    paper_index         INTEGER NOT NULL,
    page_id             BLOB NOT NULL REFERENCES pages (id),
    region              TEXT NOT NULL,
    PRIMARY KEY (verdict_id, slot, reading_id, paper_index)
) STRICT;

CREATE TABLE findings (
    id                  BLOB NOT NULL PRIMARY KEY,
    case_file_id        BLOB NOT NULL REFERENCES case_files (id),
    verdict_id          BLOB NOT NULL REFERENCES verdicts (id),
    code                TEXT NOT NULL,
    subject             TEXT NOT NULL,
    state               TEXT NOT NULL,
    confidence          REAL,
    evidence_sealed     BLOB NOT NULL,
    raised_at           TEXT NOT NULL,
    settled_by          BLOB,
    settled_at          TEXT,
    settled_reason      TEXT
) STRICT;
CREATE INDEX findings_by_case_file ON findings (case_file_id, raised_at);
CREATE INDEX findings_by_state ON findings (state, code, raised_at);

CREATE TABLE jobs (
    id                  BLOB NOT NULL PRIMARY KEY,
    name                TEXT NOT NULL,
    subject             BLOB NOT NULL,
    state               TEXT NOT NULL,
    attempts            INTEGER NOT NULL,
    due_at              TEXT NOT NULL,
    lease_owner         BLOB,
    lease_until         TEXT,
    reason              TEXT,
    created_at          TEXT NOT NULL,
    finished_at         TEXT
) STRICT;
-- One row waits for each piece of work; while it runs, a change to its subject may queue one more.
CREATE UNIQUE INDEX jobs_waiting ON jobs (name, subject) WHERE state IN ('waiting', 'retrying');
CREATE INDEX jobs_due ON jobs (due_at) WHERE state IN ('waiting', 'retrying', 'running');
CREATE INDEX jobs_by_subject ON jobs (subject, state);
CREATE INDEX jobs_by_state ON jobs (state, finished_at);

CREATE TABLE archival_numbers (
    prefix              TEXT NOT NULL PRIMARY KEY,
    last_number         INTEGER NOT NULL
) STRICT;

-- No update and no delete, ever.
CREATE TABLE operation_log (
    sequence            INTEGER NOT NULL PRIMARY KEY,
    at                  TEXT NOT NULL,
    account_id          BLOB,
    role                TEXT NOT NULL,
    outlet_code         TEXT,
    origin              TEXT NOT NULL,
    action              TEXT NOT NULL,
    subject_kind        TEXT NOT NULL,
    subject_id          TEXT NOT NULL,
    reason              TEXT,
    result              TEXT NOT NULL,
    leaf_hash           BLOB NOT NULL
) STRICT;

CREATE TABLE log_heads (
    tree_size           INTEGER NOT NULL PRIMARY KEY,
    root_hash           BLOB NOT NULL,
    frontier            BLOB NOT NULL,
    signature           BLOB NOT NULL,
    signed_at           TEXT NOT NULL
) STRICT;

CREATE TABLE legal_holds (
    id                  BLOB NOT NULL PRIMARY KEY,
    authority           TEXT NOT NULL,
    document_sealed     BLOB,
    owner               BLOB NOT NULL,
    placed_at           TEXT NOT NULL,
    review_on           TEXT,
    released_at         TEXT
) STRICT;

CREATE TABLE hold_coverage (
    hold_id             BLOB NOT NULL REFERENCES legal_holds (id),
    case_file_id        BLOB NOT NULL REFERENCES case_files (id),
    PRIMARY KEY (hold_id, case_file_id)
) STRICT;
CREATE INDEX hold_coverage_by_case_file ON hold_coverage (case_file_id);

CREATE TABLE retention_rules (
    series              TEXT NOT NULL,
    version             INTEGER NOT NULL,
    rule                TEXT NOT NULL,
    in_force_from       TEXT NOT NULL,
    PRIMARY KEY (series, version)
) STRICT;

CREATE TABLE retention_events (
    id                  BLOB NOT NULL PRIMARY KEY,
    case_file_id        BLOB NOT NULL REFERENCES case_files (id),
    event               TEXT NOT NULL,
    happened_on         TEXT NOT NULL,
    received_at         TEXT NOT NULL
) STRICT;
CREATE INDEX retention_events_by_case_file ON retention_events (case_file_id, happened_on);

CREATE TABLE dual_authorizations (
    id                  BLOB NOT NULL PRIMARY KEY,
    operation           TEXT NOT NULL,
    list_digest         BLOB NOT NULL,
    reason              TEXT NOT NULL,
    asked_by            BLOB NOT NULL REFERENCES accounts (id),
    asked_at            TEXT NOT NULL,
    answered_by         BLOB REFERENCES accounts (id),
    answered_at         TEXT,
    state               TEXT NOT NULL,
    expires_at          TEXT NOT NULL
) STRICT;
