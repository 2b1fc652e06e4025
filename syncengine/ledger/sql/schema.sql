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
  planned TEXT NOT NULL DEFAULT ''
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
CREATE INDEX requests_by_run ON requests (run);

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
CREATE INDEX attempts_by_lead ON attempts (account, lead);

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

-- run '' counts the account as a whole; every operation counts where it stands now, doubts and open intents apart.
CREATE TABLE tallies (
  account TEXT NOT NULL,
  run TEXT NOT NULL,
  applied BIGINT NOT NULL,
  rejected BIGINT NOT NULL,
  not_sent BIGINT NOT NULL,
  PRIMARY KEY (account, run)
);
