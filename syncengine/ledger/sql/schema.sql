-- The whole schema as it is today. A new ledger is made from this file, an old one reaches it by migrations/.
-- ROWKEY is the dialect's 64-bit primary key. Times are UTC, ISO 8601. Counters are 64 bits wide.

CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE accounts (
  account TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  since TEXT NOT NULL
);

CREATE TABLE changesets (
  account TEXT NOT NULL,
  changeset TEXT NOT NULL,
  PRIMARY KEY (account, changeset)
);

CREATE TABLE names (
  account TEXT NOT NULL,
  changeset TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  target TEXT NOT NULL,
  run TEXT NOT NULL,
  PRIMARY KEY (account, changeset, kind, name)
);

-- Who may commit intents, and the end of the lane's hash chain. `expires` is in milliseconds of the database's clock.
-- `backend`, `backend_started` and `role` name the holder's session on PostgreSQL.
CREATE TABLE lanes (
  account TEXT NOT NULL,
  lane TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  holder TEXT NOT NULL,
  host TEXT NOT NULL,
  pid BIGINT NOT NULL,
  since TEXT NOT NULL,
  expires BIGINT NOT NULL,
  token TEXT NOT NULL,
  step BIGINT NOT NULL,
  head TEXT NOT NULL,
  backend BIGINT NOT NULL DEFAULT 0,
  backend_started TEXT NOT NULL DEFAULT '',
  role TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (account, lane)
);

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  position BIGINT NOT NULL,
  account TEXT NOT NULL,
  lane TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  plan TEXT NOT NULL,
  plan_path TEXT NOT NULL,
  changesets TEXT NOT NULL,
  total BIGINT NOT NULL,
  host TEXT NOT NULL,
  policy_digest TEXT NOT NULL,
  wire_digest TEXT NOT NULL,
  tool TEXT NOT NULL,
  approvals TEXT NOT NULL,
  machine TEXT NOT NULL,
  pid BIGINT NOT NULL,
  started TEXT NOT NULL,
  ended TEXT,
  exit_code BIGINT,
  stopped TEXT,
  cancelled_by TEXT,
  cancelled_at TEXT,
  planned TEXT NOT NULL DEFAULT '',
  claimed TEXT NOT NULL DEFAULT ''
);
CREATE INDEX runs_by_account ON runs (account, position);
CREATE INDEX runs_by_plan ON runs (plan);

-- Where several runners commit at once, a counter hands out the numbers; SQLite takes the next one.
COUNTER request_numbers;

CREATE TABLE requests (
  id ROWKEY,
  run TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  at TEXT NOT NULL
);
POSTGRES CREATE INDEX requests_by_run ON requests (run);
SQLITE CREATE INDEX requests_by_run ON requests (run, id, epoch, at);

-- number = request * 65536 + position within the request. `vals` maps names to stored forms; `seal` stays when erased.
CREATE TABLE attempts (
  number ROWKEY,
  account TEXT NOT NULL,
  lead TEXT NOT NULL,
  operation TEXT NOT NULL,
  changeset TEXT NOT NULL,
  kind TEXT NOT NULL,
  delivery TEXT NOT NULL,
  generation BIGINT NOT NULL,
  vals TEXT NOT NULL,
  salt TEXT NOT NULL,
  seal TEXT
);
POSTGRES CREATE INDEX attempts_by_lead ON attempts (account, lead);
SQLITE CREATE INDEX attempts_by_lead
  ON attempts (account, lead, number, operation, changeset, kind, delivery, generation, vals);

-- What findings look up: amounts and deliveries on record. Updates are the bulk, and every index on them costs time
-- whenever a ledger is checked.
CREATE INDEX attempts_by_kind ON attempts (account, kind, delivery, number) WHERE kind <> 'update';

-- `outcome` and the shared part of `words` hold for every attempt of the request without a row in outcomes.
CREATE TABLE answers (
  request ROWKEY,
  verdict TEXT NOT NULL,
  status BIGINT NOT NULL,
  at TEXT NOT NULL,
  outcome TEXT NOT NULL,
  words TEXT NOT NULL,
  salt TEXT NOT NULL,
  seal TEXT
);

CREATE TABLE outcomes (
  number ROWKEY,
  outcome TEXT NOT NULL,
  words TEXT NOT NULL,
  salt TEXT NOT NULL,
  seal TEXT
);

CREATE TABLE resolutions (
  number ROWKEY,
  applied BIGINT NOT NULL,
  by_whom TEXT NOT NULL,
  at TEXT NOT NULL,
  note TEXT NOT NULL,
  salt TEXT NOT NULL,
  seal TEXT
);

CREATE TABLE erasures (
  account TEXT NOT NULL,
  lead TEXT NOT NULL,
  by_whom TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (account, lead)
);

CREATE TABLE events (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  by_whom TEXT NOT NULL,
  note TEXT NOT NULL,
  detail TEXT NOT NULL,
  at TEXT NOT NULL
);

CREATE TABLE chain (
  position ROWKEY,
  account TEXT NOT NULL,
  lane TEXT NOT NULL,
  step BIGINT NOT NULL,
  kind TEXT NOT NULL,
  ref TEXT NOT NULL,
  hash TEXT NOT NULL
);

-- What follows is derived from the records above, kept so that status need not read them all. `check` compares.

CREATE TABLE pending (
  request ROWKEY,
  account TEXT NOT NULL,
  run TEXT NOT NULL
);

CREATE TABLE doubts (
  number ROWKEY,
  account TEXT NOT NULL,
  operation TEXT NOT NULL
);

-- run '' counts the account as a whole; every operation counts with its present outcome, doubts and open intents apart.
CREATE TABLE tallies (
  account TEXT NOT NULL,
  run TEXT NOT NULL,
  applied BIGINT NOT NULL,
  rejected BIGINT NOT NULL,
  not_sent BIGINT NOT NULL,
  PRIMARY KEY (account, run)
);

-- Twins: SQLite's integrity check compares each row with its entry in every index, so what is in both cannot change,
-- or be hidden, unnoticed. The indexes of requests and attempts hold the rest of their rows for the same reason.
-- On PostgreSQL the server's own page checksums do this.
SQLITE CREATE INDEX meta_twin ON meta (name, value);
SQLITE CREATE INDEX accounts_twin ON accounts (account, host, since);
SQLITE CREATE INDEX names_twin ON names (account, changeset, kind, name, target, run);
SQLITE CREATE INDEX runs_twin ON runs (id, account, lane, epoch, plan, plan_path, changesets, total, host, policy_digest,
  wire_digest, tool, approvals, planned, claimed, machine, pid, started, ended, exit_code, stopped, cancelled_by,
  cancelled_at);
SQLITE CREATE INDEX answers_twin ON answers (request, verdict, status, at, outcome, words);
SQLITE CREATE INDEX outcomes_twin ON outcomes (number, outcome, words);
SQLITE CREATE INDEX resolutions_twin ON resolutions (number, applied, by_whom, at, note);
SQLITE CREATE INDEX erasures_twin ON erasures (account, lead, by_whom, at);
SQLITE CREATE INDEX events_twin ON events (id, account, kind, by_whom, note, detail, at);
SQLITE CREATE INDEX doubts_twin ON doubts (number, account, operation);
