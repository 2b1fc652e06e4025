-- What PostgreSQL says in its own way.

-- name: has_schema
SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'syncengine' AND tablename = 'meta'

-- One row for all accounts hands out positions, so that they follow the order of commits.
-- name: append_chain
WITH e AS (
  SELECT v, ord, count(*) OVER () AS many FROM jsonb_array_elements(:rows::jsonb) WITH ORDINALITY AS j(v, ord)
), moved AS (
  UPDATE meta SET value = (value::bigint + (SELECT count(*) FROM e))::text WHERE name = 'position'
  RETURNING value::bigint AS last
)
INSERT INTO chain (position, account, lane, step, kind, ref, hash)
SELECT moved.last - e.many + e.ord, v->>0, v->>1, (v->>2)::bigint, v->>3, v->>4, v->>5 FROM moved, e

-- name: take_requests
SELECT nextval('request_numbers') FROM generate_series(1, :count)

-- name: lock_lane
SELECT epoch, step, head FROM lanes WHERE account = :account AND lane = :lane FOR UPDATE

-- name: live_lanes
SELECT account, lane, epoch FROM lanes
WHERE holder <> '' AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint

-- name: insert_attempts
INSERT INTO attempts (number, account, lead, operation, changeset, kind, delivery, generation, vals, salt)
SELECT (e->>0)::bigint, e->>1, e->>2, e->>3, e->>4, e->>5, e->>6, (e->>7)::bigint, e->>8, e->>9
FROM jsonb_array_elements(:rows::jsonb) e

-- name: delete_pending
DELETE FROM pending WHERE request = ANY(:requests::bigint[])

-- name: erased_among
SELECT lead FROM erasures WHERE account = :account AND lead = ANY(:leads::text[])

-- name: histories
SELECT lead, number, operation, changeset, kind, delivery, generation, vals
FROM attempts WHERE account = :account AND lead = ANY(:leads::text[])

-- name: sendings
SELECT q.id, q.run, q.epoch, q.at, n.outcome, n.words, n.at
FROM requests q LEFT JOIN answers n ON n.request = q.id
WHERE q.id = ANY(:requests::bigint[])

-- name: own_outcomes
SELECT number, outcome, words FROM outcomes WHERE number = ANY(:numbers::bigint[])

-- name: answers_of
SELECT request, verdict, status, at, outcome, words, salt, seal FROM answers WHERE request = ANY(:requests::bigint[])

-- name: runs_of
SELECT id, position, account, lane, epoch, plan, plan_path, changesets, total, host, policy_digest, wire_digest, tool,
  approvals, planned, claimed, machine, pid, started, ended, exit_code, stopped, cancelled_by, cancelled_at
FROM runs WHERE id = ANY(:ids::text[])

-- name: requests_of
SELECT id, run, epoch, at FROM requests WHERE id = ANY(:requests::bigint[])

-- name: attempts_of
SELECT a.number, a.account, a.lead, a.operation, a.changeset, a.kind, a.delivery, a.generation, a.vals, a.salt, a.seal
FROM unnest(:requests::bigint[]) r(id)
CROSS JOIN LATERAL (
  SELECT * FROM attempts b WHERE b.number >= r.id * 65536 AND b.number < (r.id + 1) * 65536 OFFSET 0
) a
ORDER BY a.number

-- name: outcomes_of
SELECT o.number, o.outcome, o.words, o.salt, o.seal
FROM unnest(:requests::bigint[]) r(id)
CROSS JOIN LATERAL (
  SELECT * FROM outcomes b WHERE b.number >= r.id * 65536 AND b.number < (r.id + 1) * 65536 OFFSET 0
) o
ORDER BY o.number

-- name: resolutions_of
SELECT number, applied, by_whom, at, note, salt, seal FROM resolutions WHERE number = ANY(:numbers::bigint[])

-- name: erasures_of
SELECT account, lead, by_whom, at FROM erasures WHERE account = :account AND lead = ANY(:leads::text[])

-- name: events_of
SELECT id, account, kind, by_whom, note, detail, at FROM events WHERE id = ANY(:ids::text[])

-- name: attempts_numbered
SELECT account, lead, number FROM attempts WHERE number = ANY(:numbers::bigint[])

-- name: lock_schema
LOCK TABLE meta IN ACCESS EXCLUSIVE MODE

-- name: get_last_values
SELECT vals FROM attempts WHERE account = :account AND kind = 'update' ORDER BY number DESC LIMIT :limit
