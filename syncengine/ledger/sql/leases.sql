-- The timed lease of PostgreSQL. Times are the database's own clock, in milliseconds.

-- name: see_lanes
SELECT account, lane, epoch, holder, host, pid, since,
  holder <> '' AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM lanes WHERE account = :account ORDER BY lane

-- name: lock_lanes
SELECT account, lane, epoch, holder, host, pid, since,
  holder <> '' AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM lanes WHERE account = :account ORDER BY lane FOR UPDATE

-- name: take_lane
UPDATE lanes SET epoch = epoch + 1, holder = :holder, host = :host, pid = :pid, since = :since, token = :token,
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
