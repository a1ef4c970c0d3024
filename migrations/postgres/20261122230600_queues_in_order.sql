-- A worker takes the next job, and an auditor the next finding, without sorting or walking through all others.
CREATE INDEX jobs_in_turn ON jobs ((name = 'read_scan'), due_at) WHERE state IN ('waiting', 'retrying');
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX findings_in_turn ON findings (state, id);
