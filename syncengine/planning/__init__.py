"""Builds plans from declared operations, and reads saved plans.

Used by the layers above it; it imports none of its siblings.
"""

from syncengine.planning.build import PlanRequest, build_plan
from syncengine.planning.plan_search import search_plan
from syncengine.planning.planfile import PlanFile, PlanWriter, open_plan
from syncengine.planning.sealed_plans import Identities, Seal, SealedPlan

__all__ = [
    "Identities",
    "PlanFile",
    "PlanRequest",
    "PlanWriter",
    "Seal",
    "SealedPlan",
    "build_plan",
    "open_plan",
    "search_plan",
]
