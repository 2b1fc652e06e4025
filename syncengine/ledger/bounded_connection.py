"""A psycopg connection with a client-side time-out. Imported only where PostgreSQL is used."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")
Row = tuple[Any, ...]


class BoundedConnection(psycopg.Connection[Row]):
    """Every wait for the server ends after `patience` seconds (None: no limit) with OperationalError.

    The connection is then closed, so that a late answer is never taken for the answer to another statement.

    Server-side time-outs do not help when the server hangs, and TCP's only when its machine is down.
    """

    patience: float | None = None

    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        """Drive one exchange with the server. See psycopg.Connection.wait."""
        try:
            return super().wait(self._bounded(gen) if self.patience else gen, *args, **kwargs)
        except _NoAnswer:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer from the server for {self.patience:.0f} seconds") from None

    def _bounded(self, gen: PQGen[T]) -> PQGen[T]:
        # The driver resumes the generator ten times a second although nothing arrived; `ready` is then empty.
        end = time.monotonic() + (self.patience or 0)
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > end:
                    gen.close()
                    raise _NoAnswer
                wanted = gen.send(ready)
        except StopIteration as done:
            result: T = done.value
            return result


class _NoAnswer(Exception):
    pass
