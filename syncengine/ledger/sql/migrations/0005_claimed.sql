-- Schema 5: what CI says about who approved a run; '' where it said nothing, and before.

ALTER TABLE runs ADD COLUMN claimed TEXT NOT NULL DEFAULT '';
SQLITE DROP INDEX runs_twin;
SQLITE CREATE INDEX runs_twin ON runs (id, account, lane, epoch, plan, plan_path, changesets, total, host, policy_digest,
  wire_digest, tool, approvals, planned, claimed, machine, pid, started, ended, exit_code, stopped, cancelled_by,
  cancelled_at);
