"""What the variables of a PL/pgSQL block hold, as far as it is known: the answers of look-ups in the catalog."""

from __future__ import annotations

import re
from collections import Counter

from omega_bridge.analysis.guards import ROW, Scalar
from omega_bridge.analysis.program import Condition, Program, Sql, Unknown, patterns
from omega_bridge.analysis.program import statements as found_in
from omega_bridge.catalog import Kind
from omega_bridge.regexes import regex
from omega_bridge.sql import ParseNode, Tree, inner, name_of
from omega_bridge.tags import Tag

Bindings = dict[str, "Condition | Scalar"]
_OF_NUMBERS = {"int4", "int8", "float8", "text"}
_NAMES_OF_TEXT = {"text", "varchar", "name"}
_OWN = ("", "found", "sqlstate", "sqlerrm", "(unnamed row)")
_ALIAS = regex(r"\bALIAS\s+FOR\b", re.I)
"""A further name of a variable, of which the tree says nothing."""
_SHORT = regex(r"\bvar(?:char|ying)\s*\(", re.I)


class Variables:
    """The variables of one block: which of them hold the answer of a look-up, as long as nothing has changed it.

    The tree says which variable an assignment is to, and not which one a name in an expression means: a name that is declared
    twice holds nothing that is known.
    """

    def __init__(self, datums: list[Tree], text: str) -> None:
        self.datums = [next(iter(d.values())) for d in datums]
        self.names = [str(d.get("refname", "")) for d in self.datums]
        count = Counter(n.lower() for n in self.names)
        self.twice = {n for n in count if count[n] > 1}
        self.variables = frozenset(n for n in self.names if n not in _OWN)
        self.spoken = regex(r"(?<!\w)(?:" + "|".join(map(re.escape, sorted(self.variables))) + r")(?!\w)", re.I)
        self.source = text
        self.is_short = _SHORT.search(text) is not None
        self.has_aliases = _ALIAS.search(text) is not None
        self.bindings: Bindings = {}

    def bind(self, name: str, datum: Tree, value: Condition | Scalar | None) -> None:
        """Keep what a variable holds, where its type takes it as it is."""
        self.bindings.pop(name, None)
        if value is None or self.has_aliases or name.lower() in self.twice or isinstance(value, Unknown):
            return
        type_name = datum.get("datatype", {}).get("PLpgSQL_type", {}).get("typname", "")
        if isinstance(value, Scalar):
            is_taken = type_name in _NAMES_OF_TEXT and not (self.is_short and type_name == "varchar")
            is_taken = is_taken or (value.attribute == ROW and type_name in ("int4", "int8", "bool"))
            if not is_taken or (type_name == "name" and value.attribute == "default"):
                return
        elif type_name != "bool":
            return
        self.bindings[name] = value

    def takes(self, datum: Tree, node: ParseNode) -> bool:
        """Whether a variable certainly takes a constant: PostgreSQL may reject any other value when the block runs."""
        node, type_name = inner(node), datum.get("datatype", {}).get("PLpgSQL_type", {}).get("typname", "")
        if name_of(node) != "A_Const":
            return False
        if node.isnull:
            return not datum.get("notnull")
        match node.WhichOneof("val"):
            case "sval":
                return type_name in _NAMES_OF_TEXT and not (self.is_short and type_name == "varchar")
            case "ival":
                return type_name in _OF_NUMBERS
            case "boolval":
                return type_name in ("bool", "text")
        return False

    def is_known(self, datum: Tree) -> bool:
        """Whether the type that a variable is declared with is there on any server. The tree has one of another's as a record."""
        if "datatype" in datum:
            return "%" not in str(datum["datatype"].get("PLpgSQL_type", {}).get("typname", "%"))
        name = str(datum.get("refname", ""))
        if "lineno" not in datum or name in _OWN:
            return True
        return re.search(rf"(?<!\w){re.escape(name)}\"?\s+(?:pg_catalog\.)?record\b", self.source, re.I) is not None

    def forget(self, program: Program) -> None:
        """What a statement may have changed is no longer as it was looked up."""
        self.bindings.pop("found", None)
        changes = [s for s in found_in(program, handlers=True) if s.effects or s.opaque or s.destroys or s.cascade]
        if changes:
            self.bindings = {n: b for n, b in self.bindings.items() if not any(_concerns(s, b) for s in changes)}

    def is_spoken_in(self, text: str) -> bool:
        """Whether a text may mean a variable."""
        return self.has_aliases or (bool(self.variables) and self.spoken.search(text) is not None)


_ALONE = frozenset({Kind.INDEX, Kind.CONSTRAINT, Kind.TRIGGER, Kind.POLICY, Kind.FUNCTION, Kind.VIEW, Kind.SEQUENCE})
"""What takes nothing of another name along when it goes."""


def common(*several: Bindings) -> Bindings:
    """What all of them agree on."""
    first, *others = several
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _concerns(s: Sql, binding: Condition | Scalar) -> bool:
    """Whether a statement may change the answer of a look-up."""
    if s.opaque or s.cascade or s.tag == Tag.RENAME:
        return True
    looked_for = [binding.pattern] if isinstance(binding, Scalar) else list(patterns(binding))
    names = {n for p in looked_for for n in (p.name, p.table, p.schema) if n}
    if any(p.name is None and p.table is None for p in looked_for):
        return True
    for effect in s.results:
        if not effect.present and effect.key.kind not in _ALONE:
            return True
        if not names.isdisjoint((effect.key.name.partition("(")[0], effect.key.table)):
            return True
    return False
