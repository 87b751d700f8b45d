"""A database is held against what another server made of the list: what only that server lacks or prints otherwise is no difference,
and what a hand does later is seen all the same.
"""

from __future__ import annotations

import psycopg

import omega_bridge
from omega_bridge.analysis import Analysis, analyse
from omega_bridge.audit.drift import Drift, drift
from omega_bridge.audit.expected import make
from omega_bridge.audit.scratch import GivenServer
from omega_bridge.embedded import Server
from omega_bridge.expectation import Expectation
from omega_bridge.expectation_file import from_text, to_text
from omega_bridge.steps import Registry

NO_MODELS = analyse(Registry(()))


class Here:
    """A database, with a list that has run on another server, too."""

    def __init__(self, database: str, server: Server, *steps: str) -> None:
        self.database, self.steps = database, list(steps)
        self.analysis: Analysis = analyse(Registry.of(self.steps))
        self.expected: Expectation = from_text(to_text(make(self.analysis, "", GivenServer(server.url))), "here")

    def execute(self, text: str) -> None:
        """By hand."""
        with psycopg.connect(self.database, autocommit=True) as conn:
            conn.execute(text)

    def start(self) -> Drift:
        """The drift after a start, which the next one has nothing to add to."""
        omega_bridge.boot(self.database, self.steps)
        assert omega_bridge.boot(self.database, self.steps).outcome == "current"
        return self.drift()

    def drift(self) -> Drift:
        """The drift as it is."""
        return drift(self.database, self.analysis, NO_MODELS, self.expected)

    def after(self, damage: str) -> set[str]:
        """What is told after a damage; another start puts it back."""
        self.execute(damage)
        found = {str(difference) for difference in self.drift().differences}
        assert self.start().differences == (), damage
        return found


def test_how_a_database_prints_is_no_difference(database: str, server: Server) -> None:
    """Names in quotes, bytes with escapes, moments in another zone: what is compared is read as on any other server."""
    here = Here(
        database, server,
        "CREATE TABLE IF NOT EXISTS t (id int, name text, data bytea DEFAULT 'abc', at timestamptz DEFAULT '2020-01-02 00:00+00', f float8 DEFAULT 0.1)",
        "CREATE OR REPLACE VIEW v AS SELECT id, DATE '2020-01-02' AS d, 1.1::float8 AS f FROM t",
    )  # fmt: skip
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    for setting in (
        "quote_all_identifiers = on", "bytea_output = 'escape'", "timezone = 'Asia/Tokyo'", "extra_float_digits = -3", "datestyle = 'German'",
    ):  # fmt: skip
        here.execute(f"ALTER DATABASE {name} SET {setting}")
    assert here.start().differences == ()
    assert here.after("DROP VIEW v") == {"view public.v"}
    here.execute("ALTER TABLE t ALTER at SET DEFAULT '2020-01-02 09:00+00'")
    assert [(d.attribute, d.key.name) for d in here.drift().differences] == [("default", "at")]
