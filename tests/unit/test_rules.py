"""Each rule finds what it is for, is silent about what is well, and what it would write instead is well."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.analysis.findings import Finding, Rule
from omega_bridge.analysis.rules import all_rules
from omega_bridge.config import Config, load_config
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.lint import is_failing, lint
from omega_bridge.revisions.models import with_models
from omega_bridge.sources import load
from omega_bridge.steps import Registry, Step

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "rules"


def found(*steps: str | Step | tuple[str, str]) -> list[Finding]:
    """The findings of a list."""
    return list(lint(analyse(Registry.of(list(steps)))))


GENERAL = frozenset(
    {
        "breaks-release-before",
        "data-with-schema",
        "guard-passed-at-once",
        "lock-though-satisfied",
        "no-way-back",
        "not-null-reads-table",
        "rename-breaks-release",
        "table-without-key",
        "table-without-uuid-key",
        "type-change-rewrites",
        "unguarded-statement",
        "unique-builds-index",
        "volatile-default",
    }
)
"""Rules about releases, locks and keys, which are true of many a statement beside what another rule says: test_rules_general.py."""


def names(*steps: str | Step | tuple[str, str], general: str = "") -> list[str]:
    """The rules that have something to say about a list; of the general ones, this one alone."""
    return [f.rule for f in found(*steps) if f.rule not in GENERAL - {general}]


# --- the pages -------------------------------------------------------------------------------------------------


def section(rule: str, heading: str, language: str) -> list[str]:
    """The examples under one heading of a rule's page."""
    text = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
    (body,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |^\[All rules\])", text, re.M | re.S)
    examples = re.findall(rf"```{language}\n(.*?)\n```", body, re.S)
    assert examples
    return examples


@pytest.mark.parametrize("rule", all_rules(), ids=lambda r: r.name)
def test_every_rule_has_a_page_whose_examples_hold(rule: Rule) -> None:
    """The problem that a page shows is found, by its severity; what it shows to write instead is not; the Alembic form compiles."""
    page = (PAGES / f"{rule.name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {rule.name}\n\n{rule.severity.capitalize()}. ")
    assert f"| [{rule.name}]({rule.name}.md) | {rule.severity} |" in (PAGES / "README.md").read_text(encoding="utf-8")
    assert {f.severity for f in found(*section(rule.name, "Problem", "sql")) if f.rule == rule.name} == {rule.severity}
    assert names(*section(rule.name, "Problem", "sql"), general=rule.name) == [rule.name]
    assert names(*section(rule.name, "Instead", "sql"), general=rule.name) == []
    for example in section(rule.name, "In Alembic", "python"):
        ast.parse(example)


def test_no_page_is_left_over() -> None:
    """A rule that is gone has no page."""
    assert {p.stem for p in PAGES.glob("*.md")} - {"README"} == {r.name for r in all_rules()}


def test_a_rule_is_named_as_its_module() -> None:
    """Who reads a finding finds the rule's file."""
    modules = {p.stem for p in (ROOT / "omega_bridge" / "analysis" / "rules").glob("*.py")} - {"__init__"}
    assert {r.name.replace("-", "_") for r in all_rules()} == modules


# --- what is found, and what is not ----------------------------------------------------------------------------

ABSENT = "IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 't' AND column_name = '{}')"
A, B = ABSENT.format("a"), ABSENT.format("b")


def do(body: str) -> str:
    """A block."""
    return f"DO $$ BEGIN {body} END $$"


