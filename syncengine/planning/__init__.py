"""Declared operations become a plan that someone can approve, and a saved plan is read back.

For the layers above it; it knows none of its siblings.
"""

from syncengine.planning.build import PlanRequest, build_plan
from syncengine.planning.planfile import PlanFile, PlanWriter, open_plan
from syncengine.planning.sealing import Identities, Seal, SealedPlan

__all__ = [
    "Identities",
    "PlanFile",
    "PlanRequest",
    "PlanWriter",
    "Seal",
    "SealedPlan",
    "build_plan",
    "open_plan",
]
