-- The timed lease of PostgreSQL. Times are the database's own clock, in milliseconds.

-- name: see_lanes
SELECT account, lane, epoch, holder, host, pid, since,
  holder <> '' AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM lanes WHERE account = :account ORDER BY lane

-- name: lock_lanes
SELECT account, lane, epoch, holder, host, pid, since,
  holder <> '' AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM lanes WHERE account = :account ORDER BY lane FOR UPDATE

-- Taking a lane locks the account's own row too, so leases are taken one by one; who holds another lane goes on.
-- name: lock_two_lanes
SELECT account, lane, epoch, holder, host, pid, since,
  holder <> '' AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM lanes WHERE account = :account AND lane IN ('', :lane) ORDER BY lane FOR UPDATE

-- An epoch belongs to one lease of the account, whatever its lane: a request's epoch tells whose it is.
-- name: take_lane
UPDATE lanes SET epoch = (SELECT max(l.epoch) + 1 FROM lanes l WHERE l.account = :account), holder = :holder, host = :host, pid = :pid, since = :since, token = :token,
  backend = :backend, backend_started = :backend_started, role = :role,
  expires = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + :span
WHERE account = :account AND lane = :lane

-- name: find_token
SELECT epoch FROM lanes WHERE account = :account AND lane = :lane AND token = :token

-- name: renew_lane
UPDATE lanes SET expires = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + :span
WHERE account = :account AND lane = :lane AND epoch = :epoch AND holder <> ''
  AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint

-- Locks the row and, where the lease has not run out, extends it as renew_lane does, from the session that commits for
-- it: after a lost connection that is another one. What RETURNING sees was set here, or has run out and stays so.
-- name: lock_lease
UPDATE lanes SET
  expires = CASE WHEN own.held THEN (extract(epoch FROM clock_timestamp()) * 1000)::bigint + :span ELSE lanes.expires END,
  backend = CASE WHEN own.held THEN :backend ELSE lanes.backend END,
  backend_started = CASE WHEN own.held THEN :backend_started ELSE lanes.backend_started END,
  role = CASE WHEN own.held THEN :role ELSE lanes.role END
FROM (
  SELECT account, lane, epoch = :epoch AND holder <> ''
    AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS held
  FROM lanes WHERE account = :account AND lane = :lane FOR UPDATE
) own
WHERE lanes.account = own.account AND lanes.lane = own.lane
RETURNING lanes.step, lanes.head, own.held

-- The session of this connection, as the server shows it to others; a process id alone may belong to another process by now.
-- name: own_session
SELECT pid::bigint, (extract(epoch FROM backend_start) * 1000000)::bigint::text, usename::text
FROM pg_stat_activity WHERE pid = pg_backend_pid()

-- A row for as long as the session is there.
-- name: end_session
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = :backend AND usename = :role AND (extract(epoch FROM backend_start) * 1000000)::bigint::text = :backend_started

-- Sessions whose lease ran out and that may still keep locks of the lane: their process was stopped.
-- name: end_expired_sessions
SELECT pg_terminate_backend(s.pid)
FROM lanes l
JOIN pg_stat_activity s ON s.pid = l.backend AND s.usename = l.role
  AND (extract(epoch FROM s.backend_start) * 1000000)::bigint::text = l.backend_started
WHERE l.account = :account AND l.lane IN (:lane, CASE WHEN :lane = '' THEN l.lane ELSE '' END) AND l.holder <> ''
  AND l.expires <= (extract(epoch FROM clock_timestamp()) * 1000)::bigint AND s.pid <> pg_backend_pid()

-- name: give_lane_back
UPDATE lanes SET holder = '', expires = 0 WHERE account = :account AND lane = :lane AND epoch = :epoch

-- name: fence_lane
UPDATE lanes SET epoch = (SELECT max(l.epoch) + 1 FROM lanes l WHERE l.account = :account), holder = '', expires = 0
WHERE account = :account AND lane = :lane AND holder <> ''

-- name: take_over_doubts_of_lease
INSERT INTO doubts (number, account, operation)
SELECT a.number, a.account, a.operation
FROM pending p
JOIN requests q ON q.id = p.request
JOIN attempts a ON a.number >= p.request * 65536 AND a.number < (p.request + 1) * 65536
WHERE p.account = :account AND q.epoch = :epoch
ON CONFLICT (number) DO NOTHING

-- name: take_over_pending_of_lease
DELETE FROM pending p USING requests q WHERE q.id = p.request AND p.account = :account AND q.epoch = :epoch
