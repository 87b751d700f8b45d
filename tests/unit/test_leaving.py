"""What goes out of its transaction, told by the words of a step."""

from __future__ import annotations

import pytest

from omega_bridge.analysis.leaving import way_out

WAYS = {
    "COPY t TO PROGRAM 'cat'": "COPY ... PROGRAM",
    "copy t (a)\n from program $$x$$": "COPY ... PROGRAM",
    "DO $$ BEGIN EXECUTE 'COPY t FROM PROGRAM ''x'''; END $$": "COPY ... PROGRAM",
    "SELECT dblink_exec('a', 'b')": "dblink_exec()",
    'SELECT * FROM public."dblink" (a) AS d (n int)': "dblink()",
    "DO LANGUAGE plpython3u $$ import os $$": "a block in plpython3u",
    "DO $$ system 'x' $$ LANGUAGE 'plperlu'": "a block in plperlu",
}


@pytest.mark.parametrize("text", WAYS)
def test_a_way_out_is_told(text: str) -> None:
    """By name, in a block and in a text that it executes, too."""
    assert way_out(text) == WAYS[text]


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO docs VALUES ('copy it from program to program')",
        "COPY t FROM '/srv/program'",
        "SELECT dblink_connect('x')",
        "CREATE EXTENSION IF NOT EXISTS dblink",
        "DO LANGUAGE plpgsql $$ BEGIN NULL; END $$",
        "COMMENT ON TABLE t IS 'do it in a language such as plpython3u'",
    ],
)
def test_what_stays_is_let_through(text: str) -> None:
    """Prose, files of the server, a connection without a statement."""
    assert way_out(text) is None
