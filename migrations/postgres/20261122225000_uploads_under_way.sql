-- Uploads that take long give a sign of life here, so that no sweep removes what was stored for them and has no row yet.
CREATE TABLE uploads_under_way (
    id                  UUID NOT NULL PRIMARY KEY,
    began_at            TIMESTAMPTZ NOT NULL,
    seen_at             TIMESTAMPTZ NOT NULL
);

-- Keys of senders are kept as keyed hashes from here on: a sender may put a customer's number into one. Those that stand
-- in clear go; an upload of before that is sent again is received again, and linked when it is placed. Keys of upload
-- tickets are our own and hold nothing of anybody.
UPDATE uploads SET idempotency_key = NULL WHERE idempotency_key NOT LIKE 'upload ticket%';
