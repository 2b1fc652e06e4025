-- Schema 3: what the plan of a run was made from, as JSON: ledger position, digests of its parts, selection; '' before.

ALTER TABLE runs ADD COLUMN planned TEXT NOT NULL DEFAULT '';
