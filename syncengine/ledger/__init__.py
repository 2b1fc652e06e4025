"""The durable record of intents, attempts, outcomes, runs and resolutions, in SQLite or PostgreSQL.

The only package that imports database drivers for the ledger. Used by project, api, distributed and the command line,
which open it; planning and applying depend on the ports of core instead.
"""

from syncengine.ledger.open_ledger import (
    create_ledger,
    known_before,
    migrate_ledger,
    open_behind,
    open_ledger,
    open_view,
)
from syncengine.ledger.operations import Ledger
from syncengine.ledger.past import PastLedger

__all__ = [
    "Ledger",
    "PastLedger",
    "create_ledger",
    "known_before",
    "migrate_ledger",
    "open_behind",
    "open_ledger",
    "open_view",
]
