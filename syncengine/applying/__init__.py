"""An approved plan becomes attempts and outcomes."""

from syncengine.applying.apply import ApplyRequest, World, apply_plan

__all__ = ["ApplyRequest", "World", "apply_plan"]
