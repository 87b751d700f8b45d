"""Every option is declared once, and whatever speaks of options speaks of these."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from omega_bridge import Step, boot
from omega_bridge.config import load_config
from omega_bridge.errors import ConfigurationInvalid, NotAList, OmegaBridgeError
from omega_bridge.options import BOOT, FILE, OPTIONS, STEP, STEP_FLAGS, fits
from omega_bridge.startup import run
from omega_bridge.steps import Registry

NOWHERE = "postgresql://nobody@127.0.0.1:1/x"


def test_boot_takes_what_is_declared() -> None:
    """Names and defaults of the signature, of ``boot_async``'s keywords and of the value that a start works on."""
    declared = {name: option.default for name, option in BOOT.items()}
    taken = {p.name: p.default for p in inspect.signature(boot).parameters.values() if p.kind is p.KEYWORD_ONLY}
    assert taken.pop("metadata") is None
    assert taken == declared
    assert set(run.BootOptions.__annotations__) == {"metadata", *declared}
    made = {f.name: f.default for f in dataclasses.fields(run.Options)}
    assert made == {**declared, "foundation": ()}


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
