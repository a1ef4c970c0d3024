-- `guidang verify` asks the operation log for the acts on each thing.

CREATE INDEX operation_log_by_subject ON operation_log (subject_id);
