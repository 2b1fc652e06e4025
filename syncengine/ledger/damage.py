"""Attributes errors to a damaged ledger: a changed byte in a record can look like a bug, or like another ledger."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from syncengine.core.errors import LedgerDamaged, SyncError, WrongLedger
from syncengine.ledger.engine import Engine


@contextlib.contextmanager
def blaming_damage(engine: Engine, deeper: Callable[[], object] | None = None) -> Iterator[None]:
    """Raise LedgerDamaged in place of an unexpected error, or of WrongLedger, if the ledger turns out to be damaged.

    `deeper` returns the findings of a slower check; it is called after unexpected errors only.
    """
    try:
        yield
    except (LedgerDamaged, OSError):
        raise
    except WrongLedger as error:
        _blame(engine, None, error)
        raise
    except SyncError:
        raise
    except Exception as error:
        _blame(engine, deeper, error)
        raise


def _blame(engine: Engine, deeper: Callable[[], object] | None, error: Exception) -> None:
    try:
        found = engine.damage(1)
        unsound = bool(found) or (deeper is not None and bool(deeper()))
    except LedgerDamaged as damage:
        raise damage from error
    except SyncError:
        return
    except Exception as unreadable:  # The check reads the same unverified records, so it can fail in the same way.
        raise LedgerDamaged(engine.url, "a record cannot be read") from unreadable
    if unsound:
        raise LedgerDamaged(engine.url, found[0] if found else "records do not fit their hash chain") from error
