-- The timed lease of PostgreSQL. Times are the database's own clock, in milliseconds.

-- name: see_lanes
SELECT account, lane, epoch, holder, host, pid, since,
  holder <> '' AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM lanes WHERE account = :account ORDER BY lane

-- name: lock_lanes
SELECT account, lane, epoch, holder, host, pid, since,
  holder <> '' AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM lanes WHERE account = :account ORDER BY lane FOR UPDATE

-- Whoever takes a lane locks the account's own row too, so leases are taken one by one; who holds another lane goes on.
-- name: lock_two_lanes
SELECT account, lane, epoch, holder, host, pid, since,
  holder <> '' AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM lanes WHERE account = :account AND lane IN ('', :lane) ORDER BY lane FOR UPDATE

-- An epoch belongs to one lease of the account, whatever its lane: a request's epoch tells whose it is.
-- name: take_lane
UPDATE lanes SET epoch = (SELECT max(l.epoch) + 1 FROM lanes l WHERE l.account = :account), holder = :holder, host = :host, pid = :pid, since = :since, token = :token,
  expires = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + :span
WHERE account = :account AND lane = :lane

-- name: find_token
SELECT epoch FROM lanes WHERE account = :account AND lane = :lane AND token = :token

-- name: renew_lane
UPDATE lanes SET expires = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + :span
WHERE account = :account AND lane = :lane AND epoch = :epoch AND holder <> ''
  AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint

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
