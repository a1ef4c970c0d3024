-- The catalogue of the archive. Personal columns are ciphertext (names ending in _sealed); what can be searched
-- stands there as keyed hashes. Instants are UTC. Counters hand out gapless numbers inside the transaction.

CREATE TABLE branches (
    code                TEXT NOT NULL PRIMARY KEY,
    name                TEXT NOT NULL
);

CREATE TABLE outlets (
    code                TEXT NOT NULL PRIMARY KEY,
    name                TEXT NOT NULL,
    branch_code         TEXT NOT NULL REFERENCES branches (code),
    channel             TEXT NOT NULL
);

CREATE TABLE accounts (
    id                  UUID NOT NULL PRIMARY KEY,
    staff_number        TEXT NOT NULL UNIQUE,
    role                TEXT NOT NULL,
    outlet_code         TEXT,
    branch_code         TEXT,
    created_at          TIMESTAMPTZ NOT NULL,
    disabled_at         TIMESTAMPTZ
);

CREATE TABLE api_tokens (
    id                  UUID NOT NULL PRIMARY KEY,
    account_id          UUID NOT NULL REFERENCES accounts (id),
    token_hash          BYTEA NOT NULL UNIQUE,
    created_at          TIMESTAMPTZ NOT NULL,
    expires_at          TIMESTAMPTZ,
    revoked_at          TIMESTAMPTZ
);

CREATE TABLE counters (
    name                TEXT NOT NULL PRIMARY KEY,
    value               BIGINT NOT NULL
);

INSERT INTO counters (name, value) VALUES ('change', 0), ('operation_log', 0);

