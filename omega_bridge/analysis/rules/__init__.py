"""The rules, one file each: what stands in this folder is what there is.

A rule's module carries the rule's name and ends in ``RULE``. Its page is ``docs/rules/<rule>.md``.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from omega_bridge.analysis.findings import Rule


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by name."""
    found = [
        importlib.import_module(f"{__name__}.{module.name}").RULE
        for module in pkgutil.iter_modules(__path__)
        if not module.name.startswith("_")
    ]
    return tuple(sorted(found, key=lambda rule: rule.name))
