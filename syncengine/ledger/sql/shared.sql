-- Statements that SQLite and PostgreSQL run alike.
-- CROSS JOIN keeps SQLite from reading all attempts first: it takes the tables in the order written.

-- name: get_meta
SELECT value FROM meta WHERE name = :name

-- name: all_meta
SELECT name, value FROM meta ORDER BY name

-- name: set_meta
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: last_position
SELECT coalesce(max(position), 0) FROM chain

-- name: add_lane
INSERT INTO lanes (account, lane, epoch, holder, host, pid, since, expires, token, step, head)
VALUES (:account, :lane, 0, '', '', 0, '', 0, '', 0, :head)
ON CONFLICT (account, lane) DO NOTHING

-- name: get_lanes
SELECT account, lane, epoch, holder, host, pid, since, step, head FROM lanes ORDER BY account, lane

-- name: hold_lane
UPDATE lanes SET epoch = epoch + 1, holder = :holder, host = :host, pid = :pid, since = :since, token = :token
WHERE account = :account AND lane = :lane

-- name: move_head
UPDATE lanes SET step = :step, head = :head WHERE account = :account AND lane = :lane

-- name: fence_lane
UPDATE lanes SET epoch = epoch + 1, holder = '', expires = 0 WHERE account = :account AND lane = :lane AND holder <> ''

-- name: get_hosts
SELECT account, host FROM accounts ORDER BY account

-- name: add_account
INSERT INTO accounts (account, host, since) VALUES (:account, :host, :since) ON CONFLICT (account) DO NOTHING

-- name: get_names
SELECT changeset, kind, name, target FROM names WHERE account = :account

-- name: add_name
INSERT INTO names (account, changeset, kind, name, target, run)
VALUES (:account, :changeset, :kind, :name, :target, :run)
ON CONFLICT (account, changeset, kind, name) DO NOTHING

-- name: get_changesets
SELECT changeset FROM changesets WHERE account = :account

-- name: count_attempts
SELECT count(*) FROM attempts WHERE account = :account AND changeset = :changeset

-- name: add_changeset
INSERT INTO changesets (account, changeset) VALUES (:account, :changeset) ON CONFLICT (account, changeset) DO NOTHING

-- name: insert_run
INSERT INTO runs (id, position, account, lane, epoch, plan, plan_path, changesets, total, host, policy_digest,
  wire_digest, tool, approvals, planned, claimed, machine, pid, started)
VALUES (:id, :position, :account, :lane, :epoch, :plan, :plan_path, :changesets, :total, :host, :policy_digest,
  :wire_digest, :tool, :approvals, :planned, :claimed, :machine, :pid, :started)

-- A run's position is that of its first record, so many before the last one.
-- name: place_run
UPDATE runs SET position = (SELECT max(position) FROM chain) - :after WHERE id = :run

-- name: get_run
SELECT id, position, account, lane, epoch, plan, plan_path, changesets, total, host, policy_digest, wire_digest, tool,
  approvals, planned, claimed, machine, pid, started, ended, exit_code, stopped, cancelled_by, cancelled_at
FROM runs WHERE id = :run

-- name: get_runs
SELECT id, position, account, lane, epoch, plan, plan_path, changesets, total, host, policy_digest, wire_digest, tool,
  approvals, planned, claimed, machine, pid, started, ended, exit_code, stopped, cancelled_by, cancelled_at
FROM runs ORDER BY position DESC

-- name: get_runs_of_account
SELECT id, position, account, lane, epoch, plan, plan_path, changesets, total, host, policy_digest, wire_digest, tool,
  approvals, planned, claimed, machine, pid, started, ended, exit_code, stopped, cancelled_by, cancelled_at
FROM runs WHERE account = :account ORDER BY position DESC

-- name: get_last_run_of_account
SELECT id, position, account, lane, epoch, plan, plan_path, changesets, total, host, policy_digest, wire_digest, tool,
  approvals, planned, claimed, machine, pid, started, ended, exit_code, stopped, cancelled_by, cancelled_at
FROM runs WHERE account = :account ORDER BY position DESC LIMIT 1

-- name: begun_plans
SELECT account, lane, plan, id, changesets, plan_path, total, started, ended, stopped, planned FROM runs
ORDER BY position DESC

