"""The messages of which libpg_query's parse trees are made, from their description as ``postgast`` ships it.

``postgast.pg_query_pb2`` makes them by protobuf's public modules, and those load protobuf's implementation in Python as well, which does
nothing where the one in C is at work: half of what loading the parser takes. Here the C implementation is asked by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

DESCRIPTION = "pg_query.desc"
"""The file beside ``postgast``'s modules: a serialized ``FileDescriptorSet``."""
_FILE = "pg_query.proto"


def messages(folder: Path) -> ModuleType | None:
    """What ``postgast.pg_query_pb2`` gives: each message, each enumeration and its values by their names. ``None`` where that is not to be had
    without it: protobuf's other implementations, another release of it, another form of the description.
    """
    try:
        return _made((folder / DESCRIPTION).read_bytes())
    except (ImportError, AttributeError, TypeError, ValueError, LookupError, OSError, SystemError):
        return None


def _made(description: bytes) -> ModuleType:
    from google.protobuf.internal import api_implementation
    from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
    from google.protobuf.message import Message
    from google.protobuf.pyext.cpp_message import GeneratedProtocolMessageType

    class Messages(ModuleType):
        """A kind of node gets its class when somebody asks for it by its name; C makes those that a tree is made of."""

        def __getattr__(self, name: str) -> Any:
            if (descriptor := kinds.get(name)) is None:
                raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
            made = GeneratedProtocolMessageType(name, (Message,), {"DESCRIPTOR": descriptor, "__module__": None})
            setattr(self, name, made)
            return made

    if api_implementation.Type() != "upb":
        raise ImportError("protobuf's implementation in C is not there")
    pool = api_implementation._c_module.DescriptorPool()
    for file in _files(description):
        pool.AddSerializedFile(file)
    described = pool.FindFileByName(_FILE)
    kinds = described.message_types_by_name
    found = Messages("postgast.pg_query_pb2")
    held = vars(found)
    for name, descriptor in described.enum_types_by_name.items():
        held[name] = EnumTypeWrapper(descriptor)
        held.update((value.name, value.number) for value in descriptor.values)
    return found


def _files(description: bytes) -> Iterator[bytes]:
    """The files of a ``FileDescriptorSet``, each behind those that it imports. Raises ``ValueError`` where it holds anything else.

    Source: protobuf's "Encoding": field 1, its length as a varint, its bytes.
    """
    at = 0
    while at < len(description):
        if description[at] != _FIELD:
            raise ValueError("it holds more than files")
        length = shift = 0
        at += 1
        while True:
            byte = description[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield description[at : at + length]
        at += length


_FIELD = 0x0A
"""Number 1, of a length that is told."""
