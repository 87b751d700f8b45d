"""What is taken away and put back at every start, by one step or by two that contradict each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.analysis.findings import Again, Hit, Listed, Rule, Severity
from omega_bridge.analysis.lookup_text import literal
from omega_bridge.analysis.program import Sql
from omega_bridge.analysis.writing import unless_there, write
from omega_bridge.catalog import Key, Kind


def find(listed: Listed) -> Iterator[Hit]:
    """Steps that do something on a database that holds all the list makes; of two that contradict each other, the first."""
    for index, step in listed.steps():
        again = listed.again.get(index)
        if again is None or (again.other != index and again.other < index):
            continue
        if again.other == index:
            yield Hit(
                step,
                f"takes {again.key} away and puts it back at every start",
                "Use CREATE OR REPLACE TRIGGER (PostgreSQL 14), and drop nothing."
                if again.key.kind is Kind.TRIGGER
                else "Put both behind a guard that asks whether it is as it should be.",
                _instead(step, again.key),
            )
        else:
            other = listed.analysis.steps[again.other]
            yield Hit(
                step,
                f"{_told(again)}, and step {other.id} ({other.step.place}) takes that back: both are done at every start",
                f"Keep one of the two: where step {other.id} is right, remove this one.",
            )


def _told(again: Again) -> str:
    if not again.effect.present:
        return f"takes {again.key} away"
    return f"sets {again.effect}" if again.effect.attributes else f"makes {again.key}"


def _instead(step: StepAnalysis, key: Key) -> tuple[str, ...]:
    """The step with the two statements about the object made one, where both stand in plain sight."""
    about = [n for n in step.program if isinstance(n, Sql) and any(e.key == key for e in n.effects)]
    if len(about) != 2 or any(len(s.effects) != 1 for s in about) or about[0].effects[0].present:
        return ()
    first, last = (step.program.index(s) for s in about)
    one = _one(key, *about)
    parts = [step.program[:first], step.program[first + 1 : last], one, step.program[last + 1 :]]
    texts = [part if isinstance(part, str) else write(part) for part in parts if part]
    return ("\n".join(text for text in texts if text),) if one and None not in texts else ()


def _one(key: Key, drop: Sql, make: Sql) -> str | None:
    """A trigger is replaced in place; a key is dropped only where it is another one."""
    if key.kind is Kind.TRIGGER:
        return re.sub(r"^create\s+trigger\b", "CREATE OR REPLACE TRIGGER", make.text, flags=re.I) + ";"
    said = next((dict(e.attributes) for e in make.implied if e.key == key), {})
    if key.kind is Kind.CONSTRAINT and said.get("type") in ("p", "u"):
        table = literal(sql.identifier(key.schema, key.table))
        look_up = f"SELECT 1 FROM pg_constraint WHERE conrelid = to_regclass({table}) AND conname = {literal(key.name)}"
        same = f"NOT EXISTS ({look_up} AND pg_get_constraintdef(oid) = {literal(said['definition'])})"
        return unless_there(same, drop.text, make.text)
    return None


RULE = Rule(
    "rebuilt-at-every-boot",
    Severity.WARNING,
    "Each start of the loop locks the table and does the work anew; "
    "between the two statements the key is missing, and each column added so uses up one of a table's 1,600.",
    find,
)