-- name: get_runs_of_plan
SELECT id, position, account, lane, epoch, plan, plan_path, changesets, total, host, policy_digest, wire_digest, tool,
  approvals, planned, claimed, machine, pid, started, ended, exit_code, stopped, cancelled_by, cancelled_at
FROM runs WHERE plan = :plan ORDER BY position DESC

-- name: get_claims
SELECT id, claimed FROM runs WHERE claimed <> ''

-- name: is_cancelled
SELECT cancelled_at FROM runs WHERE id = :run

-- name: cancel_run
UPDATE runs SET cancelled_by = :by_whom, cancelled_at = :at WHERE id = :run AND cancelled_at IS NULL

-- name: end_run
UPDATE runs SET ended = :at, exit_code = :exit_code, stopped = :stopped WHERE id = :run AND ended IS NULL

-- name: insert_request
INSERT INTO requests (id, run, epoch, at) VALUES (:id, :run, :epoch, :at)

-- name: get_request
SELECT id, run, epoch, at FROM requests WHERE id = :request

-- name: insert_pending
INSERT INTO pending (request, account, run) VALUES (:request, :account, :run)

-- name: get_pending
SELECT p.request, p.account, p.run FROM pending p ORDER BY p.request

-- name: attempts_of_request
SELECT number, account, lead, operation, changeset, kind, delivery, generation, vals, salt, seal
FROM attempts WHERE number >= :low AND number < :high ORDER BY number

-- name: last_attempt
SELECT coalesce(max(id), 0) * 65536 + 65535 FROM requests

-- name: insert_answer
INSERT INTO answers (request, verdict, status, at, outcome, words, salt)
VALUES (:request, :verdict, :status, :at, :outcome, :words, :salt)

-- name: has_answer
SELECT 1 FROM answers WHERE request = :request

-- name: insert_outcome
INSERT INTO outcomes (number, outcome, words, salt) VALUES (:number, :outcome, :words, :salt)

-- name: insert_resolution
INSERT INTO resolutions (number, applied, by_whom, at, note, salt)
VALUES (:number, :applied, :by_whom, :at, :note, :salt)

-- name: insert_doubt
INSERT INTO doubts (number, account, operation) VALUES (:number, :account, :operation) ON CONFLICT (number) DO NOTHING

-- name: delete_doubt
DELETE FROM doubts WHERE number = :number

-- name: get_doubts
SELECT number, account, operation FROM doubts ORDER BY number

-- name: get_doubts_of_account
SELECT number, operation FROM doubts WHERE account = :account ORDER BY number

-- name: take_over_doubts
INSERT INTO doubts (number, account, operation)
SELECT a.number, a.account, a.operation
FROM pending p
CROSS JOIN runs r
CROSS JOIN attempts a
WHERE r.id = p.run AND a.number >= p.request * 65536 AND a.number < (p.request + 1) * 65536
  AND p.account = :account AND (r.lane = :lane OR :every = 1)
ON CONFLICT (number) DO NOTHING

-- name: take_over_pending
DELETE FROM pending
WHERE account = :account AND (:every = 1 OR run IN (SELECT id FROM runs WHERE lane = :lane))

-- name: open_leads
SELECT DISTINCT a.account, a.lead
FROM doubts d CROSS JOIN attempts a WHERE a.number = d.number
UNION
SELECT a.account, a.lead
FROM pending p CROSS JOIN attempts a WHERE a.number >= p.request * 65536 AND a.number < (p.request + 1) * 65536

-- name: add_tally_row
INSERT INTO tallies (account, run, applied, rejected, not_sent) VALUES (:account, :run, 0, 0, 0)
ON CONFLICT (account, run) DO NOTHING

-- name: add_tally
INSERT INTO tallies (account, run, applied, rejected, not_sent)
VALUES (:account, :run, :applied, :rejected, :not_sent)
ON CONFLICT (account, run) DO UPDATE SET applied = tallies.applied + excluded.applied,
  rejected = tallies.rejected + excluded.rejected, not_sent = tallies.not_sent + excluded.not_sent

-- name: get_tallies
SELECT account, run, applied, rejected, not_sent FROM tallies ORDER BY account, run

