-- Reasons that people type may name people: they are sealed under the key of the case file, and the operation log holds a
-- keyed digest of them. What was given before stands in the entries of the log, which are never changed.

CREATE TABLE log_reasons (
    sequence            BIGINT NOT NULL PRIMARY KEY REFERENCES operation_log (sequence),
    key_id              UUID NOT NULL,
    reason_sealed       BYTEA NOT NULL
);

ALTER TABLE findings DROP COLUMN settled_reason;
ALTER TABLE findings ADD COLUMN settled_reason_sealed BYTEA;

-- Statistics of what is sealed say nothing.
ALTER TABLE log_reasons ALTER COLUMN reason_sealed SET STATISTICS 0;
ALTER TABLE findings ALTER COLUMN settled_reason_sealed SET STATISTICS 0;
