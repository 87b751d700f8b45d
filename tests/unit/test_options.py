"""Every option is declared once, and whatever speaks of options speaks of these."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import omega_bridge
from omega_bridge import Step, boot
from omega_bridge.cli import app as typer_app
from omega_bridge.cli.options import of_boot
from omega_bridge.config import load_config
from omega_bridge.errors import ConfigurationInvalid, NotAList, OmegaBridgeError
from omega_bridge.option_schema import schema, shipped, table
from omega_bridge.options import BOOT, FILE, OPTIONS, STEP, STEP_FLAGS, fits
from omega_bridge.startup import run
from omega_bridge.steps import Registry
from tests import reference

NOWHERE = "postgresql://nobody@127.0.0.1:1/x"


def test_boot_takes_what_is_declared() -> None:
    """Names and defaults of the signature, of ``boot_async``'s keywords and of the value that a start works on."""
    declared = {name: option.default for name, option in BOOT.items()}
    taken = {p.name: p.default for p in inspect.signature(boot).parameters.values() if p.kind is p.KEYWORD_ONLY}
    assert taken.pop("metadata") is None
    assert taken == declared
    assert set(run.BootOptions.__annotations__) == {"metadata", *declared}
    made = {f.name: f.default for f in dataclasses.fields(run.Options)}
    assert made == {**declared, "foundation": (), "kept_in": None}


def test_a_step_takes_what_is_declared() -> None:
    """The flags of ``[tool.omega-bridge.step.<id>]`` are those of ``Step``."""
    fields = {f.name: f.default for f in dataclasses.fields(Step)}
    assert {name: fields[name] for name in STEP} == {name: option.default for name, option in STEP.items()}


@pytest.mark.parametrize("option", [*OPTIONS, *STEP_FLAGS], ids=lambda o: o.name)
def test_a_default_is_a_value_that_fits(option: Any) -> None:
    """And the help is one line that ends."""
    assert option.default is None or fits(option, option.default)
    assert option.help.endswith(".")
    assert "\n" not in option.help


@pytest.mark.parametrize(
    ("argument", "value", "hint"),
    [
        ("on_busy", "degrade", "'fail' or 'degraded'"),
        ("on_error", "ignore", "'stop' or 'continue'"),
        ("on_gap", None, "'stop' or 'degraded'"),
        ("boot_timeout", -1, "number of seconds"),
        ("retry_after", -1, "number of seconds"),
        ("lock_timeout", "60", "number of seconds"),
        ("lock_timeout", True, "number of seconds"),
        ("lock_timeout", float("nan"), "number of seconds"),
        ("statement_timeout", float("inf"), "number of seconds"),
        ("table_lock_timeout", 1e9, "number of seconds"),
        ("strict", "no", "True or False"),
        ("retry", 1, "True or False"),
        ("critical_tables", "tenants", "list of strings"),
        ("trusted_owners", [5], "list of strings"),
        ("allow_destructive", None, "list of strings"),
        ("history", 5, "path"),
        ("history", "", "path"),
        ("foundation", 5, "string, or a list"),
        ("foundation", [None], "string, or a list"),
    ],
)
def test_an_argument_that_makes_no_sense_is_told(argument: str, value: object, hint: str) -> None:
    """Before anything is connected to, with what it takes: nothing is taken in silence."""
    with pytest.raises(ConfigurationInvalid, match=f"boot.. does not take {argument}=") as told:
        boot(NOWHERE, ["SELECT 1"], **{argument: value})  # type: ignore[arg-type]
    assert told.value.hint.startswith(f"Give {argument} ")
    assert hint in told.value.hint


def test_a_url_that_is_none_is_not_printed() -> None:
    """The way past a pooler may hold a password."""
    with pytest.raises(ConfigurationInvalid, match=r"direct_url=\.\.\."):
        boot(NOWHERE, ["SELECT 1"], direct_url=b"postgresql://app:zq7wxk9v@db/app")  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{"metadata": 5}, {"metadata": "app.models:Base"}, {"metadata": object}], ids=str)
def test_what_is_no_metadata_is_told(given: dict[str, Any]) -> None:
    """With what to give instead."""
    with pytest.raises(ConfigurationInvalid, match="of type") as told:
        boot(NOWHERE, ["SELECT 1"], **given)
    assert "Base.metadata" in told.value.hint


def test_any_collection_is_a_list() -> None:
    """The keys of a dictionary, a set, a generator; a path is its text."""
    made = run.asked_for(
        critical_tables={"a": 1},
        allow_destructive={"b"},
        trusted_owners=(o for o in "c"),
        foundation=[Path("x.sql")],
        history="alembic",
    )
    assert (made.critical_tables, made.allow_destructive, made.trusted_owners) == (("a",), ("b",), ("c",))
    assert (made.foundation, made.history) == (("x.sql",), Path("alembic"))


@pytest.mark.parametrize("flags", [{"repeat": "sometimes"}, {"destructive": "no"}, {"optional": None}], ids=str)
def test_a_flag_of_a_step_that_there_is_not_is_told(flags: dict[str, Any]) -> None:
    """With those that there are."""
    with pytest.raises(ConfigurationInvalid, match=next(iter(flags))) as told:
        Step("SELECT 1", **flags)
    assert "Give" in told.value.hint


