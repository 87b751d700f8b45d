"""Steps to Alembic operations. What is not understood to the last detail is carried as the step's own SQL.

A guard that protects exactly the object its statement creates is an idempotence guard: both become one operation.
Any other guard stays with its statement, verbatim.
"""

from omega_bridge.revisions.lifting.render import render
from omega_bridge.revisions.lifting.steps import Lifted, Part, lift, lift_attempted, once_more, verbatim_operation

__all__ = ["Lifted", "Part", "lift", "lift_attempted", "once_more", "render", "verbatim_operation"]
