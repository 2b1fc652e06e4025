"""Executes an approved plan through ports: callers pass in the ledger and the gateway.

Used by api, distributed and the command line; imports neither ledger, leadbyte nor changeset.
"""

from syncengine.applying.apply import ApplyRequest, RuntimeDependencies, apply_plan

__all__ = ["ApplyRequest", "RuntimeDependencies", "apply_plan"]