WELL = {
    "a type that keeps": "ALTER TABLE t ALTER a TYPE bigint USING a::bigint",
    "a cast that fails where it cannot": "ALTER TABLE t ALTER a TYPE uuid USING (a::text)::uuid",
    "a handler that raises again": do("CREATE TABLE t (a int); EXCEPTION WHEN OTHERS THEN RAISE WARNING 'x'; RAISE;"),
    "a named condition": do("CREATE TYPE m AS ENUM ('x'); EXCEPTION WHEN duplicate_object THEN NULL;"),
    "one of two arms runs": do(
        f"{A} THEN ALTER TABLE t ADD a int; ELSE ALTER TABLE t ALTER a SET DEFAULT 1; END IF; EXCEPTION WHEN duplicate_column THEN NULL;"
    ),
    "a guard on the table in front": do(
        f"IF to_regclass('t') IS NOT NULL THEN {A} THEN ALTER TABLE t ADD a int; END IF; END IF;"
    ),
    "a guard of two parts": do(
        f"IF to_regclass('t') IS NOT NULL AND {A.removeprefix('IF ')} THEN ALTER TABLE t ADD a int; END IF;"
    ),
    "a guard on the old name": do(f"{B} THEN ALTER TABLE t RENAME a TO b; END IF;"),
    "a guard on the constraint's index": do(
        "IF to_regclass('u') IS NULL THEN ALTER TABLE t ADD CONSTRAINT u UNIQUE (a); END IF;"
    ),
    "a guard on any primary key": do(
        "IF NOT EXISTS (SELECT 1 FROM information_schema.table_constraints WHERE table_schema = 'public' AND table_name = 't' "
        "AND constraint_type = 'PRIMARY KEY') THEN ALTER TABLE t ADD PRIMARY KEY (a); END IF;"
    ),
    "what hangs on a guarded table": do(
        "IF to_regclass('t') IS NULL THEN CREATE TABLE t (a int); CREATE INDEX ti ON t (a); END IF;"
    ),
    "one of two ways": do(
        f"IF EXISTS {A.removeprefix('IF NOT EXISTS ')} THEN ALTER TABLE t RENAME a TO b; ELSE ALTER TABLE t ADD b int; END IF;"
    ),
    "a condition, and no idempotence guard": do(f"{A} THEN ALTER TABLE t ADD COLUMN IF NOT EXISTS b int; END IF;"),
    "a guard of its own inside": do(f"{A} THEN {B} THEN ALTER TABLE t ADD b int; END IF; END IF;"),
    "an update of what is other": "UPDATE t SET a = 1 WHERE a <> 1",
    "an update of what is blank": "UPDATE t SET a = 'x' WHERE coalesce(a, '') = ''",
    "an update of what is not marked": "UPDATE t SET a = a || '{\"k\": 1}' WHERE NOT (a ? 'k')",
    "rows that are asked for": do("IF (SELECT count(*) FROM t) = 0 THEN INSERT INTO t VALUES (1); END IF;"),
    "duplicates": "DELETE FROM t x USING t y WHERE x.a = y.a AND x.ctid < y.ctid",
    "a table made and dropped on the way": "CREATE TABLE scratch (a int); DROP TABLE scratch",
    "a table of the step's own": "CREATE TEMP TABLE scratch AS SELECT 1 AS a; DROP TABLE scratch",
    "an extension's guard has no schema": do(
        "IF NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citext') THEN CREATE EXTENSION citext; END IF;"
    ),
    "a new column with a default": "ALTER TABLE t ADD a int NOT NULL DEFAULT 0",
    "a serial": "ALTER TABLE t ADD a serial",
    "an identity": "ALTER TABLE t ADD a int GENERATED ALWAYS AS IDENTITY",
    "a generated column": "ALTER TABLE t ADD a int NOT NULL GENERATED ALWAYS AS (1 + 1) STORED",
    "a mandatory column on a new table": do(
        "IF to_regclass('t') IS NULL THEN CREATE TABLE t (b int); ALTER TABLE t ADD a int NOT NULL; END IF;"
    ),
    "a seed": "INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING",
    "a seed that asks": "INSERT INTO t (a) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM t WHERE a = 1)",
    "a back-fill": "UPDATE t SET a = 1 WHERE a IS NULL AND b > 2",
    "an update of what differs": "UPDATE t SET a = 1 WHERE a IS DISTINCT FROM 1",
    "rows with their column": do(f"{A} THEN ALTER TABLE t ADD a int; UPDATE t SET a = b; END IF;"),
    "an upsert without a clock": "INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = EXCLUDED.b",
    "an index of a table of the list": "CREATE TABLE IF NOT EXISTS t (a int); CREATE INDEX IF NOT EXISTS ti ON t (a)",
    "a check on a table of the list": "CREATE TABLE IF NOT EXISTS t (a int); ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)",
    "a default that is set": "ALTER TABLE t ALTER a SET DEFAULT 'x'",
    "a trigger replaced": "CREATE OR REPLACE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    "what nothing makes": "ALTER TABLE elsewhere ADD COLUMN IF NOT EXISTS a int",
    "dynamic SQL": do("EXECUTE 'ALTER TABLE ' || quote_ident('t') || ' ADD x int';"),
    "a computed guard": do("IF (SELECT count(*) FROM t) > 5 THEN ALTER TABLE t ADD x int; END IF;"),
    "a view dropped with what hangs on it": "DROP VIEW IF EXISTS v CASCADE",
}


