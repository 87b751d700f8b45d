"""One quoting function for text that becomes Python source: every character comes back as it was."""

from __future__ import annotations


def quoted(text: str, indent: str = "") -> str:
    """A Python string literal that evaluates to ``text``; over several lines where the text has several.

    Backslashes, quotes, control characters and lone surrogates are escaped; ``\\n`` is a line break inside the literal.
    """
    if "\n" not in text:
        return '"' + "".join(_escaped(c) for c in text).replace('"', '\\"') + '"'
    body = "".join(_escaped(c) for c in text).replace('"""', '\\"\\"\\"')
    if body.endswith('"'):
        body = body[:-1] + '\\"'
    return f'"""\\\n{body}"""' if not indent else f'{indent}"""\\\n{body}"""'


def _escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character == "\n":
        return "\n"
    number = ord(character)
    if number < 32 or 127 <= number < 160 or 0xD800 <= number <= 0xDFFF or number in (0x2028, 0x2029, 0xFEFF):
        return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
    return character
