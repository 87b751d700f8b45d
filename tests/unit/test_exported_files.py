"""What an export writes, as a linter of Python reads it."""

from __future__ import annotations

import ast
from pathlib import Path

from omega_bridge.analysis import analyse
from omega_bridge.revisions.files import export
from omega_bridge.revisions.rendering import UNSORTED
from omega_bridge.steps import Registry


def test_no_import_is_taken_for_unused_or_unsorted(tmp_path: Path) -> None:
    """Every name that is imported is used, or its line says that it need not be; the order of imports is nobody's to judge."""
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id uuid PRIMARY KEY)",
        "DO $$ BEGIN IF to_regtype('m') IS NULL THEN CREATE TYPE m AS ENUM ('a'); END IF; END $$",
        "CREATE EXTENSION IF NOT EXISTS pgcrypto",
        "UPDATE t SET id = id",
    ]
    export(analyse(Registry.of(steps)), tmp_path)
    files = sorted((tmp_path / "versions").glob("*.py"))
    assert len(files) == len(steps)
    for file in files:
        text = file.read_text(encoding="utf-8")
        tree, lines = ast.parse(text), text.splitlines()
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        bound = [
            (a.asname or a.name.split(".")[0], i.lineno)
            for i in tree.body
            if isinstance(i, ast.Import | ast.ImportFrom)
            for a in i.names
        ]
        assert [name for name, line in bound if name not in used and "noqa: F401" not in lines[line - 1]] == []
        assert UNSORTED in lines
