"""An approved plan becomes attempts and outcomes."""

from syncengine.applying.apply import ApplyRequest, RuntimeDependencies, apply_plan

__all__ = ["ApplyRequest", "RuntimeDependencies", "apply_plan"]
