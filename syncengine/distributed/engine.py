"""Adapter of the job engine: its schema, the jobs that announce shards, and the application that workers run.

A job holds ids only. The ledger's lease, not the engine's lock, ensures that no two workers are on one lane: a worker
that resumes late may still end its job, which would free the lock of the worker that took over. A lost, duplicated or
wrongly ended job therefore costs time only. See docs/decisions/0007-shards-lanes-and-an-engine-for-jobs.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from syncengine.core.errors import ConfigError
from syncengine.distributed.store import SCHEMA, Row, run

if TYPE_CHECKING:
    import procrastinate
    import psycopg

TASK = "syncengine.shard"
_CONNECT_SECONDS = 10


def require_engine() -> None:
    """Raise ConfigError where the job engine is not installed."""
    try:
        import procrastinate  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "submit and worker need the extra [distributed]",
            code="SE557",
            hint="install it: pip install 'leadbyte-syncengine[distributed]'",
        ) from error


class _EngineMessages(logging.Handler):
    """What the engine, its pool and its event loop would print on stderr, with tracebacks, as one sentence each."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        lines = record.getMessage().splitlines() or [""]
        self._note(f"the job engine reports: {lines[0]}" + (f" ({type(error).__name__})" if error else ""))


@contextmanager
def engine_messages(note: Callable[[str], None]) -> Iterator[None]:
    """Within the context, warnings and errors of the engine become notes."""
    loggers = [logging.getLogger(name) for name in ("procrastinate", "psycopg", "asyncio")]
    handler = _EngineMessages(note)
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagate


def engine_schema() -> str:
    """The engine's tables and functions, as SQL."""
    from procrastinate.schema import SchemaManager

    return SchemaManager.get_schema()


def announce(connection: psycopg.Connection[Row], queue: str, run_id: str, shard: int) -> None:
    """Inside a transaction: enqueue the job of a shard. Workers see it once the transaction is committed."""
    job = _announcer().configure_task(TASK, queue=queue, connection=connection).defer(run=run_id, shard=shard)
    run(connection, "set_job", run=run_id, number=shard, job=job)


def application(dsn: str, connections: int) -> procrastinate.App:
    """The engine's application for a worker process. The caller opens it."""
    import procrastinate

    async def configure(connection: psycopg.AsyncConnection[Any]) -> None:
        # The engine's functions name its tables without their schema. The other settings are those of the store: a
        # process that is stopped inside a transaction must not keep a job locked.
        for statement in (
            f"SET search_path TO {SCHEMA}",
            "SET idle_in_transaction_session_timeout TO '15s'",
            "SET lock_timeout TO '30s'",
        ):
            await connection.execute(statement.encode())
        await connection.commit()

    connector = procrastinate.PsycopgConnector(
        conninfo=dsn,
        configure=configure,
        min_size=1,
        max_size=connections,
        timeout=_CONNECT_SECONDS,
        kwargs={"connect_timeout": _CONNECT_SECONDS},
    )
    return procrastinate.App(connector=connector)


@cache
def _announcer() -> procrastinate.App:
    """An application without connections of its own: it defers jobs on the caller's connection."""
    import procrastinate

    return procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
