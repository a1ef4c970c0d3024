-- What was destroyed, by id: a copy of the key that turns up in a backup must not come back.

CREATE TABLE destroyed_keys (
    id                  BLOB NOT NULL PRIMARY KEY
) STRICT;
