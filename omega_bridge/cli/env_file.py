"""``--env-file``: the environment out of a file of ``KEY=VALUE`` lines, read where it is asked for and never by itself.

A line is ``KEY=VALUE``, with or without ``export`` in front, a comment (``#``), or empty. A value is bare, up to a ``#`` behind white
space; in single quotes, as it stands; or in double quotes, with ``\\n``, ``\\t``, ``\\"``, ``\\$`` and ``\\\\``. No message holds any of a line: it
may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from omega_bridge.errors import ConfigurationInvalid

DIRECT = "OMEGA_BRIDGE_DIRECT_URL"

_LINE = re.compile(r"\s*(?:export\s+)?(?P<key>[A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*(?P<value>.*)", re.S)
_BEHIND = r"\s*(?:\s#.*)?"
_SINGLE = re.compile(rf"'(?P<text>[^']*)'{_BEHIND}")
_DOUBLE = re.compile(rf'"(?P<text>(?:[^"\\]|\\.)*)"{_BEHIND}')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "$": "$"}
_EXPANDED = re.compile(r"(?<!\\)\$\{|\$\(")


def read(path: Path) -> dict[str, str]:
    """The file's variables; of one that is given twice the last, as a shell has it. Raises ``ConfigurationInvalid``, with the line's number."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationInvalid(
            f"{path} cannot be read: {error.strerror}", hint="Give --env-file the path of a file of KEY=VALUE lines."
        ) from error
    except UnicodeDecodeError:
        raise ConfigurationInvalid(f"{path} is not UTF-8", hint="Write the file of --env-file in UTF-8.") from None
    return dict(
        _pair(line, f"{path}, line {number}")
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1)
        if line.strip() and not line.lstrip().startswith("#")
    )


def environment(found: Mapping[str, str], environ: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """``environ`` with what the file says. ``names``: the variables that may hold the database's URL.

    A file that names the database names it alone: no other variable, and no way past a pooler of another database, speaks beside it.
    """
    beside = {*names, DIRECT} if any(found.get(name) for name in names) else set[str]()
    return {name: value for name, value in environ.items() if name not in beside} | dict(found)


def _pair(line: str, where: str) -> tuple[str, str]:
    whole = _LINE.fullmatch(line)
    if whole is None or "\0" in line:
        raise ConfigurationInvalid(f"{where}: no KEY=VALUE", hint="Write KEY=VALUE, or # in front of a comment.")
    return whole["key"], _value(whole["value"].rstrip(), where)


def _value(written: str, where: str) -> str:
    if written[:1] not in ("'", '"'):
        return _plain(re.split(r"(?:^|\s)#", written, maxsplit=1)[0].rstrip(), where)
    quoted = (_SINGLE if written[0] == "'" else _DOUBLE).fullmatch(written)
    if quoted is None:
        raise ConfigurationInvalid(
            f"{where}: the quote does not end, or something stands behind it", hint="Close the value's quote on its own line."
        )
    if written[0] == "'":
        return quoted["text"]
    return _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[0]), _plain(quoted["text"], where))


def _plain(text: str, where: str) -> str:
    """The text, where no shell would put something else in its place."""
    if _EXPANDED.search(text):
        raise ConfigurationInvalid(
            f"{where}: the value is put together from others, which is not done here", hint="Write it out, or in single quotes."
        )
    return text
