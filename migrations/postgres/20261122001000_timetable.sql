-- One of all processes keeps the timetable, for as long as its lease runs.
CREATE TABLE timetable (
    id                  BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    owner               UUID,
    lease_until         TIMESTAMPTZ
);
INSERT INTO timetable (id) VALUES (1);
