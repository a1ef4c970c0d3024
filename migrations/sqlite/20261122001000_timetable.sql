-- One of all processes keeps the timetable, for as long as its lease runs.
CREATE TABLE timetable (
    id                  INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    owner               BLOB,
    lease_until         TEXT
) STRICT;
INSERT INTO timetable (id) VALUES (1);
