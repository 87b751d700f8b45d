"""What is said about objects: comments, grants, default privileges, publications."""

from __future__ import annotations

from tests.oracle.lists import lookups
from tests.oracle.lists.context import Context, Name
from tests.oracle.lists.fragment import Fragment


def comment(c: Context) -> Fragment:
    """A comment."""
    t, column = c.table(), c.column()
    words = c.pick("'it''s 100 % :fine'", "'zwei'", "NULL", "E'a\\nb'")
    return Fragment(
        "COMMENT ON "
        + c.pick(
            f"TABLE {t.sql}", f"TABLE {t.sql}", f"COLUMN {t.sql}.{column.name.bare}", f"COLUMN {t.sql}.id", f"INDEX {c.beside(t, c.named('ix', t, Name('plain'))).sql}",
            f"CONSTRAINT {c.named('ck', t).bare} ON {t.sql}", "TYPE mood", "FUNCTION touch()", f"VIEW {c.beside(t, c.named('v', t)).sql}", "SCHEMA public",
            f"TRIGGER {c.named('tr', t).bare} ON {t.sql}", f"SEQUENCE {c.beside(t, c.named('q', t)).sql}",
        )
        + f" IS {words}"
    )  # fmt: skip


def grant(c: Context) -> Fragment:
    """A privilege given or taken."""
    t = c.table()
    role = c.pick("oracle_reader", "oracle_writer", "PUBLIC")
    return c.pick(
        Fragment(f"GRANT {c.pick('SELECT', 'ALL', 'SELECT, INSERT')} ON {t.sql} TO {role}"),
        Fragment(
            f"GRANT SELECT ON {t.sql} TO {role} WITH GRANT OPTION" if role != "PUBLIC" else f"GRANT UPDATE ON {t.sql} TO PUBLIC"
        ),
        Fragment(f"GRANT SELECT ON ALL TABLES IN SCHEMA {c.pick('public', 'side')} TO {role}"),
        Fragment(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"),
        Fragment(f"GRANT SELECT (id) ON {t.sql} TO {role}"),
        Fragment(f"REVOKE {c.pick('SELECT', 'ALL')} ON {t.sql} FROM {role}"),
        Fragment("GRANT SELECT ON ALL TABLES IN SCHEMA public TO no_such_role"),
        Fragment(f"GRANT USAGE ON SCHEMA public TO {role}"),
    )


def default_privileges(c: Context) -> Fragment:
    """Privileges of what is yet to be made."""
    role = c.pick("oracle_reader", "PUBLIC")
    return c.pick(
        Fragment(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {role}"),
        Fragment(f"ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO {role}"),
        Fragment(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM {role}"),
        Fragment("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"),
    )


def publication(c: Context) -> Fragment:
    """A publication."""
    t = c.table()
    there = lookups.named("pg_publication", "pubname", "'pub'")
    return c.pick(
        Fragment(f"CREATE PUBLICATION pub FOR TABLE {t.sql}", unless=(there,)),
        Fragment("CREATE PUBLICATION pub", unless=(there,)),
        Fragment(
            f"ALTER PUBLICATION pub ADD TABLE {t.sql}", unless=(f"SELECT 1 FROM pg_publication_tables WHERE tablename = {t.lit}",)
        ),
        Fragment(f"ALTER PUBLICATION pub SET TABLE {t.sql}", where=(there,)),
        Fragment("ALTER PUBLICATION pub SET (publish = 'insert')", where=(there,)),
        Fragment("DROP PUBLICATION IF EXISTS pub"),
    )


KINDS = {"comment": comment, "grant": grant, "default-privileges": default_privileges, "publication": publication}
