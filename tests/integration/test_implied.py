"""A list without its foundation: what its own text implies is enough to prove some of its translations."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from omega_bridge import environment
from omega_bridge.analysis import analyse
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.proofs import prover
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.revisions.alembic_border import alembic_config
from omega_bridge.revisions.files import export
from omega_bridge.revisions.sums import read_sum
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase

STEPS = {
    "implied": [
        "ALTER TABLE patients ADD COLUMN IF NOT EXISTS note text",
        "CREATE INDEX IF NOT EXISTS ix_visits_day ON visits (day, patient_id DESC)",
        "CREATE TABLE IF NOT EXISTS bills (id serial PRIMARY KEY, visit_id uuid REFERENCES visits (id), amount numeric)",
        "ALTER TABLE bills ADD COLUMN IF NOT EXISTS payer_id bigint REFERENCES patients",
        "ALTER TABLE visits ADD CONSTRAINT visits_patient FOREIGN KEY (patient_id) REFERENCES patients (id)",
        "DO $$ BEGIN ALTER TABLE visits ADD COLUMN x int; EXCEPTION WHEN OTHERS THEN NULL; END $$",
    ],
    "verbatim": [
        "CREATE INDEX IF NOT EXISTS ix_name ON patients (lower(name))",
        "ALTER TABLE visits ADD COLUMN room no_such_type",
        "CREATE TABLE IF NOT EXISTS bills (id int)",
    ],
}
FOUNDATION = "CREATE TABLE patients (id bigint PRIMARY KEY, name text); CREATE TABLE visits (id uuid PRIMARY KEY, patient_id bigint, day date)"


def test_a_step_that_lacks_its_foundation_is_an_operation_where_its_text_implies_enough(
    server: Server, make_database: MakeDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proven on tables as it says that they are, and the revision says so; where they are, it does what a start does, and can be undone."""
    registry = Registry.of([step for steps in STEPS.values() for step in steps][:-1])
    done = export(analyse(registry), tmp_path, prover=lambda _n: prover(server))
    proofs = [line.proof for line in read_sum(tmp_path)]
    assert proofs == ["implied"] * len(STEPS["implied"]) + ["verbatim"] * 2
    assert (done.coverage.implied, done.coverage.proven, done.coverage.statements_lifted) == (6, 0, 6)
    written = [path.read_text() for path in done.written]
    assert "elsewhere it may fail, as at a start:\n  - visits (day, patient_id)\nTranslation: 1 of 1 statement" in written[1]
    assert [("attempt=True" in text, "optional=True" in text) for text in written[:6]] == [(True, False)] * 5 + [(False, True)]
    empty, there = make_database(), make_database()
    for url in (empty, there):
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(FOUNDATION if url == there else "SELECT 1")
    found = verify(registry, None, server, history=tmp_path, databases=[there])
    assert found.differences == ()
    assert {r.start for r in found.rejected if r.step in [step.labels[0] for step in done.revisions[:6]]} == {"empty"}
    for url in (empty, there):
        config = alembic_config(tmp_path, url)
        config.attributes.update(omega_bridge_config=Config(root=tmp_path), omega_bridge_registry=(registry, None))
        environment.upgrade(config, "head")
        with psycopg.connect(url) as conn:
            told = conn.execute(
                "SELECT outcome, count(*) FROM omega_bridge.omega_bridge_ledger WHERE event = 'upgrade' GROUP BY 1"
            ).fetchall()
            assert dict(told) == ({"applied": 7, "failed": 1} if url == there else {"failed": 7, "already-there": 1})


INVALID = (
    "CREATE TABLE patients (id bigint PRIMARY KEY, name text)",
    "CREATE INDEX ix_name ON patients (lower(name))",
    "CREATE TABLE days (id int, day date NOT NULL) PARTITION BY RANGE (day)",
    "CREATE TABLE days_26 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "CREATE INDEX ix_days ON ONLY days (id)",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_name'::regclass",
)


def test_an_index_that_is_invalid_is_left_as_it_is(server: Server, make_database: MakeDatabase, tmp_path: Path) -> None:
    """One that no record names may be at work, or wait for its partitions; ``CREATE INDEX`` finds it there, and a history, too."""
    steps = ["CREATE INDEX IF NOT EXISTS ix_name ON patients (lower(name))", "CREATE INDEX ix_days ON days (id)"]
    (tmp_path / "env.py").write_text("from alembic import context\nfrom omega_bridge.environment import run\n\nrun(context)\n")
    export(analyse(Registry.of(steps)), tmp_path, prover=lambda _n: prover(server))
    assert '"index"' in "".join(path.read_text() for path in (tmp_path / "versions").glob("*.py"))
    url = make_database()
    asked = b"SELECT array_agg(indexrelid::text ORDER BY 1) FROM pg_index WHERE NOT indisvalid"
    with psycopg.connect(url, autocommit=True) as conn:
        for text in INVALID:
            conn.execute(text.encode())
        before = conn.execute(asked).fetchone()
        config = alembic_config(tmp_path, url)
        config.attributes["omega_bridge_config"] = Config(root=tmp_path)
        environment.upgrade(config, "head")
        assert conn.execute(asked).fetchone() == before
        assert before is not None
        assert len(before[0]) == 2
