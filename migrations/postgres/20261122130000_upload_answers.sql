-- What an upload was answered can be told again, and to nobody but who sends the same files again: the digest of all its
-- files under its idempotency key, and the page that the refusal of a file is about. Empty for what came before.

ALTER TABLE uploads ADD COLUMN files_digest TEXT;
ALTER TABLE upload_items ADD COLUMN page_number BIGINT;