@pytest.mark.parametrize("steps", [[Step], {"t": 5}, {"t": ["id int"]}, {"t": [("id", 5)]}], ids=str)
def test_a_list_that_is_none_is_told(steps: Any) -> None:
    """Whatever stands in the place of a text or a pair."""
    with pytest.raises(NotAList):
        Registry.of(steps)
    with pytest.raises(NotAList):
        Step(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('on-busy = "degrade"', "on-busy does not take 'degrade'", 'on-busy takes "fail" or "degraded"'),
        ("boot-timeout = -1", "boot-timeout does not take -1", "from 0 to"),
        ("lock-timeout = nan", "lock-timeout does not take nan", "from 0 to"),
        ("strict = 1", "strict does not take 1", "true or false"),
        ('critical-tables = "t"', "critical-tables does not take 't'", "a list of strings"),
        ("lint-ignore = [1]", r"lint-ignore does not take \[1\]", "a list of strings"),
        ('metadata = ""', "metadata does not take ''", "a string"),
        ("foundation = 1", "foundation does not take 1", "a string, or a list of strings"),
        ("lock_timeout = 5", "no key lock_timeout", "Did you mean 'lock-timeout'"),
        ("colour = 5", "no key colour", "Known keys: steps, metadata"),
        ("retry = true", "no key retry", "retry-after"),
        ('database-url = "postgresql://a:zq7wxk9v@b/c"', "database-url holds a URL", "OMEGA_BRIDGE_DATABASE_URL"),
        ('database-url-env = ["postgresql://a:zq7wxk9v@b/c"]', "database-url-env holds a URL", "OMEGA_BRIDGE_DATABASE_URL"),
        ('step = "x"', "step is no table", r"\[tool.omega-bridge.step"),
        ("step.x = 1", "step.x is no table", r"\[tool.omega-bridge.step.x\]"),
        ('step.x.repeat = "twice"', "step.x.repeat does not take 'twice'", '"always" or "once"'),
        ("step.x.destructve = true", "no key step.x.destructve", "destructive"),
    ],
)
def test_a_key_that_makes_no_sense_is_told(text: str, message: str, hint: str, tmp_path: Path) -> None:
    """With the file, the key and what it takes, or which one was probably meant; a secret is not printed back."""
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.omega-bridge]\n{text}\n")
    with pytest.raises(ConfigurationInvalid, match=message) as told:
        load_config(path)
    assert str(path) in told.value.message
    assert hint.replace("\\", "") in told.value.hint
    assert "zq7wxk9v" not in str(told.value)


@pytest.mark.parametrize("text", ["tool = 5", "[tool]\nomega-bridge = 5", "[tool.omega-bridge", "\xff"], ids=ascii)
def test_a_file_that_makes_no_sense_is_told(text: str, tmp_path: Path) -> None:
    """No traceback."""
    path = tmp_path / "pyproject.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(OmegaBridgeError, match=re.escape(str(path))) as told:
        load_config(path)
    assert told.value.hint


def test_what_is_not_configured_has_its_default(tmp_path: Path) -> None:
    """From the one declaration."""
    found = load_config(start=tmp_path)
    assert {name: found.value(name) for name in FILE} == {name: option.default for name, option in FILE.items()}
    assert found.boot_options() == {}


def test_the_reference_has_every_option() -> None:
    """Written anew by ``python -m tests.reference``."""
    text = reference.PAGE.read_text(encoding="utf-8")
    for name in reference.TABLES:
        assert text.count(f"<!-- {name}: {reference.COMMAND} -->") == text.count(f"<!-- /{name} -->") == 1
    assert reference.written(text) == text


def test_every_variable_is_in_the_reference() -> None:
    """Whatever the package reads of the environment by a name of its own."""
    package = Path(omega_bridge.__file__).parent
    read = {
        name
        for path in package.rglob("*.py")
        for name in re.findall(r"OMEGA_BRIDGE_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8"))
    }
    assert {name for name in read if f"`{name}" not in reference.PAGE.read_text(encoding="utf-8")} == set()


def test_the_schema_is_shipped() -> None:
    """Written anew by ``omega-bridge explain config --json-schema``; it has every key, and of each what it takes."""
    assert shipped() == schema()
    keys = table()["properties"]
    assert set(keys) == {*FILE, "step"}
    for name, option in FILE.items():
        assert keys[name].get("enum", list(option.choices)) == list(option.choices)
        assert ("default" in keys[name]) is (option.default is not None)
    assert set(keys["step"]["additionalProperties"]["properties"]) == set(STEP)


def test_the_command_line_takes_what_boot_takes() -> None:
    """Every argument that is a plain value is an option of the verb, with the same name for what it is given to ``boot``."""
    taken = {p.name: set(p.opts) for p in typer_app._load("boot").params}
    of_the_history = {"history", "version_table", "version_table_schema"}  # the configuration's: every verb needs the same
    plain = BOOT.keys() - {*of_the_history, "foundation"}  # --lay-foundation
    assert plain <= taken.keys()
    assert all(BOOT[name].parameter in taken[name] for name in plain)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"lock_timeout": 5.0, "on_gap": "degraded"}, {"lock_timeout": 5.0, "on_gap": "degraded", "critical_tables": ["a"]}),
        ({"critical_tables": ["b"]}, {"lock_timeout": 1.0, "critical_tables": ["a", "b"]}),
        (
            {"lock_timeout": None, "retry": False, "direct_url": None},
            {"lock_timeout": 1.0, "critical_tables": ["a"], "retry": False},
        ),
    ],
    ids=["before the file", "a list is added", "nothing"],
)
def test_an_option_goes_before_the_file(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """And what is not given leaves the file's."""
    assert of_boot({"lock_timeout": 1.0, "critical_tables": ["a"]}, given) == expected


@pytest.mark.parametrize(("given", "hint"), [({"on_busy": "degrade"}, "fail"), ({"lock_timeout": -1.0}, "seconds")], ids=str)
def test_an_option_of_the_verb_that_makes_no_sense_is_told(given: dict[str, Any], hint: str) -> None:
    """By the name that it has on the command line."""
    with pytest.raises(ConfigurationInvalid, match=r"^.OB107. --") as told:
        of_boot({}, given)
    assert hint in told.value.hint
