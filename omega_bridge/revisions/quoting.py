"""One quoting function for text that becomes Python source: every character comes back as it was."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"[\\\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
"""What a literal cannot show as it is; a line break can, inside three quotes."""

_BARE_QUOTE_AT_THE_END = re.compile(r'(?<!\\)(?:\\\\)*"\Z')
"""One that is not escaped already."""


def quoted(text: str, indent: str = "") -> str:
    """A Python string literal that evaluates to ``text``; over several lines where the text has several.

    Backslashes, quotes, control characters and lone surrogates are escaped; ``\\n`` is a line break inside the literal.
    """
    escaped = _SPECIAL.sub(_escape, text)
    if "\n" not in text:
        return '"' + escaped.replace('"', '\\"') + '"'
    body = escaped.replace('"""', '\\"\\"\\"')
    if _BARE_QUOTE_AT_THE_END.search(body):
        body = body[:-1] + '\\"'
    return f'{indent}"""\\\n{body}"""'


def _escape(found: re.Match[str]) -> str:
    if found[0] == "\\":
        return "\\\\"
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
