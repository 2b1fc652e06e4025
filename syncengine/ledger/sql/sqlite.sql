-- What SQLite says in its own way.

-- name: has_schema
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta'

-- The row's key is its position: one more than the largest.
-- name: append_chain
INSERT INTO chain (account, lane, step, kind, ref, hash) VALUES (:account, :lane, :step, :kind, :ref, :hash)

-- name: take_requests
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
SELECT (SELECT coalesce(max(id), 0) FROM requests) + i FROM n

-- name: lock_lane
SELECT epoch, step, head FROM lanes WHERE account = :account AND lane = :lane

-- name: live_lanes
SELECT account, lane, epoch FROM lanes WHERE holder <> ''

-- name: insert_attempts
INSERT INTO attempts (number, account, lead, operation, changeset, kind, delivery, generation, vals, salt)
VALUES (:number, :account, :lead, :operation, :changeset, :kind, :delivery, :generation, :vals, :salt)

-- name: delete_pending
DELETE FROM pending WHERE request IN (SELECT value FROM json_each(:requests))

-- name: erased_among
SELECT e.lead FROM json_each(:leads) j CROSS JOIN erasures e ON e.account = :account AND e.lead = j.value

-- name: histories
SELECT a.lead, a.number, a.operation, a.changeset, a.kind, a.delivery, a.generation, a.vals
FROM json_each(:leads) j
CROSS JOIN attempts a ON a.account = :account AND a.lead = j.value

-- name: sendings
SELECT q.id, q.run, q.epoch, q.at, n.outcome, n.words, n.at
FROM json_each(:requests) j
CROSS JOIN requests q ON q.id = j.value
LEFT JOIN answers n ON n.request = q.id

-- name: own_outcomes
SELECT o.number, o.outcome, o.words FROM json_each(:numbers) j CROSS JOIN outcomes o ON o.number = j.value

-- name: answers_of
SELECT n.request, n.verdict, n.status, n.at, n.outcome, n.words, n.salt, n.seal
FROM json_each(:requests) j CROSS JOIN answers n ON n.request = j.value

-- name: runs_of
SELECT id, position, account, lane, epoch, plan, plan_path, changesets, total, host, policy_digest, wire_digest, tool,
  approvals, planned, claimed, machine, pid, started, ended, exit_code, stopped, cancelled_by, cancelled_at
FROM runs WHERE id IN (SELECT value FROM json_each(:ids))

-- name: requests_of
SELECT q.id, q.run, q.epoch, q.at FROM json_each(:requests) j CROSS JOIN requests q ON q.id = j.value

-- name: attempts_of
SELECT a.number, a.account, a.lead, a.operation, a.changeset, a.kind, a.delivery, a.generation, a.vals, a.salt, a.seal
FROM json_each(:requests) j CROSS JOIN attempts a ON a.number >= j.value * 65536 AND a.number < (j.value + 1) * 65536
ORDER BY a.number

-- name: outcomes_of
SELECT o.number, o.outcome, o.words, o.salt, o.seal
FROM json_each(:requests) j CROSS JOIN outcomes o ON o.number >= j.value * 65536 AND o.number < (j.value + 1) * 65536
ORDER BY o.number

-- name: resolutions_of
SELECT s.number, s.applied, s.by_whom, s.at, s.note, s.salt, s.seal
FROM json_each(:numbers) j CROSS JOIN resolutions s ON s.number = j.value

-- name: erasures_of
SELECT e.account, e.lead, e.by_whom, e.at FROM erasures e
WHERE e.account = :account AND e.lead IN (SELECT value FROM json_each(:leads))

-- name: events_of
SELECT id, account, kind, by_whom, note, detail, at FROM events WHERE id IN (SELECT value FROM json_each(:ids))

-- name: lock_schema
SELECT 1

-- name: attempts_numbered
SELECT a.account, a.lead, a.number FROM json_each(:numbers) j CROSS JOIN attempts a ON a.number = j.value

-- From the newest attempt back: sorting all attempts of an account would take longer than planning.
-- name: get_last_values
SELECT vals FROM attempts NOT INDEXED WHERE account = :account AND kind = 'update' ORDER BY number DESC LIMIT :limit
