-- Schema 2: which session of the server commits for a lease, so that the next taker can end one that was stopped.

ALTER TABLE lanes ADD COLUMN backend BIGINT NOT NULL DEFAULT 0;
ALTER TABLE lanes ADD COLUMN backend_started TEXT NOT NULL DEFAULT '';
ALTER TABLE lanes ADD COLUMN role TEXT NOT NULL DEFAULT '';
