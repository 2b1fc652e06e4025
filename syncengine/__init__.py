"""Reviewed, at-most-once changes to live LeadByte leads. See `syncengine.api` for load, plan and apply."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from syncengine.api import Planned, apply, load, plan
    from syncengine.core.errors import SyncError
    from syncengine.project import Project

__all__ = ["Planned", "Project", "SyncError", "__version__", "apply", "load", "plan"]


def __getattr__(name: str) -> object:
    # Imported on first use: the command line starts in milliseconds because it imports only what it needs.
    if name == "SyncError":
        return import_module("syncengine.core.errors").SyncError
    if name == "Project":
        return import_module("syncengine.project").Project
    if name in __all__:
        return getattr(import_module("syncengine.api"), name)
    raise AttributeError(f"module 'syncengine' has no attribute {name!r}")
