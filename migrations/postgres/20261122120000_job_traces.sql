-- The place in a trace after which the job follows, as a W3C traceparent: ids and nothing else. Empty where nothing is
-- traced.
ALTER TABLE jobs ADD COLUMN trace_parent TEXT;
