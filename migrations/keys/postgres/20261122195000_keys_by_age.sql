-- A sweep asks for keys that were wrapped lately.
CREATE INDEX data_keys_by_age ON data_keys (made_at);
