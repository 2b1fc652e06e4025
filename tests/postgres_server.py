"""A real PostgreSQL server for tests: its own cluster in a temporary folder, on loopback, gone with the session.

A missing PostgreSQL fails the tests that need it: set SYNCENGINE_POSTGRES_BIN to the folder that holds initdb.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

_UNPRIVILEGED = ("postgres", "nobody")
_TRIES = 600


def _binaries() -> Path:
    named = os.environ.get("SYNCENGINE_POSTGRES_BIN")
    places = [Path(named)] if named else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        places.append(Path(found).parent)
    for place in places:
        if (place / "initdb").exists():
            return place
    pytest.fail("PostgreSQL is not installed: these tests need initdb and postgres (package postgresql)")


def _account() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.fail("running as root, and there is no unprivileged user to run PostgreSQL as")


def _free_port() -> int:
    """A port below those that connections get: a server that is started again must find its own still free."""
    while True:
        port = random.randrange(15_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class PostgresServer:
    """A cluster that can be stopped, killed and started again. `url(name)` addresses one of its databases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bin = _binaries()
        self._user = _account()
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self.port = _free_port()

    def _command(self, *arguments: str) -> subprocess.Popen[bytes]:
        user = self._user
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                [str(self._bin / arguments[0]), *arguments[1:]],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
                env={"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", "")},
            )

    def create(self) -> None:
        """Make the cluster and start it."""
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        made = self._command("initdb", "-D", "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
        assert made.wait() == 0, self._log()
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "300",
            "shared_buffers": "32MB",
            # The machine never crashes in these tests, only processes do: what was written is then safe all the same.
            "fsync": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = self._command("postgres", "-D", "data", *options)
        for _ in range(_TRIES):
            assert self._process.poll() is None, self._log()
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        pytest.fail(f"PostgreSQL does not answer: {self._log()}")

    def freeze(self) -> None:
        """Stop every process of the server (SIGSTOP): connections stay open, and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in [self._process.pid, *map(int, children)]:
            os.kill(pid, number)

    def stop(self) -> None:
        """Break all connections and stop at once; nothing that was committed is lost."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def url(self, database: str) -> str:
        """Address of a database."""
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Address of a fresh, empty database."""
        self._databases += 1
        name = f"test_{self._databases}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def _log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")[-2000:]


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A server of its own. It lies outside pytest's folders: those are closed to the user that it runs as."""
    folder = Path(tempfile.mkdtemp(prefix="syncengine-postgres-"))
    server = PostgresServer(folder)
    try:
        server.create()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the whole session."""
    with running_server() as server:
        yield server
