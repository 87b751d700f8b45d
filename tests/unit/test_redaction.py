"""No password in any output, whatever the form of the URL that holds it."""

from __future__ import annotations

import contextlib
import io
import os
import traceback
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omega_bridge.cli.app import run
from omega_bridge.errors import OmegaBridgeError
from omega_bridge.postgres.dsn import connection_parameters, normalise
from omega_bridge.redaction import is_clear, redact, without_literal, without_secrets
from omega_bridge.startup.start import boot

SHOWN = {
    "postgresql://u:s3cr3t@h/d": "postgresql://u@h/d",
    "postgresql://u:s3cr3t@h,h2:55/d": "postgresql://u@h,h2:55/d",
    "postgresql://h/d?user=u&PASSWORD=s3cr3t": "postgresql://h/d?user=u&PASSWORD=***",
    "postgres://user:pa@ss@host/db": "postgres://user:***@host/db",
    "postgres://user:pa/ss@host/db": "postgres://user:***@host/db",
    "postgres://user:pa#s?s@host/db?sslmode=require": "postgres://user:***@host/db?***",
    "user:pass@host/db": "user:***@host/db",
    "postgresql://user:pass": "postgresql://user:***",
    "postgresql://[::1]:5432/d": "postgresql://[::1]:5432/d",
    "postgresql:///db?host=/tmp/x&application_name=a@b": "postgresql:///db?host=/tmp/x&application_name=a@b",
    "postgresql://u@h/d?options=-c%20app.secret%3Dzz": "postgresql://u@h/d?options=***",
    "host=h password='a b\\' c' user=u": "host=h password=*** user=u",
    "host=h password=a b c": "host=h password=***",
    "host=h password='abc def": "host=h password=***",
    "dbname='postgresql://u:pw@h/d'": "dbname=postgresql://u@h/d",
    "hunter2": "***",
}

PASSWORDS = st.lists(st.sampled_from([*"/#?@:%&=' \"\\[]<>+,;$~äß€", "%zz", "%40", "://", "//", "==", "pass="]), max_size=4).map(
    lambda middle: f"zq7w{''.join(middle)}xk9v"
)
"""What is special in a URL, between two words that no message holds."""

HOSTLESS = "postgresql://user:{}"
"""With an ``@`` in the password, it would have a host."""

FORMS = (
    "postgresql://user:{}@127.0.0.1:1/db",
    "postgres://user:{}@127.0.0.1:1,127.0.0.1:2/db?sslmode=disable",
    "postgresql+asyncpg://user:{}@127.0.0.1:1/db?ssl=require",
    "postgresql://:{}@127.0.0.1:1/db",
    "postgresql://127.0.0.1:1/db?user=u&password={}",
    "postgresql://127.0.0.1:1/db?user=u&PASSWORD={}",
    "postgresql://u@127.0.0.1:1/db?sslpassword={}",
    "postgresql://u@127.0.0.1:1/db?options=-c%20app.secret%3D{}",
    "postgresql://user:{}@[::1/db",
    "postgresql://user:{}@127.0.0.1:port/db",
    HOSTLESS,
    "postgresql:/user:{}@127.0.0.1/db",
    "user:{}@127.0.0.1/db",
    "//user:{}@127.0.0.1/db",
    "mysql://user:{}@127.0.0.1/db",
    "host=127.0.0.1 port=1 user=u password={}",
    "host=127.0.0.1 port=1 user=u password='{}",
    "host=127.0.0.1 port=1 user=u PassWord = '{}'",
    "dbname=postgresql://user:{}@127.0.0.1:1/db",
)
URLS = st.builds(
    lambda form, password, plain: form.format(password if plain and form != HOSTLESS else quote(password, safe="")),
    st.sampled_from(FORMS), PASSWORDS, st.booleans(),
)  # fmt: skip

VERBS = (
    ("boot",), ("boot", "--json"), ("plan",), ("status", "--json"), ("drift",), ("adopt",), ("ledger", "log"), ("ledger", "verify", "--json"),
    ("init", "--sentinel"),
)  # fmt: skip


