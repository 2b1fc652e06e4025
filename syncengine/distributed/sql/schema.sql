-- What waits for workers, in a schema of its own beside the engine's tables. No row here holds a value of a lead but
-- chunks, whose content is sealed with the ledger's key and goes when its run ends.

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- One row for each submitted run. `queue` names the account and the terms under which it may be worked on.
CREATE TABLE submissions (
  run TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  name TEXT NOT NULL,
  queue TEXT NOT NULL,
  plan TEXT NOT NULL,
  plan_path TEXT NOT NULL,
  tool TEXT NOT NULL,
  host TEXT NOT NULL,
  policy_digest TEXT NOT NULL,
  wire_digest TEXT NOT NULL,
  limits TEXT NOT NULL,
  total BIGINT NOT NULL,
  to_send BIGINT NOT NULL,
  already_applied BIGINT NOT NULL,
  in_doubt_before BIGINT NOT NULL,
  resumed BOOLEAN NOT NULL,
  phase BIGINT NOT NULL DEFAULT 0,
  phases BIGINT NOT NULL,
  answered BIGINT NOT NULL DEFAULT 0,
  rejected BIGINT NOT NULL DEFAULT 0,
  unanswered BIGINT NOT NULL DEFAULT 0,
  stopping TEXT NOT NULL DEFAULT '',
  submitted TIMESTAMPTZ NOT NULL DEFAULT now(),
  ended TIMESTAMPTZ
);
CREATE INDEX submissions_open ON submissions (submitted) WHERE ended IS NULL;

-- Leads that no other shard of its phase has. `state`: waiting, running, done, left (not everything was sent).
CREATE TABLE shards (
  run TEXT NOT NULL REFERENCES submissions ON DELETE CASCADE,
  number BIGINT NOT NULL,
  phase BIGINT NOT NULL,
  lane TEXT NOT NULL,
  concurrency BIGINT NOT NULL,
  operations BIGINT NOT NULL,
  waits TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting',
  attempts BIGINT NOT NULL DEFAULT 0,
  job BIGINT,
  epoch BIGINT,
  worker TEXT NOT NULL DEFAULT '',
  doubtful BOOLEAN NOT NULL DEFAULT FALSE,
  reasons TEXT NOT NULL DEFAULT '{}',
  started TIMESTAMPTZ,
  ended TIMESTAMPTZ,
  PRIMARY KEY (run, number)
);

CREATE TABLE chunks (
  run TEXT NOT NULL REFERENCES submissions ON DELETE CASCADE,
  shard BIGINT NOT NULL,
  part BIGINT NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (run, shard, part)
);

-- When the next request of an account may leave, in microseconds of the database's clock; `held`: nothing before then.
CREATE TABLE paces (
  account TEXT PRIMARY KEY,
  following BIGINT NOT NULL,
  held BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE workers (
  worker TEXT PRIMARY KEY,
  machine TEXT NOT NULL,
  pid BIGINT NOT NULL,
  tool TEXT NOT NULL,
  queues TEXT[] NOT NULL,
  parallel BIGINT NOT NULL,
  since TIMESTAMPTZ NOT NULL DEFAULT now(),
  seen TIMESTAMPTZ NOT NULL DEFAULT now(),
  patience DOUBLE PRECISION NOT NULL
);

-- Requests and entries that were answered, in buckets of ten seconds.
CREATE TABLE rates (
  run TEXT NOT NULL REFERENCES submissions ON DELETE CASCADE,
  worker TEXT NOT NULL,
  bucket BIGINT NOT NULL,
  requests BIGINT NOT NULL,
  entries BIGINT NOT NULL,
  PRIMARY KEY (run, worker, bucket)
);
