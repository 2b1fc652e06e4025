"""The durable record of intents, attempts, outcomes, runs and resolutions, in SQLite or PostgreSQL."""

from syncengine.ledger.open_ledger import create_ledger, migrate_ledger, open_ledger, open_view
from syncengine.ledger.operations import Ledger

__all__ = ["Ledger", "create_ledger", "migrate_ledger", "open_ledger", "open_view"]
