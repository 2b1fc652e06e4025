"""The user of this machine, for commands that record a name."""

from __future__ import annotations

import getpass
import os


def this_user() -> str:
    """The name of this machine's user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
