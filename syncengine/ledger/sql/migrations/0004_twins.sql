-- Schema 4: on SQLite every row that decides what is sent has a twin in an index: see the end of schema.sql.

SQLITE DROP INDEX requests_by_run;
SQLITE CREATE INDEX requests_by_run ON requests (run, id, epoch, at);
SQLITE DROP INDEX attempts_by_lead;
SQLITE CREATE INDEX attempts_by_lead
  ON attempts (account, lead, number, operation, changeset, kind, delivery, generation, vals);
SQLITE CREATE INDEX meta_twin ON meta (name, value);
SQLITE CREATE INDEX accounts_twin ON accounts (account, host, since);
SQLITE CREATE INDEX names_twin ON names (account, changeset, kind, name, target, run);
SQLITE CREATE INDEX runs_twin ON runs (id, account, lane, epoch, plan, plan_path, changesets, total, host, policy_digest,
  wire_digest, tool, approvals, planned, machine, pid, started, ended, exit_code, stopped, cancelled_by, cancelled_at);
SQLITE CREATE INDEX answers_twin ON answers (request, verdict, status, at, outcome, words);
SQLITE CREATE INDEX outcomes_twin ON outcomes (number, outcome, words);
SQLITE CREATE INDEX resolutions_twin ON resolutions (number, applied, by_whom, at, note);
SQLITE CREATE INDEX erasures_twin ON erasures (account, lead, by_whom, at);
SQLITE CREATE INDEX events_twin ON events (id, account, kind, by_whom, note, detail, at);
SQLITE CREATE INDEX doubts_twin ON doubts (number, account, operation);
