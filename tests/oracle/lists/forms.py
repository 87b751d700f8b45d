"""The forms in which lists write a statement: bare, softly, under guards of every shape, with errors swallowed, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.oracle.lists.context import Context, lit
from tests.oracle.lists.fragment import Fragment
from tests.oracle.lists.listed import Entry, Rows

Wrapped = tuple[str, str]
"""What stands before a statement, and after it."""


def begin(before: str, after: str, declared: str = "") -> Wrapped:
    """A DO block around it."""
    declare = f"DECLARE {declared}; " if declared else ""
    return f"DO $do$ {declare}BEGIN {before}", f"{after} END $do$"


def _counted(query: str) -> str:
    return "SELECT count(*) " + query[query.index("FROM") :] if "FROM" in query else f"SELECT count(*) FROM ({query}) q"


def _performed(query: str) -> str:
    return query.replace("SELECT FROM", "SELECT 1 FROM").removeprefix("SELECT ")


UNLESS: dict[str, Callable[[str], Wrapped]] = {
    "if-not-exists": lambda q: begin(f"IF NOT EXISTS ({q}) THEN ", "; END IF;"),
    "count-is-zero": lambda q: begin(f"IF ({_counted(q)}) = 0 THEN ", "; END IF;"),
    "not-found": lambda q: begin(f"PERFORM {_performed(q)}; IF NOT FOUND THEN ", "; END IF;"),
    "select-into": lambda q: begin(f"SELECT EXISTS ({q}) INTO there; IF NOT there THEN ", "; END IF;", "there boolean"),
    "count-into": lambda q: begin(f"{_counted(q).replace('count(*)', 'count(*) INTO n')}; IF n = 0 THEN ", "; END IF;", "n int"),
    "assigned": lambda q: begin(f"missing := NOT EXISTS ({q}); IF missing THEN ", "; END IF;", "missing boolean"),
    "assigned-with-equals": lambda q: begin(f"there = EXISTS ({q}); IF NOT there THEN ", "; END IF;", "there bool := false"),
    "return": lambda q: begin(f"IF EXISTS ({q}) THEN RETURN; END IF; ", ";"),
    "else": lambda q: begin(f"IF EXISTS ({q}) THEN RAISE NOTICE 'there, 100 %%'; ELSE ", "; END IF;"),
    "elsif": lambda q: begin(f"IF EXISTS ({q}) THEN NULL; ELSIF 1 = 1 THEN ", "; END IF;"),
    "case": lambda q: begin(f"CASE WHEN EXISTS ({q}) THEN NULL; ELSE ", "; END CASE;"),
    "exit-loop": lambda q: begin(f"FOR i IN 1..3 LOOP EXIT WHEN EXISTS ({q}); ", "; END LOOP;"),
    "continue-loop": lambda q: begin(f"FOR i IN 1..2 LOOP IF EXISTS ({q}) THEN CONTINUE; END IF; ", "; END LOOP;"),
    "is-null-into": lambda q: begin(f"SELECT 1 INTO v FROM ({q.replace('SELECT FROM', 'SELECT 1 FROM')}) q LIMIT 1; IF v IS NULL THEN ", "; END IF;", "v int"),
    "swallowed-too": lambda q: begin(f"IF NOT EXISTS ({q}) THEN BEGIN ", "; EXCEPTION WHEN OTHERS THEN NULL; END; END IF;"),
    "guard-and-version": lambda q: begin(f"IF NOT EXISTS ({q}) AND current_setting('server_version_num')::int > 90000 THEN ", "; END IF;"),
    "handler-works": lambda q: begin(f"ASSERT EXISTS ({q}); EXCEPTION WHEN assert_failure THEN ", ";"),
}  # fmt: skip
WHERE: dict[str, Callable[[str], Wrapped]] = {
    "if-exists": lambda q: begin(f"IF EXISTS ({q}) THEN ", "; END IF;"),
    "count": lambda q: begin(f"IF ({_counted(q)}) > 0 THEN ", "; END IF;"),
    "found": lambda q: begin(f"PERFORM {_performed(q)}; IF FOUND THEN ", "; END IF;"),
    "return-where-not": lambda q: begin(f"IF NOT EXISTS ({q}) THEN RETURN; END IF; ", ";"),
    "into": lambda q: begin(f"SELECT EXISTS ({q}) INTO has; IF has THEN ", "; END IF;", "has boolean"),
    "not-not": lambda q: begin(f"IF NOT (NOT EXISTS ({q})) THEN ", "; END IF;"),
    "while": lambda q: begin(f"WHILE EXISTS ({q}) LOOP ", "; EXIT; END LOOP;"),
    "else": lambda q: begin(f"IF NOT EXISTS ({q}) THEN NULL; ELSE ", "; END IF;"),
}
SWALLOWED: dict[str, Callable[[str], Wrapped]] = {
    "others": lambda _d: begin("", "; EXCEPTION WHEN OTHERS THEN NULL;"),
    "duplicate": lambda d: begin("", f"; EXCEPTION WHEN {d} THEN NULL;"),
    "others-told": lambda _d: begin("", "; EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'skipped: %', SQLERRM;"),
    "duplicate-or-other": lambda d: begin("", f"; EXCEPTION WHEN {d} OR undefined_table OR undefined_column THEN NULL;"),
    "inner": lambda d: begin("BEGIN ", f"; EXCEPTION WHEN {d} THEN NULL; END;"),
    "raised-again": lambda d: begin("", f"; EXCEPTION WHEN {d} THEN NULL; WHEN OTHERS THEN RAISE;"),
}


def entry(c: Context, several: Sequence[Fragment], family: str, forms: frozenset[str]) -> Entry:
    """One entry of the list, of one statement or of several. ``forms``: which groups of forms may be used."""
    first = several[0]
    if first.alone or first.plain:
        return _made((first,), (_soft(first),), ("", ""), family)
    if first.unless and (first.cautious or not first.softly or c.chance(0.5)) and "guarded" in forms:
        form = c.of(sorted(UNLESS) if "shapes" in forms else ["if-not-exists"])
        return _made((first,), (_inner(c, first, forms),), UNLESS[form](c.of(first.unless)), f"{family}/{form}")
    if first.where and c.chance(0.6) and "guarded" in forms:
        form = c.of(sorted(WHERE) if "shapes" in forms else ["if-exists"])
        return _made((first,), (_inner(c, first, forms),), WHERE[form](c.of(first.where)), f"{family}/{form}")
    several = [f for f in several if not (f.alone or f.plain or f.cautious)]
    if not several:
        form = "if-not-exists"
        return _made((first,), (first.sql,), UNLESS[form](c.of(first.unless)), f"{family}/{form}")
    if "swallowed" in forms and c.chance(0.35):
        form = c.of(sorted(SWALLOWED) if "shapes" in forms else ["others", "duplicate"])
        parts = tuple(_inner(c, f, forms) for f in several)
        return _made(several, parts, SWALLOWED[form](first.duplicate), f"{family}/{form}")
    return _made(several, tuple(_soft(f) if c.chance(0.8) else f.sql for f in several), ("", ""), family)


def _soft(fragment: Fragment) -> str:
    return fragment.softly or fragment.sql


def _inner(c: Context, fragment: Fragment, forms: frozenset[str]) -> str:
    """The statement inside a block: as it is, or as text that is executed."""
    text = fragment.sql if c.chance(0.7) else _soft(fragment)
    if "dynamic" in forms and c.chance(0.15):
        if c.chance(0.5):
            return f"EXECUTE {lit(text)}"
        return f"EXECUTE format({lit(text.replace('%', '%%'))})"
    if text.startswith("SELECT "):
        return "PERFORM " + text.removeprefix("SELECT ")
    return text


def _made(several: Sequence[Fragment], parts: tuple[str, ...], around: Wrapped, family: str) -> Entry:
    kinds = {f.rows for f in several}
    rows = kinds.pop() if len(kinds) == 1 else Rows.TOO
    return Entry(
        parts, around[0], around[1], rows, any(f.destructive for f in several), any(f.repeats for f in several), family,
    )  # fmt: skip