@pytest.mark.parametrize("step", WELL.values(), ids=[k.replace(" ", "-") for k in WELL])
def test_what_is_well_is_not_found(step: str) -> None:
    """No finding about a list that a good engineer wrote: a false alarm is worse than none."""
    assert names(step) == []


ILL = {
    "another column": (do(f"{A} THEN ALTER TABLE t ADD b int; END IF;"), "guard-protects-other-object"),
    "a name that is folded": (
        do(f"{ABSENT.format('userId')} THEN ALTER TABLE t ADD userId int; END IF;"),
        "guard-protects-other-object",
    ),
    "a positive guard": (
        do("IF EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'x') THEN ALTER TABLE t ADD a int; END IF;"),
        "guard-without-schema",
    ),
    "a variable": (
        "DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM pg_constraint WHERE conname = 'c'; "
        "IF n IS NULL THEN ALTER TABLE t ALTER a DROP NOT NULL; END IF; END $$",
        None,
    ),
    "a primary key": ("ALTER TABLE t ADD COLUMN a uuid PRIMARY KEY", "not-null-without-default"),
    "truncate": ("TRUNCATE t", "destructive-drop"),
    "a column": ("ALTER TABLE t DROP COLUMN IF EXISTS a", "destructive-drop"),
    "a type and its columns": ("DROP TYPE IF EXISTS m CASCADE", "destructive-drop"),
    "an update of everything": ("UPDATE t SET a = 1", "data-at-every-boot"),
    "a delete of everything": ("DELETE FROM t", "data-at-every-boot"),
    "a type that narrows": ("ALTER TABLE t ALTER a TYPE varchar(10) USING a::varchar(10)", "loses-data"),
    "a type by an expression": (do("ALTER TABLE t ALTER a TYPE int USING NULL;"), "loses-data"),
    "a partition that goes": ("ALTER TABLE t DETACH PARTITION p", "loses-data"),
    "no log": ("ALTER TABLE t SET UNLOGGED", "loses-data"),
    "a count set back": ("SELECT setval('t_id_seq', 1)", "loses-data"),
    "a sequence begun anew": ("ALTER SEQUENCE s RESTART", "loses-data"),
    "a sequence that goes": ("DROP SEQUENCE IF EXISTS s", "loses-data"),
    "an identity that goes": ("ALTER TABLE t ALTER id DROP IDENTITY IF EXISTS", "loses-data"),
    "a copy that is emptied": ("REFRESH MATERIALIZED VIEW v WITH NO DATA", "loses-data"),
    "a copy that goes": ("DROP MATERIALIZED VIEW IF EXISTS v", "loses-data"),
    "a plain insert": ("INSERT INTO t VALUES (1)", "data-at-every-boot"),
    "an insert of a query": ("INSERT INTO t SELECT * FROM u WHERE a > 1", "data-at-every-boot"),
    "a clock through EXCLUDED": (
        "INSERT INTO t (a, at) VALUES (1, CURRENT_TIMESTAMP) ON CONFLICT (a) DO UPDATE SET at = EXCLUDED.at",
        "conflict-update-never-settles",
    ),
    "a foreign key": ("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (a)", "constraint-not-validated-in-two"),
    "a trigger dropped and made": (
        "DROP TRIGGER IF EXISTS g ON t; CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "rebuilt-at-every-boot",
    ),
    "merge markers": ("<<<<<<< HEAD\nSELECT 1\n=======\nSELECT 2\n>>>>>>> x", "unreadable-step"),
}


@pytest.mark.parametrize(("step", "rule"), ILL.values(), ids=[k.replace(" ", "-") for k in ILL])
def test_what_is_ill_is_found(step: str, rule: str | None) -> None:
    """Each form of a rule's problem is seen, by that rule and by no other."""
    assert names(step) == ([rule] if rule else [])


