"""`python -m syncengine` and the console script."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line of this process; returns the exit code."""
    from syncengine.cli.main import run

    # A command that is terminated cleans up and exits 130, like one that is interrupted.
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
