"""Steps are written to the end of a list, wherever that is, and nothing else of the file changes."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omega_bridge.errors import DynamicStep
from omega_bridge.sources import load
from omega_bridge.sources.appending import append, appended
from omega_bridge.sources.text import parse_list
from omega_bridge.steps import Step

NEW = [Step("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int", title="t.a"), Step('DO $$ BEGIN\n    PERFORM "x";\nEND $$')]

LISTS = {
    "on lines of their own": ("steps", 'steps = [\n    "A",\n    "B",\n]\nafter = 1\n'),
    "without a last comma, with one in a comment": ("steps", 'steps = [\n    "A",\n    "B"  # last, for now\n]\n'),
    "on one line": ("steps", 'steps = ["A", "B"]\n'),
    "on one line, with a comma": ("steps", 'steps: list[str] = ["A", "B",]\n'),
    "empty": ("steps", "steps = []\n"),
    "empty, on two lines": ("steps", "steps = [\n]\n"),
    "a tuple": ("steps", 'steps = (\n  "A",\n)\n'),
    "a call": ("steps", 'steps = list([\n    "A",\n])\n'),
    "appended to": ("steps", 'steps = ["A"]\nsteps.append("B")\nafter = 1\n'),
    "extended": ("steps", 'steps = ["A"]\nsteps.extend([\n    "B",\n])\n'),
    "longer": ("steps", 'steps = ["A"]\nsteps += ["B"]\n'),
    "put together": ("steps", 'steps = ["A"] + [\n    "B",\n]\n'),
    "appended to under a condition": ("steps", 'steps = ["A"]\nif True:\n    steps.append("B")\nafter = 1\n'),
    "in a class": (
        "Nexus.steps",
        'class Nexus:\n    """It."""\n\n    steps = [\n        "A",\n    ]\n\n    def run(self): ...\n',
    ),
    "returned": ("steps", 'def steps():\n    return [\n        "A",\n    ]\n'),
    "returned by name": ("steps", 'def steps():\n    found = ["A"]\n    found.append("B")\n    return found\n'),
    "beside other letters": ("steps", 'ñandú, steps = 1, 2\nsteps = ["ñandú", "B"]; after = "ü"\n'),
    "with names and flags": ("steps", 'steps = [\n    ("one", "A"),\n    Step("B", optional=True),\n]\n'),
    "with a text of several lines at the end": ("steps", 'steps = [\n    """\n    A\n    """\n]\n'),
    "with a bracket behind the last entry": ("steps", 'steps = [\n    "A",\n    "B"]\n'),
    "appended to while handling an error": (
        "steps",
        'steps = ["A"]\ntry:\n    pass\nexcept ImportError:\n    steps.append("B")\nelse:\n    steps.append("C")\n',
    ),
    "appended to in a case": ("steps", 'steps = ["A"]\nmatch 1:\n    case 2:\n        steps.append("B")\n'),
    "without a last line break": ("steps", 'steps = ["A"]\nsteps.append("B")'),
}


def run(text: str, variable: str) -> list[str]:
    """The list that Python makes of it."""
    here: dict[str, object] = {"Step": lambda sql, **_: sql}
    exec(text, here)
    owner, _, name = variable.rpartition(".")
    found: Any = getattr(here[owner], name) if owner else here[name]
    return [e[1] if isinstance(e, tuple) else e for e in (found() if callable(found) else found)]


def words(text: str) -> list[str]:
    """What is written, comments included, but for white space and commas."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [t.string for t in tokens if t.string.strip() and t.string != ","]


@pytest.mark.parametrize(("variable", "text"), LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_steps_come_to_the_end_of_the_list(variable: str, text: str, newline: str) -> None:
    """The list is the old one and the new steps, with their titles; Python reads the same list; every old line stands."""
    given_text = text.replace("\n", newline)
    written = appended(given_text, variable, NEW, shown="main.py")
    plain = written.replace("\r\n", "\n")
    old, new = parse_list(text, variable, "main.py"), parse_list(plain, variable, "main.py")
    assert [s.sql for s in new] == [s.sql for s in (*old, *NEW)]
    assert new.steps[-2].title == "t.a"
    assert written.count("\n") == written.count(newline)
    assert run(plain, variable) == [*run(text, variable), *(s.sql for s in NEW)]
    rest = iter(words(plain))
    assert all(word in rest for word in words(text))
    assert [s.sql for s in parse_list(appended(plain, variable, NEW[:1], shown="main.py"), variable, "")][-1] == NEW[0].sql


def test_other_line_ends_stay_as_they_are() -> None:
    """A file of both kinds keeps each line's own; the new lines are like the one before them."""
    text = 'x = 1\r\ny = 2\nsteps = [\n    "A",\n]\nz = 3\r\n'
    written = appended(text, "steps", NEW[:1], shown="main.py")
    assert written == text.replace("]", '    # t.a\n    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",\n]')


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\r"), min_size=1).filter(str.strip))
def test_any_text_is_written_as_it_is(sql: str) -> None:
    """Quotes, backslashes, control characters and line breaks come back."""
    written = appended('steps = [\n    "A",\n]\n', "steps", [Step(sql)], shown="main.py")
    assert [s.sql for s in parse_list(written, "steps", "main.py")] == ["A", sql]


@pytest.mark.parametrize(
    "text",
    [
        'steps = [f"{x}" for x in "ab"]\n',
        "steps = made()\n",
        'steps = ["A"]\nsteps.sort()\n',
        "steps = other\n",
        'STEPS = ["A"]\ndef steps():\n    return STEPS\n',
        'steps = ["A"]\ndef more():\n    steps.append("A")\n',
        'def steps():\n    found = []\n    if found:\n        found.append("A")\n        return found\n    return found\n',
        '# -*- coding: latin-1 -*-\nsteps = [\n    "A",\n]\n',
        'steps = ["A"]\ndef demo():\n    steps = ["other"]\n    return steps\n',
    ],
)
def test_a_list_without_an_end_is_told_and_left(tmp_path: Path, text: str) -> None:
    """What Python computes has no end to write to; nothing is written."""
    (tmp_path / "main.py").write_text(text)
    with pytest.raises(DynamicStep) as told:
        append("main.py:steps", [*NEW, Step("-- €")], [Step("A")], root=tmp_path)
    assert "--check" in told.value.hint
    assert (tmp_path / "main.py").read_text() == text


def test_a_folder_gets_a_file_for_each_step(tmp_path: Path) -> None:
    """Numbered on from the last one, as wide as it."""
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "009_tenants.sql").write_text("CREATE TABLE IF NOT EXISTS t (id int);\n")
    files = append("steps", NEW, (), root=tmp_path)
    assert [f.name for f in files] == ["010_t_a.sql", "011_step.sql"]
    found = load("steps", root=tmp_path)
    assert [s.sql.rstrip("\n") for s in found][1:] == [f"-- t.a\n{NEW[0].sql}", NEW[1].sql]
    assert found.steps[1].title == "t.a"


def test_an_imported_list_is_written_to_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``package.module:attribute`` is a file, too."""
    (tmp_path / "listed_here.py").write_bytes(b'# -*- coding: latin-1 -*-\nsteps = [\n    "\xf1",\n]\n')
    (path,) = append("listed_here:steps", NEW[:1], [Step("\xf1")], root=tmp_path)
    assert path == tmp_path / "listed_here.py"
    assert path.read_bytes().startswith(b'# -*- coding: latin-1 -*-\nsteps = [\n    "\xf1",\n    # t.a\n    "ALTER')
