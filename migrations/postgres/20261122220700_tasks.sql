-- A task ends with the audit: whoever had one when the case file was accepted has it no more. Their number is counted.

UPDATE case_files SET assigned_to = NULL
    WHERE assigned_to IS NOT NULL AND state NOT IN ('assembling', 'reading', 'checked', 'in_review', 'returned');
CREATE INDEX case_files_by_task ON case_files (assigned_to) WHERE assigned_to IS NOT NULL;
