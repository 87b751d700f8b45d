"""What a project's own modules raise while they are imported, as an error of ours with their file and line."""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from omega_bridge.errors import ModuleFailed, OmegaBridgeError
from omega_bridge.redaction import redact
from omega_bridge.regexes import regex

_LIBRARIES = tuple(
    os.path.realpath(p) for p in {sysconfig.get_paths()[n] for n in ("stdlib", "platstdlib", "purelib", "platlib")}
)
_SCHEME = r"[a-z][\w+.-]*://"
_ADDRESS = regex(rf"(?<='){_SCHEME}[^']+(?=')|(?<=\"){_SCHEME}[^\"]+(?=\")|\b{_SCHEME}[^\s'\"]+", re.I)
"""A URL that an error quotes, where it may hold a password."""
_OWN = os.path.dirname(os.path.realpath(__file__))


@contextmanager
def importing(what: str) -> Iterator[None]:
    """Around an import of a module that is not ours. Raises ``ModuleFailed`` for whatever it raises."""
    try:
        yield
    except OmegaBridgeError:
        raise
    except (Exception, SystemExit) as exc:
        place = _place(exc)
        said = _ADDRESS.sub(_shown_address, " ".join(str(exc).split())) or "no word why"
        said = said if len(said) <= 500 else said[:497] + "..."
        raise ModuleFailed(
            f"{what} cannot be imported: {f'{place}: ' if place else ''}{type(exc).__name__}: {said}",
            hint=_hint(exc, place),
            place=place,
        ) from exc


def _shown_address(found: re.Match[str]) -> str:
    return redact(found[0]) if "@" in found[0] or "=" in found[0] else found[0]


def _place(exc: BaseException) -> str:
    """The last line of the project's own that was being run."""
    if isinstance(exc, SyntaxError) and exc.filename:
        return f"{_shown(exc.filename)}:{exc.lineno}"
    frames = [f for f in traceback.extract_tb(exc.__traceback__) if _is_theirs(f.filename)]
    return f"{_shown(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""


def _is_theirs(file: str) -> bool:
    path = os.path.realpath(file)
    return not file.startswith("<") and not any(path.startswith(f"{p}{os.sep}") for p in (*_LIBRARIES, _OWN))


def _shown(file: str) -> str:
    relative = os.path.relpath(file)
    return file if relative.startswith("..") else relative


def _hint(exc: BaseException, place: str) -> str:
    if isinstance(exc, ModuleNotFoundError):
        return f"Install what has the module {exc.name!r}, or name its folder: python-path = [...] in [tool.omega-bridge]."
    if isinstance(exc, KeyError) or "environ" in str(exc) or type(exc).__name__ in ("ValidationError", "SettingsError"):
        return (
            "Where it reads settings from the environment, set them for this command, too (any value will do: nothing is connected to), "
            "or read them only when they are used."
        )
    return f"Mend {place}; importing the module by hand shows the whole traceback." if place else "Import it by hand to see why."
