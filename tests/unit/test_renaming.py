"""What a renamed attribute means: for the steps that the list has already, and for the names that are made of its own."""

from __future__ import annotations

from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.planning.renamed_along import with_names
from omega_bridge.planning.renames import Rename
from omega_bridge.revisions.renaming import added_by
from omega_bridge.steps import Registry

OLD = Key(Kind.COLUMN, "public", "tenants", "phone")
GUARDED = (
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'tenants' AND column_name = 'phone') "
    "THEN ALTER TABLE tenants ADD COLUMN phone varchar(30); END IF; END $$"
)


def test_the_steps_that_would_make_the_old_column_again_are_named() -> None:
    """Guarded or not, a step that adds it does so at the next start, when it is gone; one that makes the table with it does not."""
    listed = Registry.of(
        [
            "CREATE TABLE IF NOT EXISTS tenants (id int, phone varchar(30))",
            GUARDED,
            ("plain", "ALTER TABLE tenants ADD COLUMN IF NOT EXISTS phone varchar(30)"),
            "ALTER TABLE tenants ADD COLUMN IF NOT EXISTS email text",
            "ALTER TABLE users ADD COLUMN IF NOT EXISTS phone text",
        ]
    )
    assert list(added_by(listed, OLD)) == ["tenants-phone", "plain"]


def of(*objects: tuple[Kind, str, str, dict[str, object]]) -> Catalog:
    """A catalog of the table ``t`` with these."""
    return Catalog({Key(kind, "public", table, name): attributes for kind, table, name, attributes in objects})


def objects(column: str, *, mandatory: bool = True) -> list[tuple[Kind, str, str, dict[str, object]]]:
    """A column, and what PostgreSQL and SQLAlchemy call after it."""
    return [
        (Kind.COLUMN, "t", column, {"nullable": not mandatory}),
        (Kind.COLUMN, "t", "b", {"nullable": True}),
        (
            Kind.INDEX,
            "",
            f"ix_t_{column}",
            {"table": "t", "definition": f"CREATE INDEX ix_t_{column} ON public.t USING btree ({column})"},
        ),
        (Kind.CONSTRAINT, "t", f"t_{column}_fkey", {"type": "f", "definition": f"FOREIGN KEY ({column}) REFERENCES o(a)"}),
        (Kind.CONSTRAINT, "t", f"t_{column}_check", {"type": "c", "definition": f"CHECK (({column} <> 'a'::text))"}),
        (Kind.SEQUENCE, "", f"t_{column}_seq", {"owned_by": f"t.{column}"}),
        (Kind.INDEX, "", "other", {"table": "u", "definition": "CREATE INDEX other ON public.u USING btree (a)"}),
    ]


def rename(old: str, new: str) -> Rename:
    """Of a column of ``t``."""
    return Rename(Key(Kind.COLUMN, "public", "t", old), Key(Kind.COLUMN, "public", "t", new))


def names(one: Rename) -> list[tuple[str, str, str]]:
    """What goes along."""
    return [(a.kind, a.old, a.new) for a in one.along]


def test_what_is_called_after_a_column_is_called_after_its_new_name() -> None:
    """Index, constraints, sequence and NOT NULL; a constant, and another table's column of the old name, stay as they are."""
    (found,) = with_names([rename("a", "z")], of(*objects("a")), of(*objects("z")))
    assert names(found) == [
        ("not null", "t_a_not_null", "t_z_not_null"),
        ("constraint", "t_a_check", "t_z_check"),
        ("constraint", "t_a_fkey", "t_z_fkey"),
        ("index", "ix_t_a", "ix_t_z"),
        ("sequence", "t_a_seq", "t_z_seq"),
    ]
    (found,) = with_names([rename("a", "z")], of(*objects("a", mandatory=False)[:2]), of(*objects("z")))
    assert names(found) == []


def test_what_is_about_two_columns_goes_with_the_last_of_them() -> None:
    """And what could be one of two is none."""

    def both(one: str, other: str, *named: str) -> Catalog:
        index = f"CREATE INDEX {{}} ON public.t USING btree ({one}, {other})"
        several = [(Kind.INDEX, "", name, {"table": "t", "definition": index.format(name)}) for name in named]
        return of((Kind.COLUMN, "t", one, {}), (Kind.COLUMN, "t", other, {}), *several)

    moved = [rename("a", "x"), rename("b", "y")]
    assert [names(r) for r in with_names(moved, both("a", "b", "ab"), both("x", "y", "xy"))] == [[], [("index", "ab", "xy")]]
    assert [names(r) for r in with_names(moved, both("a", "b", "ab", "ba"), both("x", "y", "xy"))] == [[], []]