-- name: resolved_contradictions
SELECT DISTINCT a.account, a.lead
FROM resolutions s
CROSS JOIN answers n
CROSS JOIN attempts a
LEFT JOIN outcomes o ON o.number = s.number
WHERE n.request = s.number / 65536 AND a.number = s.number AND coalesce(o.outcome, n.outcome) <> 'unknown'

-- name: get_erased
SELECT lead FROM erasures WHERE account = :account

-- name: insert_erasure
INSERT INTO erasures (account, lead, by_whom, at) VALUES (:account, :lead, :by_whom, :at)
ON CONFLICT (account, lead) DO NOTHING

-- name: erasable_attempts
SELECT number, vals, salt FROM attempts WHERE account = :account AND lead = :lead AND seal IS NULL

-- name: erase_attempt
UPDATE attempts SET vals = :vals, salt = '', seal = :seal WHERE number = :number

-- name: erasable_outcomes
SELECT o.number, o.words, o.salt FROM attempts a JOIN outcomes o ON o.number = a.number
WHERE a.account = :account AND a.lead = :lead AND o.seal IS NULL

-- name: erase_outcome
UPDATE outcomes SET words = '', salt = '', seal = :seal WHERE number = :number

-- name: erasable_resolutions
SELECT s.number, s.note, s.salt FROM attempts a JOIN resolutions s ON s.number = a.number
WHERE a.account = :account AND a.lead = :lead AND s.seal IS NULL

-- name: erase_resolution
UPDATE resolutions SET note = '', salt = '', seal = :seal WHERE number = :number

-- name: erasable_answers
SELECT n.request, n.words, n.salt, n.seal,
  (SELECT count(DISTINCT b.lead) FROM attempts b
   WHERE b.number >= n.request * 65536 AND b.number < (n.request + 1) * 65536)
FROM answers n
WHERE n.request IN (SELECT a.number / 65536 FROM attempts a WHERE a.account = :account AND a.lead = :lead)

-- name: erase_answer
UPDATE answers SET words = '', salt = '', seal = :seal WHERE request = :request

-- name: plans_of_lead
SELECT DISTINCT r.plan, r.plan_path
FROM attempts a JOIN requests q ON q.id = a.number / 65536 JOIN runs r ON r.id = q.run
WHERE a.account = :account AND a.lead = :lead
ORDER BY r.plan

-- name: insert_event
INSERT INTO events (id, account, kind, by_whom, note, detail, at)
VALUES (:id, :account, :kind, :by_whom, :note, :detail, :at)

-- name: page_of_attempts
SELECT number, account, lead, operation FROM attempts WHERE number > :after ORDER BY number LIMIT :count

-- name: page_of_changeset
SELECT number, account, lead, operation FROM attempts
WHERE number > :after AND changeset = :changeset ORDER BY number LIMIT :count

-- name: page_of_run
SELECT a.number, a.account, a.lead, a.operation
FROM (SELECT id FROM requests WHERE run = :run AND id >= :request ORDER BY id LIMIT :requests) q
JOIN attempts a ON a.number >= q.id * 65536 AND a.number < (q.id + 1) * 65536
ORDER BY a.number

-- name: page_of_operation
SELECT number, account, lead, operation FROM attempts
WHERE number > :after AND operation >= :low AND operation < :high ORDER BY number LIMIT :count

-- name: page_of_chain
SELECT position, account, lane, step, kind, ref, hash FROM chain WHERE position > :after ORDER BY position LIMIT :count

-- name: open_runs
SELECT id, position, account, lane, epoch, plan, plan_path, changesets, total, host, policy_digest, wire_digest, tool,
  approvals, planned, claimed, machine, pid, started, ended, exit_code, stopped, cancelled_by, cancelled_at
FROM runs WHERE ended IS NULL

-- name: open_shared_run
SELECT id, machine, started FROM runs WHERE account = :account AND lane = :lane AND ended IS NULL

-- name: requests_sent
SELECT count(*) FROM requests q LEFT JOIN answers n ON n.request = q.id
WHERE q.run = :run AND coalesce(n.verdict, '') <> 'notsent'

-- name: get_epoch
SELECT epoch FROM lanes WHERE account = :account AND lane = :lane

-- name: settled_by_plan
SELECT r.plan, coalesce(sum(t.applied), 0) FROM runs r JOIN tallies t ON t.run = r.id GROUP BY r.plan

