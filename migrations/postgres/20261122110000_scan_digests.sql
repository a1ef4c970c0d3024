-- The digest of a scan names its algorithm: what was received before is known by SHA-256, what comes now by BLAKE3.

ALTER TABLE scans RENAME COLUMN sha256 TO digest;
ALTER TABLE scans ADD COLUMN digest_algorithm TEXT NOT NULL DEFAULT 'sha256';
DROP INDEX scans_by_sha256;
CREATE INDEX scans_by_digest ON scans (digest);
