-- The tray lists what waits and nothing else, and scans that point to another one are found from that one. Those that were
-- left behind when it was placed elsewhere go after it.

CREATE INDEX scans_waiting ON scans (id) WHERE case_file_id IS NULL AND state IN ('tray', 'unreadable');
CREATE INDEX scans_by_link ON scans (same_as) WHERE same_as IS NOT NULL;
UPDATE scans SET same_as = (SELECT target.same_as FROM scans target WHERE target.id = scans.same_as)
    WHERE same_as IN (SELECT target.id FROM scans target WHERE target.same_as IS NOT NULL);
UPDATE scans SET case_file_id = (SELECT target.case_file_id FROM scans target WHERE target.id = scans.same_as)
    WHERE same_as IS NOT NULL AND case_file_id IS NULL;
