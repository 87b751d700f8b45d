"""Views and materialised views, of columns and of ``*``, one on another, replaced, rebuilt, renamed; rules."""

from __future__ import annotations

from tests.oracle.lists import lookups
from tests.oracle.lists.context import Context, Name
from tests.oracle.lists.fragment import Fragment


def view(c: Context) -> Fragment:
    """A view."""
    t, column = c.table(), c.column()
    v = c.beside(t, c.named("v", t))
    other = Name("v_over")
    n = column.name.bare
    query = c.pick(
        f"SELECT id FROM {t.sql}", f"SELECT id, {n} FROM {t.sql}", f"SELECT * FROM {t.sql}", f"SELECT id, {n} AS renamed FROM {t.sql}",
        f"SELECT count(*) AS n FROM {t.sql}", f"SELECT a.id FROM {t.sql} a JOIN {c.table().sql} b ON b.id::text = a.id::text",
        f"SELECT {n}, id FROM {t.sql} WHERE id IS NOT NULL",
    )  # fmt: skip
    options = c.pick("", "", "", " WITH (security_barrier = true)")
    return c.pick(
        Fragment(f"CREATE VIEW {v.sql}{options} AS {query}", f"CREATE OR REPLACE VIEW {v.sql}{options} AS {query}", (lookups.view(c, v),), duplicate="duplicate_table"),
        Fragment(f"CREATE VIEW {v.sql}{options} AS {query}", f"CREATE OR REPLACE VIEW {v.sql}{options} AS {query}", (lookups.view(c, v),), duplicate="duplicate_table"),
        Fragment(f"DROP VIEW IF EXISTS {v.sql}{c.pick('', ' CASCADE')}; CREATE VIEW {v.sql} AS {query}"),
        Fragment(f"CREATE OR REPLACE VIEW {other.sql} AS SELECT * FROM {v.sql}"),
        Fragment(f"DROP VIEW IF EXISTS {other.sql}; CREATE VIEW {other.sql} AS SELECT id FROM {v.sql}"),
        Fragment(f"DROP VIEW IF EXISTS {v.sql}", where=(lookups.view(c, v),), duplicate="undefined_table"),
        Fragment(f"ALTER VIEW IF EXISTS {v.sql} SET (security_barrier = true)"),
        Fragment(f"ALTER VIEW {v.sql} RENAME TO {c.named('w', t).bare}", where=(lookups.view(c, v),), duplicate="undefined_table"),
        Fragment(f"CREATE OR REPLACE VIEW {other.sql} AS SELECT id FROM {v.sql}; COMMENT ON VIEW {other.sql} IS 'over'"),
    )  # fmt: skip


def matview(c: Context) -> Fragment:
    """A materialised view."""
    t, column = c.table(), c.column()
    m = c.beside(t, c.named("mv", t))
    text = f"{m.sql} AS SELECT {c.pick('id', f'id, {column.name.bare}', 'count(*) AS n', '*')} FROM {t.sql}{c.pick('', ' WITH NO DATA')}"
    return c.pick(
        Fragment(f"CREATE MATERIALIZED VIEW {text}", f"CREATE MATERIALIZED VIEW IF NOT EXISTS {text}", (lookups.matview(c, m),), duplicate="duplicate_table"),
        Fragment(f"CREATE MATERIALIZED VIEW {text}", f"CREATE MATERIALIZED VIEW IF NOT EXISTS {text}", (lookups.matview(c, m),), duplicate="duplicate_table"),
        Fragment(f"DROP MATERIALIZED VIEW IF EXISTS {m.sql}; CREATE MATERIALIZED VIEW {text}"),
        Fragment(f"CREATE INDEX IF NOT EXISTS {c.named('ix_mv', t).bare} ON {m.sql} (id)"),
        Fragment(f"DROP MATERIALIZED VIEW IF EXISTS {m.sql}", destructive=True, where=(lookups.matview(c, m),)),
    )  # fmt: skip


def rule(c: Context) -> Fragment:
    """A rule."""
    t = c.table()
    name = c.named("r", t)
    body = f"RULE {name.bare} AS ON DELETE TO {t.sql} DO {c.pick('INSTEAD NOTHING', 'ALSO NOTHING')}"
    return c.pick(
        Fragment(f"CREATE {body}", f"CREATE OR REPLACE {body}", (lookups.named("pg_rules", "rulename", name.lit),)),
        Fragment(f"CREATE {body}", f"CREATE OR REPLACE {body}", (lookups.named("pg_rules", "rulename", name.lit),)),
        Fragment(f"DROP RULE IF EXISTS {name.bare} ON {t.sql}"),
    )


KINDS = {"view": view, "matview": matview, "rule": rule}