CREATE TABLE case_files (
    id                  UUID NOT NULL PRIMARY KEY,
    slip_number         TEXT NOT NULL UNIQUE,
    outlet_code         TEXT,
    branch_code         TEXT,
    channel             TEXT,
    accepted_on         DATE,
    series              TEXT NOT NULL,
    state               TEXT NOT NULL,
    archival_code       TEXT UNIQUE,
    archived_at         TIMESTAMPTZ,
    returned_on         DATE,
    papers_received_on  DATE,
    assigned_to         UUID,
    key_id              UUID NOT NULL,
    entered_data_id     UUID,
    verdict_id          UUID,
    change_sequence     BIGINT NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX case_files_by_change ON case_files (change_sequence);
CREATE INDEX case_files_by_outlet_day ON case_files (outlet_code, accepted_on);
CREATE INDEX case_files_by_state ON case_files (state, accepted_on);

-- Every change of state, for ever: the proof that only legal ones happened.
CREATE TABLE case_state_changes (
    case_file_id        UUID NOT NULL REFERENCES case_files (id),
    number              BIGINT NOT NULL,
    from_state          TEXT,
    to_state            TEXT NOT NULL,
    reason              TEXT NOT NULL,
    changed_at          TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (case_file_id, number)
);

-- Keyed hashes of whole values, by which a scan finds its case file and a customer all of theirs.
CREATE TABLE case_file_tokens (
    kind                TEXT NOT NULL,
    token               BYTEA NOT NULL,
    case_file_id        UUID NOT NULL REFERENCES case_files (id),
    PRIMARY KEY (kind, token, case_file_id)
);
CREATE INDEX case_file_tokens_by_case_file ON case_file_tokens (case_file_id);

CREATE TABLE entered_data (
    id                  UUID NOT NULL PRIMARY KEY,
    case_file_id        UUID NOT NULL REFERENCES case_files (id),
    version             BIGINT NOT NULL,
    digest              BYTEA NOT NULL,
    entered_sealed      BYTEA NOT NULL,
    source              TEXT NOT NULL,
    received_by         UUID,
    received_at         TIMESTAMPTZ NOT NULL,
    UNIQUE (case_file_id, version)
);

CREATE TABLE uploads (
    id                  UUID NOT NULL PRIMARY KEY,
    account_id          UUID NOT NULL REFERENCES accounts (id),
    idempotency_key     TEXT,
    outlet_code         TEXT,
    received_at         TIMESTAMPTZ NOT NULL,
    UNIQUE (account_id, idempotency_key)
);

CREATE TABLE scans (
    id                  UUID NOT NULL PRIMARY KEY,
    upload_id           UUID NOT NULL REFERENCES uploads (id),
    case_file_id        UUID REFERENCES case_files (id),
    same_as             UUID REFERENCES scans (id),
    state               TEXT NOT NULL,
    problem             TEXT,
    outlet_code         TEXT,
    slip_number_given   TEXT,
    slot_given          TEXT,
    media_type          TEXT NOT NULL,
    size_bytes          BIGINT NOT NULL,
    sha256              BYTEA NOT NULL,
    key_id              UUID NOT NULL,
    name_sealed         BYTEA,
    placed_by           TEXT,
    placed_at           TIMESTAMPTZ,
    received_by         UUID NOT NULL,
    received_at         TIMESTAMPTZ NOT NULL
);
CREATE INDEX scans_by_case_file ON scans (case_file_id);
CREATE INDEX scans_by_upload ON scans (upload_id);
CREATE INDEX scans_by_sha256 ON scans (sha256);
CREATE INDEX scans_by_state ON scans (state, received_at);

-- What one file of an upload became: a new scan, or the link to one that was there.
CREATE TABLE upload_items (
    upload_id           UUID NOT NULL REFERENCES uploads (id),
    item_number         BIGINT NOT NULL,
    scan_id             UUID,
    outcome             TEXT NOT NULL,
    PRIMARY KEY (upload_id, item_number)
);

CREATE TABLE pages (
    id                  UUID NOT NULL PRIMARY KEY,
    scan_id             UUID NOT NULL REFERENCES scans (id),
    page_index          BIGINT NOT NULL,
    width               BIGINT NOT NULL,
    height              BIGINT NOT NULL,
    problem             TEXT,
    facts_sealed        BYTEA,
    fingerprint_sealed  BYTEA,
    UNIQUE (scan_id, page_index)
);

CREATE TABLE page_bands (
    band                BIGINT NOT NULL,
    value               BIGINT NOT NULL,
    page_id             UUID NOT NULL REFERENCES pages (id),
    PRIMARY KEY (band, value, page_id)
);
CREATE INDEX page_bands_by_page ON page_bands (page_id);

CREATE TABLE readings (
    id                  UUID NOT NULL PRIMARY KEY,
    page_id             UUID NOT NULL REFERENCES pages (id),
    scan_id             UUID NOT NULL REFERENCES scans (id),
    engine              TEXT NOT NULL,
    engine_version      TEXT NOT NULL,
    corrected_by        UUID,
    reading_sealed      BYTEA NOT NULL,
    cpu_ms              BIGINT NOT NULL,
    made_at             TIMESTAMPTZ NOT NULL
) PARTITION BY RANGE (id);
-- Ids are UUIDv7: their order is that of time, so a range of ids is a month. Months are made ahead by the timetable; what
-- falls outside of them is kept here.
CREATE TABLE readings_other PARTITION OF readings DEFAULT;
CREATE INDEX readings_by_scan ON readings (scan_id, made_at);

CREATE TABLE verdicts (
    id                  UUID NOT NULL PRIMARY KEY,
    case_file_id        UUID NOT NULL REFERENCES case_files (id),
    case_digest         BYTEA NOT NULL,
    outcome             TEXT NOT NULL,
    given_at            TIMESTAMPTZ NOT NULL,
    fallen_at           TIMESTAMPTZ
);
CREATE INDEX verdicts_by_case_file ON verdicts (case_file_id, given_at);

-- Which paper fills which slot, as the verdict saw it.
CREATE TABLE slot_fillings (
    verdict_id          UUID NOT NULL REFERENCES verdicts (id),
    slot                TEXT NOT NULL,
    reading_id          UUID NOT NULL REFERENCES readings (id),
    paper_index         BIGINT NOT NULL,
    page_id             UUID NOT NULL REFERENCES pages (id),
    region              TEXT NOT NULL,
    PRIMARY KEY (verdict_id, slot, reading_id, paper_index)
);

CREATE TABLE findings (
    id                  UUID NOT NULL PRIMARY KEY,
    case_file_id        UUID NOT NULL REFERENCES case_files (id),
    verdict_id          UUID NOT NULL REFERENCES verdicts (id),
    code                TEXT NOT NULL,
    subject             TEXT NOT NULL,
    state               TEXT NOT NULL,
    confidence          REAL,
    evidence_sealed     BYTEA NOT NULL,
    raised_at           TIMESTAMPTZ NOT NULL,
    settled_by          UUID,
    settled_at          TIMESTAMPTZ,
    settled_reason      TEXT
);
CREATE INDEX findings_by_case_file ON findings (case_file_id, raised_at);
CREATE INDEX findings_by_state ON findings (state, code, raised_at);

CREATE TABLE jobs (
    id                  UUID NOT NULL PRIMARY KEY,
    name                TEXT NOT NULL,
    subject             UUID NOT NULL,
    state               TEXT NOT NULL,
    attempts            BIGINT NOT NULL,
    due_at              TIMESTAMPTZ NOT NULL,
    lease_owner         UUID,
    lease_until         TIMESTAMPTZ,
    reason              TEXT,
    created_at          TIMESTAMPTZ NOT NULL,
    finished_at         TIMESTAMPTZ
);
-- One row waits for each piece of work; while it runs, a change to its subject may queue one more.
CREATE UNIQUE INDEX jobs_waiting ON jobs (name, subject) WHERE state IN ('waiting', 'retrying');
CREATE INDEX jobs_due ON jobs (due_at) WHERE state IN ('waiting', 'retrying', 'running');
CREATE INDEX jobs_by_subject ON jobs (subject, state);
CREATE INDEX jobs_by_state ON jobs (state, finished_at);

CREATE TABLE archival_numbers (
    prefix              TEXT NOT NULL PRIMARY KEY,
    last_number         BIGINT NOT NULL
);

-- No update and no delete, ever.
CREATE TABLE operation_log (
    sequence            BIGINT NOT NULL PRIMARY KEY,
    at                  TIMESTAMPTZ NOT NULL,
    account_id          UUID,
    role                TEXT NOT NULL,
    outlet_code         TEXT,
    origin              TEXT NOT NULL,
    action              TEXT NOT NULL,
    subject_kind        TEXT NOT NULL,
    subject_id          TEXT NOT NULL,
    reason              TEXT,
    result              TEXT NOT NULL,
    leaf_hash           BYTEA NOT NULL
);

CREATE TABLE log_heads (
    tree_size           BIGINT NOT NULL PRIMARY KEY,
    root_hash           BYTEA NOT NULL,
    frontier            BYTEA NOT NULL,
    signature           BYTEA NOT NULL,
    signed_at           TIMESTAMPTZ NOT NULL
);

CREATE TABLE legal_holds (
    id                  UUID NOT NULL PRIMARY KEY,
    authority           TEXT NOT NULL,
    document_sealed     BYTEA,
    owner               UUID NOT NULL,
    placed_at           TIMESTAMPTZ NOT NULL,
    review_on           DATE,
    released_at         TIMESTAMPTZ
);

CREATE TABLE hold_coverage (
    hold_id             UUID NOT NULL REFERENCES legal_holds (id),
    case_file_id        UUID NOT NULL REFERENCES case_files (id),
    PRIMARY KEY (hold_id, case_file_id)
);
CREATE INDEX hold_coverage_by_case_file ON hold_coverage (case_file_id);

CREATE TABLE retention_rules (
    series              TEXT NOT NULL,
    version             BIGINT NOT NULL,
    rule                TEXT NOT NULL,
    in_force_from       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (series, version)
);

CREATE TABLE retention_events (
    id                  UUID NOT NULL PRIMARY KEY,
    case_file_id        UUID NOT NULL REFERENCES case_files (id),
    event               TEXT NOT NULL,
    happened_on         DATE NOT NULL,
    received_at         TIMESTAMPTZ NOT NULL
);
CREATE INDEX retention_events_by_case_file ON retention_events (case_file_id, happened_on);

CREATE TABLE dual_authorizations (
    id                  UUID NOT NULL PRIMARY KEY,
    operation           TEXT NOT NULL,
    list_digest         BYTEA NOT NULL,
    reason              TEXT NOT NULL,
    asked_by            UUID NOT NULL REFERENCES accounts (id),
    asked_at            TIMESTAMPTZ NOT NULL,
    answered_by         UUID REFERENCES accounts (id),
    answered_at         TIMESTAMPTZ,
    state               TEXT NOT NULL,
    expires_at          TIMESTAMPTZ NOT NULL
);

-- Ciphertext has no statistics: the planner would keep samples of it for good.
ALTER TABLE entered_data ALTER COLUMN entered_sealed SET STATISTICS 0;
ALTER TABLE scans ALTER COLUMN name_sealed SET STATISTICS 0;
ALTER TABLE pages ALTER COLUMN facts_sealed SET STATISTICS 0;
ALTER TABLE pages ALTER COLUMN fingerprint_sealed SET STATISTICS 0;
ALTER TABLE readings ALTER COLUMN reading_sealed SET STATISTICS 0;
ALTER TABLE findings ALTER COLUMN evidence_sealed SET STATISTICS 0;
ALTER TABLE legal_holds ALTER COLUMN document_sealed SET STATISTICS 0;
