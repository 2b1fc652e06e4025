"""The user's pager, for views longer than the terminal."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

_DEFAULT = "less"
_LESS = "FRX"
"""As git does: quit where it fits one screen, show colours, and leave the text on the screen."""


def page(lines: Sequence[str], environ: Mapping[str, str], *, height: int) -> bool:
    """Show `lines` in the pager; False where they fit `height` lines, or there is no pager.

    PAGER names the pager and its options; empty or `cat` means none.
    """
    if height <= 0 or len(lines) < height:
        return False
    try:
        command = shlex.split(environ.get("PAGER", _DEFAULT))
    except ValueError:
        return False
    if not command or command[0] == "cat" or shutil.which(command[0], path=environ.get("PATH")) is None:
        return False
    return _run(command, "\n".join(lines) + "\n", {"LESS": _LESS, "LV": "-c", **environ})


def _run(command: Sequence[str], text: str, environ: Mapping[str, str]) -> bool:
    # Ctrl-C is for the pager: less takes it as "stop searching", and we must outlive it to give the terminal back.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=dict(environ)) as pager:
            if pager.stdin is not None:
                with suppress(BrokenPipeError):
                    pager.stdin.write(text.encode("utf-8", "replace"))
                with suppress(BrokenPipeError):
                    pager.stdin.close()
            pager.wait()
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGINT, before)
    return True