TRIGGER = "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"
FUNCTION = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
TABLE = "CREATE TABLE IF NOT EXISTS t (a int)"
RESTLESS = {
    "a column that comes and goes": (
        [TABLE, "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int", ("other", "ALTER TABLE t DROP COLUMN IF EXISTS b")],
        "makes column t.b, and step other",
    ),
    "two defaults": (
        [TABLE, "ALTER TABLE t ALTER a SET DEFAULT 1", ("other", "ALTER TABLE t ALTER a SET DEFAULT 2")],
        "sets column t.a: default 1, and step other",
    ),
    "a table retired by a step": ([TABLE, ("other", "DROP TABLE IF EXISTS t")], "makes table t, and step other"),
    "a trigger": (
        [TABLE, FUNCTION, f"DROP TRIGGER IF EXISTS g ON t; {TRIGGER}"],
        "takes trigger t.g away and puts it back",
    ),
    "on a table of somebody else": (
        ["ALTER TABLE u DROP CONSTRAINT IF EXISTS c; ALTER TABLE u ADD CONSTRAINT c UNIQUE (a)"],
        "takes constraint u.c away and puts it back",
    ),
}


@pytest.mark.parametrize(("steps", "told"), RESTLESS.values(), ids=[k.replace(" ", "-") for k in RESTLESS])
def test_a_list_that_never_rests_is_found(steps: list[str], told: str) -> None:
    """Steps that undo each other are one finding, on the first of them, which names the other."""
    (finding,) = [f for f in found(*steps) if f.rule == "rebuilt-at-every-boot"]
    assert told in finding.message


def test_a_table_dropped_and_made_anew_is_found_twice() -> None:
    """It loses its rows, and does so at every start."""
    assert names("DROP TABLE IF EXISTS t; CREATE TABLE t (a int)") == ["destructive-drop", "rebuilt-at-every-boot"]


def test_a_list_at_rest_is_not_found_to_rebuild() -> None:
    """A table that is dropped by one guard and made by another, or dropped once and for all, comes to rest."""
    is_old = "SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'a' AND data_type = 'integer'"
    steps = [
        do(f"IF EXISTS ({is_old}) THEN DROP TABLE t; END IF;"),
        "CREATE TABLE IF NOT EXISTS t (a uuid)",
        "DROP TABLE IF EXISTS yesterday",
        "ALTER TABLE t RENAME COLUMN a TO b",
    ]
    assert "rebuilt-at-every-boot" not in names(*steps)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("CREATE TABLE t (\n  a int,,\n  b int)", 2, 9),
        ("SELECT 'ñandú';\nDO $$\nBEGIN\n  ALTER TABLE t ADDD a int;\n  ALTER TABLE u ADDD b int;\nEND $$", 4, 17),
        ("DO $$\nBEGIN\n  SELCT 1;\nEND $$", 3, 3),
    ],
)
def test_unreadable_steps_are_told_with_line_and_column(text: str, line: int, column: int) -> None:
    """The place within the step, inside a block too, in characters."""
    (finding,) = found(text)
    assert finding.rule == "unreadable-step"
    assert f"(line {line}, column {column} of the step)" in finding.message


def test_in_a_folder_the_line_is_the_files(tmp_path: Path) -> None:
    """A .sql file is the step: the finding's line is the one to go to."""
    (tmp_path / "001.sql").write_text("-- title\nSELECT 1;\nSELCT 2;\n")
    (finding,) = lint(analyse(load(".", root=tmp_path)))
    assert finding.place.line == 3


def test_what_only_we_cannot_read_is_no_error() -> None:
    """A text that nests too deep for the parser may run well on the server: a warning."""
    deep = "SELECT " + " + ".join(["1"] * 6000)
    assert [(f.rule, f.severity) for f in found(deep)] == [("unreadable-step", "warning")]


# --- what to write instead -------------------------------------------------------------------------------------


def reference() -> tuple[Registry, int, list[Finding]]:
    """The reference list with its models: how many steps the models add, and the findings."""
    config = load_config(start=ROOT)
    own = load(str(config.steps), root=ROOT, python_path=config.python_paths)
    registry = with_models(own, config.load_metadata())
    models = len(registry) - len(own)
    return registry, models, list(lint(analyse(registry), models=models))


@pytest.mark.parametrize(
    "step", [s for s, _ in ILL.values()] + [s for r in all_rules() for s in section(r.name, "Problem", "sql")]
)
def test_what_to_write_instead_is_well(step: str) -> None:
    """Metamorphic: the steps that a finding shows, linted in the place of this one, have no finding of that rule."""
    for finding in found(step):
        assert finding.rule not in names(*finding.instead, general=finding.rule)


