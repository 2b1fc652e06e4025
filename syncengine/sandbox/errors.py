"""What stops a sandbox from starting."""

from __future__ import annotations


class SandboxError(Exception):
    """The sandbox cannot start, or cannot go on: the message says why, where, and what to do."""
