"""What the steps mean: programs, effects, guards, kinds. Pure functions over parse trees."""

from omega_bridge.analysis.analysis import Analysis, StepAnalysis, analyse, with_escapes
from omega_bridge.analysis.program import Effect, Program, Sql, statements
from omega_bridge.analysis.programs import read_program
from omega_bridge.analysis.reading import StepKind

__all__ = [
    "Analysis",
    "Effect",
    "Program",
    "Sql",
    "StepAnalysis",
    "StepKind",
    "analyse",
    "read_program",
    "statements",
    "with_escapes",
]
