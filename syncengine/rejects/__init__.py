"""Source rows whose operations were rejected or not sent, as tables that can be sources again.

Sends nothing and changes no record.
"""

from syncengine.rejects.outcomes import AppliedPlan, RowOutcomes, joined_outcomes, row_outcomes
from syncengine.rejects.run import plan_of_file, plan_of_run
from syncengine.rejects.tables import TableCounts, write_table
from syncengine.rejects.verified_sources import VerifiedInputs, VerifiedSource, verified_inputs

__all__ = [
    "AppliedPlan",
    "RowOutcomes",
    "TableCounts",
    "VerifiedInputs",
    "VerifiedSource",
    "joined_outcomes",
    "plan_of_file",
    "plan_of_run",
    "row_outcomes",
    "verified_inputs",
    "write_table",
]
