"""Analysis and catalog to a plan: what would each step change? Pure."""

from omega_bridge.outcomes import Action
from omega_bridge.planning.evaluate import Evaluation, evaluate, lacking
from omega_bridge.planning.plan import Plan, PlannedStep, Planner, make_plan
from omega_bridge.planning.world import World

__all__ = [
    "Action",
    "Evaluation",
    "Plan",
    "PlannedStep",
    "Planner",
    "World",
    "evaluate",
    "lacking",
    "make_plan",
]
