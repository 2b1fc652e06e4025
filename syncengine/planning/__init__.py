"""Declared operations become a plan that someone can approve."""

from syncengine.planning.build import PlanRequest, build_plan
from syncengine.planning.planfile import PlanFile, PlanWriter, open_plan

__all__ = ["PlanFile", "PlanRequest", "PlanWriter", "build_plan", "open_plan"]