-- name: get_accounts
SELECT account, host, since FROM accounts

-- name: get_name
SELECT account, changeset, kind, name, target, run FROM names
WHERE account = :account AND changeset = :changeset AND kind = :kind AND name = :name

-- name: stray_requests
SELECT count(*) FROM requests

-- name: stray_answers
SELECT count(*) FROM answers

-- name: stray_resolutions
SELECT count(*) FROM resolutions

-- name: stray_erasures
SELECT count(*) FROM erasures

-- name: stray_runs
SELECT count(*) FROM runs

-- name: stray_attempts
SELECT count(*) FROM attempts

-- name: stray_outcomes
SELECT count(*) FROM outcomes

-- name: stray_events
SELECT count(*) FROM events

-- name: page_of_leads
SELECT DISTINCT account, lead FROM attempts
WHERE (account, lead) > (:account, :lead) ORDER BY account, lead LIMIT :count

-- name: spent_counts
SELECT count(DISTINCT CASE WHEN kind NOT IN ('update', 'financials') THEN run || ' ' || operation END),
  count(DISTINCT run || ' ' || lead)
FROM (
  SELECT q.run AS run, a.operation AS operation, a.lead AS lead, a.kind AS kind
  FROM runs r
  JOIN requests q ON q.run = r.id AND q.at >= :since
  JOIN attempts a ON a.number >= q.id * 65536 AND a.number < (q.id + 1) * 65536
  LEFT JOIN answers n ON n.request = q.id
  LEFT JOIN outcomes o ON o.number = a.number
  WHERE r.account = :account AND (r.ended IS NULL OR r.ended >= :since)
    AND coalesce(n.verdict, '') <> 'baseline' AND coalesce(o.outcome, n.outcome, '') <> 'not_sent'
) intended

-- name: spent_values
SELECT q.run, a.operation, max(a.vals)
FROM runs r
CROSS JOIN requests q
CROSS JOIN attempts a
LEFT JOIN answers n ON n.request = q.id
LEFT JOIN outcomes o ON o.number = a.number
WHERE q.run = r.id AND q.at >= :since AND a.number >= q.id * 65536 AND a.number < (q.id + 1) * 65536
  AND r.account = :account AND (r.ended IS NULL OR r.ended >= :since) AND a.kind = 'financials'
  AND coalesce(n.verdict, '') <> 'baseline' AND coalesce(o.outcome, n.outcome, '') <> 'not_sent'
GROUP BY q.run, a.operation

-- The index of every kind but updates is meant here: SQLite needs its condition word for word to see that.
-- name: get_last_amounts
SELECT vals FROM attempts
WHERE account = :account AND kind = 'financials' AND kind <> 'update' AND delivery = '' AND vals LIKE :pattern
ORDER BY number DESC LIMIT :limit

-- name: has_delivery
SELECT 1 FROM attempts
WHERE account = :account AND kind = 'trigger' AND kind <> 'update' AND delivery = :delivery LIMIT 1

-- name: has_buyer
SELECT 1 FROM attempts
WHERE account = :account AND kind = 'financials' AND kind <> 'update' AND delivery = '' AND vals LIKE :pattern ESCAPE '!'
LIMIT 1

-- name: records_after
SELECT kind, ref FROM chain
WHERE position > :position AND account = :account AND kind IN ('request', 'answer', 'resolution', 'erasure', 'name')

-- name: attempts_after
SELECT a.changeset, count(*)
FROM chain c
CROSS JOIN requests q
CROSS JOIN attempts a
WHERE c.position > :position AND c.account = :account AND c.kind = 'request'
  AND q.id = CAST(c.ref AS BIGINT) AND a.number >= q.id * 65536 AND a.number < (q.id + 1) * 65536
GROUP BY a.changeset

-- Operations that a plan's runs sent, or may have sent.
-- name: operations_tried
SELECT count(DISTINCT a.operation)
FROM runs r
CROSS JOIN requests q
CROSS JOIN attempts a
LEFT JOIN answers n ON n.request = q.id
LEFT JOIN outcomes o ON o.number = a.number
WHERE r.plan = :plan AND q.run = r.id AND a.number >= q.id * 65536 AND a.number < (q.id + 1) * 65536
  AND coalesce(o.outcome, n.outcome, '') <> 'not_sent'
