"""Two openings of one ledger file in one process must not disturb each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from syncengine.api import Project
from tests.crash.bench import Bench

_OPEN_AND_CLOSE = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM meta').fetchall()"


def test_a_second_opening_leaves_the_first_ones_locks_alone(tmp_path: Path) -> None:
    # Closing any descriptor of the file would drop every lock that this process holds on it. Another process that
    # then closes the ledger takes itself for the last one and deletes the write-ahead log: intents would be lost.
    with Bench(tmp_path) as bench:
        assert bench.send("first", {"lead": "11", "update": {"c1": "a"}}).code == 0
        project = Project.open(tmp_path / "syncengine.yaml")
        database = tmp_path / ".syncengine" / "ledger.db"
        with project.ledger() as writer:
            position = writer.identity().position
            with project.view() as view:
                assert view is not None
            subprocess.run([sys.executable, "-c", _OPEN_AND_CLOSE, str(database)], check=True)
            assert database.with_name("ledger.db-wal").exists()
            assert writer.release("acme", by="ann", note="nobody is there")
            assert writer.identity().position > position
            with project.view() as view:
                assert view is not None
                assert view.identity().position == writer.identity().position
