"""Errors that prevent a sandbox from starting."""

from __future__ import annotations


class SandboxError(Exception):
    """The sandbox cannot start, or cannot continue. The message says why, where, and what to do."""
