-- An archive has one key for its blind index and one that signs its log: of two servers that start for the first time at
-- once, the second takes the key of the first. Where there are two already, the older one is in use.
UPDATE data_keys SET purpose = 'unused_' || purpose
    WHERE purpose IN ('blind_index', 'log_signing')
        AND EXISTS (SELECT 1 FROM data_keys older WHERE older.purpose = data_keys.purpose AND older.id < data_keys.id);
CREATE UNIQUE INDEX data_keys_one_of_a_kind ON data_keys (purpose) WHERE purpose IN ('blind_index', 'log_signing');
