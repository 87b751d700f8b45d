"""Rewrites that ask nobody: what they write, what they leave alone, and that they come to an end."""

from __future__ import annotations

from pathlib import Path

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.fixing import Rewriting, rewrite
from omega_bridge.lint import lint
from omega_bridge.sources import load
from omega_bridge.sources.patching import patch
from omega_bridge.steps import Registry, Step

THERE = (
    "SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 't' AND column_name = 'a'"
)


def fixed(*steps: str | Step, select: tuple[str, ...] = ()) -> Rewriting:
    """The list with its rewrites."""
    return rewrite(analyse(Registry.of(list(steps))), select=select)


CASES = {
    "a statement alone": (
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
        f"DO $$ BEGIN IF NOT EXISTS ({THERE}) THEN ALTER TABLE t ADD COLUMN IF NOT EXISTS a int; END IF; END $$",
    ),
    "a guard, and then IF NOT EXISTS": (
        "ALTER TABLE t ADD a int",
        f"DO $$ BEGIN IF NOT EXISTS ({THERE}) THEN ALTER TABLE t ADD IF NOT EXISTS a int; END IF; END $$",
    ),
    "among others, with comments": (
        "-- why\nSELECT 1;\n  CREATE INDEX IF NOT EXISTS i ON t (a); -- because\nSELECT 2",
        "-- why\nSELECT 1;\n  DO $$\n  BEGIN\n      IF to_regclass('i') IS NULL THEN\n"
        "          CREATE INDEX IF NOT EXISTS i ON t (a);\n      END IF;\n  END $$; -- because\nSELECT 2",
    ),
    "in a block": (
        "DO $$ BEGIN\n    ALTER TABLE t ALTER a DROP NOT NULL;\nEND $$",
        f"DO $$ BEGIN\n    IF EXISTS ({THERE} AND is_nullable = 'NO') THEN\n        ALTER TABLE t ALTER a DROP NOT NULL;\n    END IF;\nEND $$",
    ),
    "the schema of a guard": (
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns c WHERE c.table_name='t' AND c.column_name='a') "
        "THEN ALTER TABLE t ADD COLUMN IF NOT EXISTS a int; END IF; END $$",
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns c WHERE c.table_schema = current_schema() AND "
        "c.table_name='t' AND c.column_name='a') THEN ALTER TABLE t ADD COLUMN IF NOT EXISTS a int; END IF; END $$",
    ),
    "a handler": (
        "DO $$ BEGIN CREATE TYPE m AS ENUM ('x'); EXCEPTION WHEN OTHERS THEN NULL; END $$",
        "DO $$ BEGIN CREATE TYPE m AS ENUM ('x'); EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    ),
    "a transaction of its own": (
        "BEGIN;\nCREATE TABLE IF NOT EXISTS t (id uuid PRIMARY KEY);\nCOMMIT;",
        "CREATE TABLE IF NOT EXISTS t (id uuid PRIMARY KEY);",
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=[k.replace(" ", "-") for k in CASES])
def test_what_is_written(before: str, after: str) -> None:
    """The words that a rule is about are written anew; what stands around them, comments too, stays."""
    (done,) = fixed(before).rewrites
    assert done.after.sql == after
    assert fixed(after).rewrites == ()


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TYPE m AS ENUM ('x'); DROP TYPE m; CREATE TYPE m AS ENUM ('x')",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE t ADD a int'; END $$",
        "DROP TABLE IF EXISTS t",
        "ALTER TABLE t ADD a int, ADD b int",
        "BEGIN; SELECT 1; COMMIT; SELECT 2",
    ],
)
def test_what_is_left_alone(text: str) -> None:
    """Words that stand twice, stand within a literal, or need a decision."""
    assert [r for r in fixed(text).rewrites if r.rules != ("transaction-control",)] == []


def test_only_what_was_selected_is_rewritten() -> None:
    """--select names the rules whose rewrites are wanted."""
    text = "DO $$ BEGIN CREATE TYPE m AS ENUM ('x'); EXCEPTION WHEN OTHERS THEN NULL; END $$"
    assert fixed(text, select=("lock-though-satisfied",)).rewrites == ()
    assert len(fixed(text, select=("swallowed-errors",)).rewrites) == 1


def test_a_list_rewritten_has_fewer_findings() -> None:
    """And none that is more than a note and was not there before."""
    steps = [before for name, (before, _) in CASES.items() if name != "a transaction of its own"]
    before = {(f.rule, f.step) for f in lint(analyse(Registry.of(steps)))}
    left = fixed(*steps).left
    assert len(left) < len(before)
    assert {f.rule for f in left if f.severity != "note"} <= {rule for rule, _ in before}


MAIN = '''steps = [
    'ALTER TABLE t ADD COLUMN IF NOT EXISTS a int',
    # a comment
    """
    DO $$ BEGIN
        ALTER TABLE t ALTER a DROP NOT NULL;
    END $$
    """,
    "ALTER TABLE t "
    "ADD COLUMN IF NOT EXISTS b int",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS c text DEFAULT 'x'",
]
'''


def test_the_patch_is_the_list_that_is_meant(tmp_path: Path) -> None:
    """Other literals, comments and quotes stay; what is put together from pieces is left; the file reads as the rewritten list."""
    (tmp_path / "main.py").write_text(MAIN)
    registry = load("main.py:steps", root=tmp_path)
    done = rewrite(analyse(registry))
    made = patch("main.py:steps", tmp_path, registry.steps, {r.index: r.after for r in done.rewrites})
    assert made.left == (2,)
    text = str(made)
    assert text.startswith("--- a/main.py\n+++ b/main.py\n@@ ")
    assert "-    'ALTER TABLE t ADD COLUMN IF NOT EXISTS a int',\n" in text
    (tmp_path / "main.py").write_text(made.after["main.py"])
    read = load("main.py:steps", root=tmp_path)
    assert [s.sql for s in read] == [
        r.sql if n != 2 else before.sql for n, (r, before) in enumerate(zip(done.registry, registry, strict=True))
    ]


def test_a_folder_is_patched_file_by_file(tmp_path: Path) -> None:
    """Each step is its file."""
    (tmp_path / "001.sql").write_text("-- title\nALTER TABLE t ADD COLUMN IF NOT EXISTS a int;\n")
    (tmp_path / "002.sql").write_text("SELECT 1;\n")
    registry = load(".", root=tmp_path)
    done = rewrite(analyse(registry))
    made = patch(".", tmp_path, registry.steps, {r.index: r.after for r in done.rewrites})
    assert list(made.after) == [str(registry.steps[0].place.file)]
    assert next(iter(made.after.values())).startswith("-- title\nDO $$")
