"""Ways out of a transaction: a program of the server's machine, another session, a language that may do anything. What they do is
not undone with the transaction, and nobody sees which rows it takes.

Found by name: in the text of a step, and, asked of the server, in the body of what the step may call. A text that is put together at
run time can hide one.
"""

from __future__ import annotations

import re

from omega_bridge.regexes import regex

_PROGRAM = r"copy\M.*?\m(from|to)\s+program\s*(e|u&)?['$](?=[^\s),;])"
_SESSION = r"(dblink|dblink_exec|dblink_open|dblink_send_query|pg_background_launch)\"?\s*\("
_PATTERN = rf"\m({_PROGRAM}|{_SESSION})"
"""As PostgreSQL writes regular expressions."""
_IN_PYTHON = regex(_PATTERN.replace(r"\m", r"\b").replace(r"\M", r"\b"), re.IGNORECASE | re.DOTALL)
_UNTRUSTED = regex(r"\s*do\b.*\blanguage\s+[\"']?(plpython3?u|plperlu|pltclu|plsh)\b", re.IGNORECASE | re.DOTALL)


def way_out(text: str) -> str | None:
    """What of a text goes out of the transaction; ``None`` where nothing does by name."""
    if (found := _IN_PYTHON.search(text)) is not None:
        return "COPY ... PROGRAM" if found[2] else f"{found[4].lower()}()"
    if (language := _UNTRUSTED.match(text)) is not None:
        return f"a block in {language[1].lower()}"
    return None


def unseen(way: str) -> str:
    """Why a text that takes this way is refused."""
    return f"goes out of its transaction with {way}, so that nobody could see which rows it takes before they are gone"


_QUOTED = "E'" + _PATTERN.replace("\\", "\\\\").replace("'", "''") + "'"
_BY_BODY = f"%s OPERATOR(pg_catalog.~*) {_QUOTED}"
"""Whether a body takes one itself, in SQL."""
_LEAVES = f"""((NOT l.lanpltrusted AND l.lanname OPERATOR(pg_catalog.<>) ALL ('{{c,internal}}'::pg_catalog.name[]))
    OR {_BY_BODY % "p.prosrc"})"""

IN_THE_DATABASE = f"""EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
  WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
    AND (p.proname OPERATOR(pg_catalog.=) ANY ('{{dblink,dblink_exec,dblink_open,dblink_send_query,pg_background_launch}}'::pg_catalog.name[])
      OR {_LEAVES}))"""
"""Whether a routine of a user's takes one, or is one: then a view or a default may take it, too. In SQL."""

QUESTION = f"""
WITH RECURSIVE named (name, body, leaves) AS MATERIALIZED (
  SELECT p.proname::pg_catalog.text, CASE WHEN p.prosrc OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_get_functiondef(p.oid) ELSE p.prosrc END,
    {_LEAVES}
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
  WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
  UNION ALL SELECT c.relname::pg_catalog.text, p.proname::pg_catalog.text, false FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) t.tgfoid
  WHERE NOT t.tgisinternal
  UNION ALL SELECT c.relname::pg_catalog.text, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
    {_BY_BODY % "pg_catalog.pg_get_expr(d.adbin, d.adrelid)"} FROM pg_catalog.pg_attrdef d
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) d.adrelid
  UNION ALL SELECT c.relname::pg_catalog.text, pg_catalog.pg_get_constraintdef(k.oid),
    {_BY_BODY % "pg_catalog.pg_get_constraintdef(k.oid)"} FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) k.conrelid WHERE k.contype OPERATOR(pg_catalog.=) 'c'::pg_catalog."char"
  UNION ALL SELECT c.relname::pg_catalog.text, pg_catalog.pg_get_ruledef(w.oid),
    {_BY_BODY % "pg_catalog.pg_get_ruledef(w.oid)"} FROM pg_catalog.pg_rewrite w
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) w.ev_class WHERE w.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
), reached (name, body, leaves) AS (
  SELECT ''::pg_catalog.text, pg_catalog.concat_ws(' ', {{text}}::pg_catalog.text, (SELECT pg_catalog.string_agg(p.proname::pg_catalog.text, ' ')
    FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) e.evtfoid
    WHERE e.evtenabled OPERATOR(pg_catalog.<>) 'D'::pg_catalog."char")) COLLATE pg_catalog."default", false
  UNION SELECT n.name COLLATE pg_catalog."default", n.body COLLATE pg_catalog."default", n.leaves FROM reached r JOIN named n
  ON r.body OPERATOR(pg_catalog.~*) pg_catalog.concat(
    E'\\\\m', pg_catalog.regexp_replace(n.name, E'(\\\\W)', E'\\\\\\\\\\\\1', 'g'), E'\\\\M')
)
SELECT pg_catalog.concat(name, CASE WHEN pg_catalog.to_regclass(pg_catalog.quote_ident(name)) IS NULL THEN '()' END) FROM reached WHERE leaves LIMIT 1
"""
"""The routine by which a text takes one, in SQL; no row where none does. What it may call is told by name: its own, that of a table
with a trigger, a rule, a default or a check on it, and event triggers. ``{text}``: the text as an expression.
"""
