-- Statements of distributed runs. Parameters are psycopg's.

-- name: has_schema
SELECT count(*) > 0 AS found FROM pg_catalog.pg_tables WHERE schemaname = 'syncengine_queue' AND tablename = 'settings'

-- name: get_setting
SELECT value FROM settings WHERE name = %(name)s

-- name: set_setting
INSERT INTO settings (name, value) VALUES (%(name)s, %(value)s) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: insert_submission
INSERT INTO submissions (run, account, name, queue, plan, plan_path, tool, host, policy_digest, wire_digest, limits,
  total, to_send, already_applied, in_doubt_before, resumed, phases)
VALUES (%(run)s, %(account)s, %(name)s, %(queue)s, %(plan)s, %(plan_path)s, %(tool)s, %(host)s, %(policy_digest)s,
  %(wire_digest)s, %(limits)s, %(total)s, %(to_send)s, %(already_applied)s, %(in_doubt_before)s, %(resumed)s, %(phases)s)

-- name: set_phases
UPDATE submissions SET phases = %(phases)s WHERE run = %(run)s

-- name: insert_shard
INSERT INTO shards (run, number, phase, lane, concurrency, operations, waits)
VALUES (%(run)s, %(number)s, %(phase)s, %(lane)s, %(concurrency)s, %(operations)s, %(waits)s)

-- name: insert_chunk
INSERT INTO chunks (run, shard, part, content) VALUES (%(run)s, %(shard)s, %(part)s, %(content)s)

-- name: get_submission
SELECT * FROM submissions WHERE run = %(run)s

-- name: lock_submission
SELECT * FROM submissions WHERE run = %(run)s FOR UPDATE

-- name: open_submissions
SELECT * FROM submissions WHERE ended IS NULL ORDER BY submitted

-- name: get_shard
SELECT * FROM shards WHERE run = %(run)s AND number = %(number)s

-- name: shards_of_run
SELECT * FROM shards WHERE run = %(run)s ORDER BY number

-- name: open_shards
SELECT * FROM shards WHERE run = %(run)s AND phase = %(phase)s AND state IN ('waiting', 'running') ORDER BY number

-- name: count_shards
SELECT run, state, count(*) AS count FROM shards WHERE run = ANY(%(runs)s) GROUP BY run, state

-- name: claim_shard
UPDATE shards SET state = 'running', epoch = %(epoch)s, worker = %(worker)s, attempts = attempts + 1, started = now()
WHERE run = %(run)s AND number = %(number)s AND state IN ('waiting', 'running')
RETURNING *

-- name: put_shard_back
UPDATE shards SET state = 'waiting', epoch = NULL, job = NULL,
  doubtful = doubtful OR %(doubtful)s
WHERE run = %(run)s AND number = %(number)s AND state = 'running' AND epoch = %(epoch)s

-- name: end_shard
UPDATE shards SET state = %(state)s, ended = now(),
  doubtful = doubtful OR %(doubtful)s, reasons = %(reasons)s
WHERE run = %(run)s AND number = %(number)s AND state IN ('waiting', 'running')

-- name: leave_shards
UPDATE shards SET state = 'left', ended = now() WHERE run = %(run)s AND state IN ('waiting', 'running')

-- name: next_phase
UPDATE submissions SET phase = phase + 1 WHERE run = %(run)s

-- name: stop_run
UPDATE submissions SET stopping = %(reason)s WHERE run = %(run)s AND stopping = '' AND ended IS NULL

-- name: end_submission
UPDATE submissions SET ended = now() WHERE run = %(run)s AND ended IS NULL

-- name: delete_chunks
DELETE FROM chunks WHERE run = %(run)s

-- name: delete_rates
DELETE FROM rates WHERE run = %(run)s

-- name: get_chunks
SELECT content FROM chunks WHERE run = %(run)s AND shard = %(shard)s ORDER BY part

-- name: set_job
UPDATE shards SET job = %(job)s WHERE run = %(run)s AND number = %(number)s

-- name: lanes_with_jobs
SELECT DISTINCT s.lane FROM shards s JOIN procrastinate_jobs j ON j.id = s.job AND j.status IN ('todo', 'doing')
WHERE s.run = %(run)s AND s.phase = %(phase)s AND s.state IN ('waiting', 'running')

-- name: take_turn
WITH slot AS (
  INSERT INTO paces (account, following)
  VALUES (%(account)s, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + %(gap)s)
  ON CONFLICT (account) DO UPDATE SET following =
    greatest(paces.following, paces.held, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - %(slack)s) + %(gap)s
  RETURNING following
)
SELECT greatest(slot.following - %(gap)s - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 0) AS wait,
  (SELECT stopping FROM submissions WHERE run = %(run)s) AS stopping
FROM slot

-- name: look_up
SELECT (SELECT stopping FROM submissions WHERE run = %(run)s) AS stopping,
  greatest(coalesce((SELECT held FROM paces WHERE account = %(account)s), 0)
    - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 0) AS held

-- name: hold_pace
INSERT INTO paces (account, following, held)
VALUES (%(account)s, 0, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + %(wait)s)
ON CONFLICT (account) DO UPDATE SET held = greatest(paces.held, excluded.held)

-- name: count_answers
WITH counted AS (
  INSERT INTO rates (run, worker, bucket, requests, entries)
  VALUES (%(run)s, %(worker)s, (extract(epoch FROM clock_timestamp()) / 10)::bigint, %(requests)s, %(entries)s)
  ON CONFLICT (run, worker, bucket) DO UPDATE
    SET requests = rates.requests + excluded.requests, entries = rates.entries + excluded.entries
)
UPDATE submissions SET answered = answered + %(answered)s, rejected = rejected + %(rejected)s,
  unanswered = CASE WHEN %(readable)s THEN 0 ELSE unanswered END + %(unanswered)s
WHERE run = %(run)s
RETURNING answered, rejected, unanswered, stopping

-- name: see_worker
INSERT INTO workers (worker, machine, pid, tool, queues, parallel, patience)
VALUES (%(worker)s, %(machine)s, %(pid)s, %(tool)s, %(queues)s, %(parallel)s, %(patience)s)
ON CONFLICT (worker) DO UPDATE SET seen = now(), queues = excluded.queues

-- name: forget_worker
DELETE FROM workers WHERE worker = %(worker)s

-- name: forget_old
WITH gone AS (DELETE FROM workers WHERE seen < now() - interval '1 day')
DELETE FROM submissions WHERE ended < now() - interval '30 days'

-- name: get_workers
SELECT *, extract(epoch FROM now() - seen) AS silent FROM workers ORDER BY machine, pid

-- name: get_rates
SELECT run, worker, sum(requests)::float / 60 AS requests, sum(entries)::float / 60 AS entries FROM rates
WHERE bucket >= (extract(epoch FROM clock_timestamp()) / 10)::bigint - 6 GROUP BY run, worker
