"""Options whose value is what it has to be already, taken as it is.

Later releases of Typer load pydantic to say so, which takes longer than most verbs do.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Command(Protocol):
    """Of the Click that Typer works with, which may be its own."""

    @property
    def get_params(self) -> Callable[..., Sequence[object]]:
        """What it takes."""


def take_plain_values(command: Command) -> None:
    """Of a command, and of those of a group: no value, a string where one is asked for, a path."""
    for one in (command, *getattr(command, "commands", {}).values()):
        vars(one)["get_params"] = partial(_parameters, one.get_params)


def _parameters(get_params: Callable[[Any], list[Any]], context: Any) -> list[Any]:
    """Those of the command itself, and what comes along with it (``--help``)."""
    found = get_params(context)
    for parameter in found:
        if "process_value" not in vars(parameter):
            parameter.process_value = partial(_value, parameter, parameter.process_value)
    return found


def _value(parameter: Any, process: Callable[[Any, Any], object], context: Any, value: object) -> object:
    """What ``process`` would make of it, without it where that is certain."""
    asked = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    match value:
        case None if not parameter.required:
            found: object = () if parameter.multiple or parameter.nargs == -1 else None
        case str() if asked is str:
            found = value
        case str() if asked is Path:
            found = Path(value)
        case tuple() | list() if asked == list[str] and value and all(isinstance(one, str) for one in value):
            found = list(value)
        case _:
            return process(context, value)
    return parameter.callback(context, parameter, found) if parameter.callback is not None else found
