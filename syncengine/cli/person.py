"""Who is at the keyboard, where nobody was named."""

from __future__ import annotations

import getpass
import os


def this_user() -> str:
    """The name of this machine's user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