def test_the_reference_list_has_just_these_findings() -> None:
    """Every finding about it is one that its authors would accept, and none is missing."""
    _, _, findings = reference()
    by_rule: dict[str, list[str]] = {}
    for f in findings:
        if f.rule not in GENERAL:
            by_rule.setdefault(f.rule, []).append(f.step)
    guards = by_rule.pop("guard-without-schema")
    assert (len(guards), "tenants-new-feature-flag" in guards, "chat-messages-cost-usd" in guards) == (16, True, False)
    assert by_rule == {
        "destructive-drop": ["drop-system-events"],
        "duplicate-step": ["tenants-openai-api-key-2"],
        "handler-over-several-statements": [
            "credentials-scope",
            "chat-conversations-customer-id",
            "tenant-human-handoff-config-channel",
            "tenants-tool-config",
        ],
        "rebuilt-at-every-boot": [
            "drop-tenant-human-handoff-config-tenant-human-handoff-co",
            "function-nexus-touch-updated-at",
        ],
        "step-before-its-need": ["chat-conversations-customer-id"],
        "swallowed-errors": [
            "extension-pg-trgm",
            "credentials-scope",
            "chat-conversations-customer-id",
            "index-idx-customers-name-trgm",
            "tenant-human-handoff-config-channel",
            "tenants-tool-config",
        ],
    }
    assert not is_failing(findings)
    assert is_failing(findings, strict=True)


def test_the_reference_list_written_as_its_findings_say() -> None:
    """Each suggestion for the reference list, put in the place of its step, clears that finding and brings no error."""
    registry, models, findings = reference()
    analysis = analyse(registry)
    at = {s.id: n for n, s in enumerate(analysis)}
    for finding in (f for f in findings if f.instead):
        place = at[finding.step]
        steps = list(registry.steps)
        steps[place : place + 1] = [Step(text, id=f"new-{n}") for n, text in enumerate(finding.instead)]
        after = [f for f in lint(analyse(Registry(tuple(steps))), models=models) if f.step.startswith("new-")]
        assert finding.rule not in {f.rule for f in after}
        assert "error" not in {f.severity for f in after}


# --- what is passed over ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("-- omega-bridge: ignore destructive-drop", []),
        ("/* omega-bridge: ignore blocking-index, destructive-drop: seen */", []),
        ("-- omega-bridge: ignore blocking-index", ["destructive-drop"]),
        ("-- ignore destructive-drop", ["destructive-drop"]),
    ],
)
@pytest.mark.parametrize("form", ["{}\nTRUNCATE t", "DO $$ BEGIN {}\n TRUNCATE t; END $$"])
def test_a_comment_in_the_step_passes_over_a_rule(comment: str, left: list[str], form: str) -> None:
    """Inside a block too, and for the rules that it names only."""
    assert names(form.format(comment)) == left


def test_a_literal_is_no_comment() -> None:
    """Text that the step writes into a row does not switch a rule off."""
    assert names("UPDATE t SET a = '-- omega-bridge: ignore data-at-every-boot'") == ["data-at-every-boot"]


def test_select_and_ignore() -> None:
    """One rule only, or all but one; a name that is none is told with the one that was meant."""
    analysis = analyse(Registry.of(["TRUNCATE t", "UPDATE t SET a = 1"]))
    assert [f.rule for f in lint(analysis, select=["destructive-drop"])] == ["destructive-drop"]
    assert [f.rule for f in lint(analysis, ignore=["destructive-drop"])] == ["data-at-every-boot"]
    with pytest.raises(ConfigurationInvalid) as caught:
        lint(analysis, ignore=["destructive-dorp"])
    assert "destructive-drop" in caught.value.hint
    assert Config(ROOT, values={"lint-ignore": ["duplicate-step"]}).lint_ignore == ("duplicate-step",)


def test_flags_speak_for_a_step() -> None:
    """What its author marked as meant is no finding."""
    assert names(Step("DROP TABLE t", destructive=True), Step("UPDATE t SET a = 1 WHERE b", repeat="once")) == []
    assert names(Step("UPDATE t SET a = 1", repeat="once")) == ["loses-data"]
    assert names(Step("UPDATE t SET a = 1", repeat="once", destructive=True)) == []


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM t WHERE true",
        "WITH gone AS (DELETE FROM t RETURNING *) INSERT INTO kept SELECT * FROM gone",
        "MERGE INTO t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    ],
)
def test_every_row_is_every_row_in_other_words(text: str) -> None:
    """In a WITH, by a MERGE, under a condition that is always true."""
    assert "loses-data" in names(Step(text, repeat="once"))
