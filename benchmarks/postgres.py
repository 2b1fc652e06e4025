"""A PostgreSQL cluster of its own for one measurement, with fsync on; None where PostgreSQL is not installed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def _binaries() -> Path | None:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        places.append(Path(found).parent)
    return next((place for place in places if (place / "initdb").exists()), None)


def _user() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses to run as root."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _start(command: list[str], folder: Path, user: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        user=user.pw_uid if user else None, group=user.pw_gid if user else None, extra_groups=[] if user else None,
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", "")},
    )  # fmt: skip


@contextmanager
def server() -> Iterator[str | None]:
    """Address of the server's maintenance database."""
    binaries = _binaries()
    if binaries is None:
        yield None
        return
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="syncengine-postgres-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        made = _start(
            [str(binaries / "initdb"), "-D", "data", "-U", "tester", "-A", "trust", "-E", "UTF8"], folder, user
        )
        made.wait()
        options = ["-c", f"port={port}", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        child = _start([str(binaries / "postgres"), "-D", "data", *options], folder, user)
        try:
            address = f"postgresql://tester@127.0.0.1:{port}"
            _wait_for(f"{address}/postgres")
            yield address
        finally:
            child.send_signal(signal.SIGINT)
            child.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(address: str) -> None:
    import psycopg

    for _ in range(200):
        try:
            psycopg.connect(address, connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("PostgreSQL does not answer")


def new_database(address: str, name: str) -> str:
    """A fresh database."""
    import psycopg

    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{address}/{name}"
