"""libpg_query as ``postgast`` ships it, and of ``postgast`` the modules that parse.

``import postgast`` makes a class for each of 270 kinds of node, too, which nothing here uses: in a process that has just begun, a tenth of
a start that repairs. Its modules import one another by their full names, so each finds those that were loaded before it, and the package
itself is never asked for. Messages made here and there are of different classes: ours stay in this folder.
"""

from __future__ import annotations

import ctypes
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from omega_bridge.sql.messages import messages

_PARTS = ("pg_query_pb2", "errors", "native", "parse", "plpgsql", "scan")
"""Each behind those that it imports."""


def _loaded() -> list[ModuleType]:
    """The modules: those of others, where somebody has imported ``postgast`` already; else ours alone, so that who imports it gets it whole."""
    names = [f"postgast.{part}" for part in _PARTS]
    package = find_spec("postgast")
    if "postgast" in sys.modules or package is None:
        return [import_module(name) for name in names]
    found, places = PathFinder.find_spec, list(package.submodule_search_locations or ())
    made = messages(Path(places[0])) if places else None
    if made is not None:
        sys.modules[names[0]] = made
    try:
        return [made if made and name == names[0] else _load(name, found(name, places)) for name in names]
    finally:
        for name in names:
            sys.modules.pop(name, None)


def _load(name: str, spec: ModuleSpec | None) -> ModuleType:
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    module = module_from_spec(spec)
    module.__package__ = ""  # so the messages look for their description beside them, and not in the package
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from google.protobuf.message import Message
    from postgast import PgQueryError, parse, parse_plpgsql, scan
    from postgast import native as _native
    from postgast import pg_query_pb2 as pb
    from postgast.errors import check_error as _check_error
else:
    pb, _errors, _native, _parse, _plpgsql, _scan = _loaded()
    PgQueryError, _check_error = _errors.PgQueryError, _errors.check_error
    parse, parse_plpgsql, scan = _parse.parse, _plpgsql.parse_plpgsql, _scan.scan

__all__ = ["PgQueryError", "deparse", "parse", "parse_plpgsql", "pb", "scan"]


def deparse(tree: Message) -> str:
    """The SQL text of a ``ParseResult``. As ``postgast.deparse``, which is loaded with all those classes. Raises ``PgQueryError``."""
    data: bytes = tree.SerializeToString()
    held = ctypes.create_string_buffer(data)
    asked = _native.PgQueryProtobuf(len=len(data), data=ctypes.cast(held, ctypes.c_void_p).value)
    result = _native.lib.pg_query_deparse_protobuf(asked)
    try:
        _check_error(result)
        query: bytes = result.query
        return query.decode()
    finally:
        _native.lib.pg_query_free_deparse_result(result)
