"""Secrets in a text: found by their form, and never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MASK = "********"


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret: what kind it is, and the characters from ``start`` to ``end`` that it takes."""

    what: str
    start: int
    end: int


_CONNECTED = r"\b(?:host|hostaddr|port|dbname|user)\s*="
_PASSWORD = r"password\s*=\s*(?P<secret>[^\s']{3,})"
_NEAR = r"[^']{0,300}"
_FORMS = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[\s\S]*?(?:-----END (?:[A-Z]+ )*PRIVATE KEY-----|\Z)")),
    ("a key of AWS", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("a token of GitHub", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})")),
    ("a token of GitLab", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    ("a token of Slack", re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}")),
    ("a key of Stripe", re.compile(r"\b[rs]k_live_[A-Za-z0-9]{16,}")),
    ("a key of an API", re.compile(r"\bsk-(?:[a-z]+-)*[A-Za-z0-9_-]{20,}")),
    ("a key of Google", re.compile(r"\bAIza[A-Za-z0-9_-]{35}")),
    ("a signed token", re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")),
    ("a password in a URL", re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]+:(?P<secret>[^\s/@'\"]{3,})@")),
    ("a password", re.compile(r"\bpassword\s+(?P<secret>E?'(?:[^']|''(?!'))+(?:'|\Z)|E?''[^']+'')", re.I)),
    ("a password in a connection string", re.compile(rf"'{_NEAR}{_CONNECTED}{_NEAR}\b{_PASSWORD}", re.I)),
    ("a password in a connection string", re.compile(rf"'{_NEAR}\b{_PASSWORD}(?=\s{_NEAR}{_CONNECTED})", re.I)),
    (
        "a password",
        re.compile(
            r"\b(?:password|passwd|api_?key|secret|(?:access|auth)_?token)\"?'?\s*(?:=|=>|:)\s*['\"](?P<secret>[^'\"\s]{8,})['\"]",
            re.I,
        ),
    ),
)
_PLACEHOLDERS = re.compile(
    r"\A['\"E]*(?:\$\{?|%\(|:[a-z]|\{\{?|<|x{3,}|\*{3,}|changeme|change_me|example|placeholder|your[-_]|null\b|none\b|\$2[aby]\$|scram-|md5[0-9a-f]{32})",
    re.I,
)
"""What stands for a secret, and hashes of one, whose value nobody can sign in with."""


def secrets(text: str) -> Iterator[Secret]:
    """The secrets in a text, in the order of their kinds."""
    for what, form in _FORMS:
        for found in form.finditer(text):
            group = "secret" if "secret" in form.groupindex else 0
            if not _PLACEHOLDERS.match(found[group]):
                yield Secret(what, *found.span(group))


def masked(text: str) -> str:
    """The text with each secret covered."""
    for start, end in sorted({(s.start, s.end) for s in secrets(text)}, reverse=True):
        text = f"{text[:start]}{MASK}{text[end:]}"
    return text
