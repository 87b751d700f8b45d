"""Texts that releases of PostgreSQL print each in words of their own are told from texts that differ."""

from __future__ import annotations

import pytest

from omega_bridge.sql.printed import same_printed

# As 13 prints it, and as 18 does.
SAME = [
    (" SELECT tt.id,\n    tt.a\n   FROM tt\n  WHERE (tt.a > 0);", " SELECT id,\n    a\n   FROM tt\n  WHERE (a > 0);"),
    (
        " SELECT tt.id FROM tt WHERE ((tt.id IN ( SELECT u.b FROM u)) AND (EXISTS ( SELECT 1 FROM u WHERE (u.a = tt.a))));",
        " SELECT id FROM tt WHERE ((id IN ( SELECT u.b FROM u)) AND (EXISTS ( SELECT 1 FROM u WHERE (u.a = tt.a))));",
    ),
    (
        " WITH c AS ( SELECT tt.a, count(*) AS n FROM tt GROUP BY tt.a ) SELECT c.a, c.n FROM c ORDER BY c.n;",
        " WITH c AS ( SELECT tt.a, count(*) AS n FROM tt GROUP BY tt.a ) SELECT a, n FROM c ORDER BY n;",
    ),
    (
        " SELECT s.a FROM ( SELECT tt.a, row_number() OVER (ORDER BY tt.id) AS n FROM tt) s WHERE (s.n = 1);",
        " SELECT a FROM ( SELECT tt.a, row_number() OVER (ORDER BY tt.id) AS n FROM tt) s WHERE (n = 1);",
    ),
    (" SELECT tt.a FROM ONLY tt TABLESAMPLE bernoulli (10);", " SELECT a FROM ONLY tt TABLESAMPLE bernoulli (10);"),
    (" SELECT (x.*)::text AS r, x.b AS c FROM tt x;", " SELECT (x.*)::text AS r, b AS c FROM tt x;"),
    ("timezone('utc'::text, now())", "(now() AT TIME ZONE 'utc'::text)"),
    ("date_part('year'::text, d)", "EXTRACT(year FROM d)"),
    (
        "CREATE OR REPLACE PROCEDURE public.p(d uuid)\n LANGUAGE sql\nAS $procedure$select 1$procedure$",
        "CREATE OR REPLACE PROCEDURE public.p(IN d uuid)\n LANGUAGE sql\nAS $procedure$select 1$procedure$",
    ),
    ("CHECK ((a > 0))", "CHECK ((a > 0))"),
]
DIFFERENT = [
    ("(EXISTS ( SELECT 1 FROM u WHERE (u.a = tt.a)))", "(EXISTS ( SELECT 1 FROM u WHERE (u.a = u.a)))"),
    (
        " SELECT id FROM tt WHERE (EXISTS ( SELECT 1 FROM u WHERE (u.a = tt.a)));",
        " SELECT id FROM tt WHERE (EXISTS ( SELECT 1 FROM u WHERE (u.a = u.a)));",
    ),
    (" SELECT s.a FROM ( SELECT t.a FROM t) s;", " SELECT s.a FROM ( SELECT s.a FROM s) s;"),
    (" SELECT a.id FROM a JOIN b USING (k)", " SELECT b.id FROM a JOIN b USING (k)"),
    ("timezone('utc'::text, now())", "timezone('cet'::text, now())"),
    ("date_part('year'::text, d)", "EXTRACT(month FROM d)"),
    ("CHECK ((a > 0))", "CHECK ((a > 1))"),
    ("'x'::text", "'y'::text"),
    ("FOR VALUES FROM (1) TO (2)", "FOR VALUES FROM (1) TO (3)"),
    ("RANGE (a)", "RANGE (b)"),
    ("own.timezone('utc'::text, now())", "timezone('utc'::text, now())"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_other_words_for_the_same(one: str, other: str) -> None:
    """Both ways round."""
    assert same_printed(one, other) is True
    assert same_printed(other, one) is True


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_not_the_same(one: str, other: str) -> None:
    """What is left out of count hides no difference."""
    assert same_printed(one, other) is False


def test_what_cannot_be_read_is_not_known() -> None:
    """Only what is equal letter by letter is the same then."""
    assert same_printed("a b c d e", "a b c d f") is None
    assert same_printed("a b c d e", "a b c d e") is True