def is_kept(text: str) -> bool:
    """Whether a text holds nothing of the password."""
    return "zq7w" not in text and "xk9v" not in text


def test_a_setting_that_nobody_knows_is_not_shown() -> None:
    """It may be the end of a secret's name, as in ``pass word=``."""
    assert redact("host=h port=1 pass word=zq7w xk9v") == "host=h port=1 pass word=***"
    assert redact("host=h strange=zq7w") == "host=h strange=***"
    assert redact("postgresql://user:zq7w==?pass=xk9v@127.0.0.1:1/db") == "postgresql://user:***?***"


@pytest.mark.parametrize(("url", "shown"), SHOWN.items())
def test_what_is_shown_of_a_url(url: str, shown: str) -> None:
    """User, host and database where they are certain, and never a secret."""
    assert redact(url) == shown


@given(URLS)
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
def test_no_form_of_a_url_shows_a_password(url: str) -> None:
    """Escaped or not, in its place or out of it."""
    assert is_kept(redact(url))


@given(PASSWORDS)
def test_what_others_say_is_told_without_the_password(password: str) -> None:
    """As it was written, and as it is meant."""
    url = f"postgresql://u:{quote(password, safe='')}@h/d"
    assert is_clear(url)
    assert is_kept(without_secrets(f"{password} and {quote(password, safe='')} in {url}", [url]))


@given(URLS)
@settings(max_examples=100, deadline=None)
def test_no_connection_tells_a_password(url: str) -> None:
    """Neither the error nor the errors behind it, as a traceback shows them."""
    with pytest.raises(OmegaBridgeError) as told:
        boot(url, ["SELECT 1"])
    assert told.value.hint
    assert is_kept("".join(traceback.format_exception(told.value)))


@given(URLS)
def test_no_parameters_tell_a_password(url: str) -> None:
    """What libpq says of a part that it cannot read is not quoted."""
    with contextlib.suppress(OmegaBridgeError):
        connection_parameters(normalise(url))


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@given(url=URLS)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_verb_tells_a_password(verb: tuple[str, ...], url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the URL is an option or in the environment; an error is ours, with a code."""
    options = ("--steps", "examples/nexus/main.py:migration_steps") if verb[0] not in ("ledger", "init") else ()
    for given_url in (("--database-url", url), ()):
        monkeypatch.setitem(os.environ, "DATABASE_URL", url)
        told = io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told), pytest.raises(SystemExit) as ended:
            run([*verb, *options, *given_url])
        assert ended.value.code in (2, 3)
        assert "[OB" in told.getvalue()
        assert "unforeseen" not in told.getvalue()
        assert is_kept(told.getvalue())


def test_an_error_that_nobody_foresaw_ends_with_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Not with 1, which is a check's no; as JSON where that was asked for, and without the password."""
    url = "postgresql://user:zq7w%40xk9v@127.0.0.1:1/db"

    def broken(*_: object) -> None:
        raise LookupError(f"nobody expects zq7w@xk9v of {url}")

    monkeypatch.setattr("omega_bridge.cli.boot.prepare", broken)
    with pytest.raises(SystemExit) as ended:
        run(["boot", "--json", "--database-url", url])
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert '"code": "OB000"' in told.out
    assert "Traceback" in told.err
    assert is_kept(told.out + told.err)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ('unterminated quoted string at or near "\'s3cret; SELECT 1"', 'unterminated quoted string at or near "\'***"'),
        ("syntax error at or near \"E's3\"cr\\'et'\"", 'syntax error at or near "E\'***"'),
        (
            'unterminated dollar-quoted string at or near "$body$ s3cret"',
            'unterminated dollar-quoted string at or near "$body$***"',
        ),
        ("Syntaxfehler bei »'s3cret'«", "Syntaxfehler bei »'***«"),
        ('syntax error at or near "TABEL"', 'syntax error at or near "TABEL"'),
        ('syntax error at or near "$1"', 'syntax error at or near "$1"'),
    ],
)
def test_a_syntax_error_does_not_quote_a_string(message: str, shown: str) -> None:
    """It may be a password; the place of the error is told beside it."""
    assert without_literal(message) == shown
