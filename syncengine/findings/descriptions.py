"""Every rule's description, in the order of the documentation; those of rules that other packages judge are here."""

from __future__ import annotations

from syncengine.core.finding import RULES
from syncengine.findings.conflict import Conflict
from syncengine.findings.field_unknown import FieldUnknown
from syncengine.findings.fold import FROM_LINES
from syncengine.findings.lead_unknown import LeadUnknown
from syncengine.findings.moved_since import ABOUT as MOVED_SINCE
from syncengine.findings.rows_taken import ABOUT as ROWS_TAKEN
from syncengine.findings.rule import Description, Rule
from syncengine.findings.shared_lead import SharedLead
from syncengine.findings.unknown_target import UnknownTarget

_ELSEWHERE = (
    Description(
        name="stale-observation",
        severity="medium",
        threshold="observed values that are not younger than what was sent for the same field, and were ignored",
        example="12 values of export.csv are older than what was sent",
    ),
    Description(
        name="undeclared",
        severity="medium, info",
        threshold="operations on record that their changeset's file no longer declares (up to 200,000 on record "
        "for each changeset); info where all that is missing was applied",
        example="a delivery in doubt whose lines were deleted",
    ),
    Description(
        name="last-run",
        severity="medium",
        threshold="the policy, its signers or the wire settings are not those of the account's last run",
        example="max_payout was raised since",
    ),
    Description(
        name="unfinished-plan",
        severity="medium",
        threshold="a plan of the same changesets was applied in part, no later one of them in full, and this plan does "
        "not continue it (the message says why)",
        example="run 20261120-1 stopped after 498 of 500 operations",
    ),
)

_RULES: tuple[type[Rule], ...] = (*FROM_LINES, Conflict, SharedLead, LeadUnknown, FieldUnknown, UnknownTarget)

DESCRIPTIONS: tuple[Description, ...] = tuple(
    sorted(
        (
            *(rule.about for rule in _RULES),
            ROWS_TAKEN,
            MOVED_SINCE,
            *_ELSEWHERE,
        ),
        key=lambda about: list(RULES).index(about.name),
    )
)
