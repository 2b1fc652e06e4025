"""An approved plan becomes attempts and outcomes, through ports: it is handed its ledger and its gateway.

For api, distributed and the command line; it imports neither ledger, leadbyte nor changeset.
"""

from syncengine.applying.apply import ApplyRequest, RuntimeDependencies, apply_plan

__all__ = ["ApplyRequest", "RuntimeDependencies", "apply_plan"]
