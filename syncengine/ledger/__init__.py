"""The durable record of intents, attempts, outcomes, runs and resolutions, in SQLite or PostgreSQL.

The only importer of database drivers for what is recorded. For project, api, distributed and the command line, which
open it; planning and applying see the ports of core.
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

__all__ = ["Ledger", "create_ledger", "known_before", "migrate_ledger", "open_behind", "open_ledger", "open_view"]
