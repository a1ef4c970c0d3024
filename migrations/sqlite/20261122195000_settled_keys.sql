-- Up to when interrupted hand-overs of keys were looked for, so that a sweep looks at what is new and not at everything.
ALTER TABLE timetable ADD COLUMN keys_settled_at TEXT;
-- From a key to its scan.
CREATE INDEX scans_by_key ON scans (key_id);
