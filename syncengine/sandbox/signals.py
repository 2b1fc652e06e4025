"""Sends signals to the process under test, at a step of a request that only the server can observe."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path

from syncengine.sandbox.faults import Signal

_SIGNALS = {"KILL": signal.SIGKILL, "STOP": signal.SIGSTOP, "TERM": signal.SIGTERM, "INT": signal.SIGINT}


def _is_another_process(pid: int) -> bool:
    # 0 and less address groups of processes, and 1 is the system's first process.
    return pid > 1 and pid != os.getpid()


def send_signal(order: Signal, base: Path) -> bool:
    """Send the signal. False where there is no such process, or no readable pid in the file (relative to `base`).

    Never sent to process groups or to the sandbox itself.
    """
    pid = order.pid if order.pid is not None else _pid_in(base / (order.pid_file or ""))
    if pid is None or not _is_another_process(pid):
        return False
    try:
        os.kill(pid, _SIGNALS[order.send])
    except (ProcessLookupError, PermissionError):
        return False
    if order.send == "STOP" and order.continue_after is not None:
        timer = threading.Timer(order.continue_after, _continue, [pid])
        timer.daemon = True
        timer.start()
    return True


def _continue(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGCONT)


def _pid_in(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
