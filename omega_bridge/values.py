"""``dataclass``, as the standard library has it, which compiles nothing before it is used.

There each class costs half a millisecond, since its methods are texts that are compiled while the module loads; a start that repairs loads
ninety. Here a method is compiled when it is first called, and most never are. ``replace``, ``fields``, pickling and ``match`` work as there.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field, FrozenInstanceError
from reprlib import recursive_repr
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from dataclasses import dataclass
    from inspect import Signature
else:

    def dataclass(*, frozen=False, slots=False):
        """The decorator. What inherits, or has ``ClassVar`` and the like among its fields, is left to the standard library."""

        def made(cls):
            is_plain = cls.__bases__ == (object,) and not any(
                word in str(of) for of in cls.__annotations__.values() for word in _NOT_OURS
            )
            return _made(cls, frozen=frozen, slots=slots) if is_plain else dataclasses.dataclass(cls, frozen=frozen, slots=slots)

        return made


__all__ = ["dataclass"]

_NOT_OURS = ("ClassVar", "InitVar", "KW_ONLY")
_FIELD = dataclasses._FIELD  # type: ignore[attr-defined]  # by this the standard library knows a field
_PARAMS = {
    frozen: SimpleNamespace(init=True, repr=True, eq=True, order=False, unsafe_hash=False, frozen=frozen)
    for frozen in (False, True)
}


def _made(cls: type[Any], *, frozen: bool, slots: bool) -> type[Any]:
    body = {name: value for name, value in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    fields = {name: _field(name, of, body.get(name, MISSING)) for name, of in cls.__annotations__.items()}
    for field in fields.values():
        if field.default is MISSING or slots:
            body.pop(field.name, None)
        else:
            body[field.name] = field.default
    owner: list[type[Any]] = []
    ours = {"__repr__": _repr, "__replace__": _replace, "__init__": _few(owner), "__eq__": _when_called(owner, "__eq__")}
    if slots:
        ours |= {"__getstate__": _state, "__setstate__": _restore}
    body = ours | body
    if body.get("__hash__") is None:
        body["__hash__"] = _when_called(owner, "__hash__") if frozen else None
    if frozen:
        body["__setattr__"], body["__delattr__"] = _set, _delete
    if slots:
        body["__slots__"] = tuple(fields)
    body["__dataclass_fields__"], body["__dataclass_params__"] = fields, _PARAMS[frozen]
    body["__match_args__"] = tuple(f.name for f in fields.values() if f.init and not f.kw_only)
    body["__signature__"] = _Signature()
    body["__qualname__"] = cls.__qualname__
    owner.append(type(cls.__name__, (), body))
    return owner[0]


def _field(name: str, of: Any, default: Any) -> Field[Any]:
    field: Any = default if type(default) is Field else dataclasses.field(default=default)
    field.name, field.type, field._field_type = name, of, _FIELD
    field.kw_only = field.kw_only is True
    return field  # type: ignore[no-any-return]


def _when_called(owner: list[type[Any]], name: str) -> Callable[..., Any]:
    """In the place of a method until it is called."""

    def method(self: Any, /, *args: Any, **given: Any) -> Any:
        written = _WRITTEN[name](owner[0])
        setattr(owner[0], name, written)
        return written(self, *args, **given)

    method.__name__ = name
    return method


_FEW = 4
"""Instances that are filled without a compiled ``__init__``, which takes as long as thirty of them; most classes have fewer."""


def _few(owner: list[type[Any]]) -> Callable[..., None]:
    """``__init__`` until there are some instances."""
    begun = iter(range(_FEW))
    compiled = _when_called(owner, "__init__")

    def __init__(self: Any, /, *args: Any, **given: Any) -> None:
        if next(begun, None) is None or not _is_filled(self, owner[0], args, given):
            compiled(self, *args, **given)

    return __init__


def _is_filled(self: Any, owner: Any, args: tuple[Any, ...], given: dict[str, Any]) -> bool:
    """Give an instance its values. Not where the arguments do not fit: what then is raised, the compiled one knows."""
    fields = owner.__dataclass_fields__
    values = dict(zip(owner.__match_args__, args, strict=False))
    fits = len(args) <= len(owner.__match_args__) and values.keys().isdisjoint(given)
    values |= given
    if not fits or any(name not in fields or not fields[name].init for name in values):
        return False
    for name, field in fields.items():
        if name in values:
            continue
        if field.default_factory is not MISSING:
            values[name] = field.default_factory()
        elif field.default is not MISSING:
            values[name] = field.default
        elif field.init:
            return False
    for name in fields:
        if name in values:
            object.__setattr__(self, name, values[name])
    if hasattr(owner, "__post_init__"):
        self.__post_init__()
    return True


# --- what is compiled -------------------------------------------------------------------------------------------


def _init(owner: Any) -> Callable[..., None]:
    fields = owner.__dataclass_fields__.values()
    known: dict[str, Any] = {"_set": object.__setattr__, "_made": _FACTORY}
    slots = {name: owner.__dict__[name].__set__ for name in owner.__dict__.get("__slots__", ())}
    taken: dict[bool, list[str]] = {False: ["self"], True: []}
    work = []
    for field in fields:
        name, value = field.name, field.name
        if field.default_factory is not MISSING:
            known[f"_{name}"] = field.default_factory
            value = f"_{name}() if {name} is _made else {name}" if field.init else f"_{name}()"
        elif field.default is not MISSING:
            known[f"_{name}"] = field.default
            value = name if field.init else f"_{name}"
        if field.init:
            default = "_made" if field.default_factory is not MISSING else f"_{name}" if field.default is not MISSING else ""
            taken[field.kw_only].append(f"{name}={default}" if default else name)
        elif field.default_factory is MISSING and (field.default is MISSING or "__slots__" not in owner.__dict__):
            continue
        if name in slots:  # what ``_set`` would have to look for
            known[f"_to_{name}"] = slots[name]
            work.append(f"_to_{name}(self, {value})")
        else:
            work.append(f"_set(self, {name!r}, {value})" if owner.__dataclass_params__.frozen else f"self.{name} = {value}")
    if hasattr(owner, "__post_init__"):
        work.append("self.__post_init__()")
    arguments = ", ".join([*taken[False], *(["*", *taken[True]] if taken[True] else [])])
    init = _compiled("__init__", f"def __init__({arguments}):\n  " + "\n  ".join(work or ["pass"]), known)
    init.__qualname__ = f"{owner.__qualname__}.__init__"
    init.__annotations__ = {f.name: f.type for f in fields if f.init} | {"return": None}
    return init


def _equal(owner: Any) -> Callable[[Any, Any], Any]:
    fields = owner.__dataclass_fields__.values()
    one, other = (_values_of(of, [f.name for f in fields if f.compare]) for of in ("self", "other"))
    text = f"def __eq__(self, other):\n  return {one} == {other} if other.__class__ is self.__class__ else NotImplemented"
    return _compiled("__eq__", text, {})


def _hash(owner: Any) -> Callable[[Any], int]:
    hashed = [f.name for f in owner.__dataclass_fields__.values() if (f.compare if f.hash is None else f.hash)]
    return _compiled("__hash__", f"def __hash__(self):\n  return hash({_values_of('self', hashed)})", {})


_WRITTEN: dict[str, Callable[[Any], Callable[..., Any]]] = {"__init__": _init, "__eq__": _equal, "__hash__": _hash}


def _values_of(of: str, names: Iterable[str]) -> str:
    return "(" + "".join(f"{of}.{name}, " for name in names) + ")"


def _compiled(name: str, text: str, known: Mapping[str, Any]) -> Callable[..., Any]:
    there = dict(known)
    exec(text, there)  # it holds names of fields, and nothing else of the class
    made: Callable[..., Any] = there[name]
    return made


# --- what all share -----------------------------------------------------------------------------------------------


@recursive_repr()
def _repr(self: Any) -> str:
    shown = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr)
    return f"{type(self).__qualname__}({shown})"


def _set(self: Any, name: str, value: object) -> None:
    if name in self.__dataclass_fields__ or "__dataclass_fields__" in type(self).__dict__:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _delete(self: Any, name: str) -> None:
    if name in self.__dataclass_fields__ or "__dataclass_fields__" in type(self).__dict__:
        raise FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__dataclass_fields__]


def _restore(self: Any, state: Iterable[Any]) -> None:
    for name, value in zip(self.__dataclass_fields__, state, strict=True):
        object.__setattr__(self, name, value)


def _replace(self: Any, /, **changes: Any) -> Any:
    return dataclasses.replace(self, **changes)


class _Factory:
    """In the place of a value that is made for each instance."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY = _Factory()


class _Signature:
    """``inspect.signature`` of the class, and ``help``: those of its ``__init__`` as it will be."""

    def __get__(self, instance: object, owner: type[Any]) -> Signature:
        import inspect

        init = _init(owner)
        found = inspect.signature(init)
        return found.replace(parameters=list(found.parameters.values())[1:])
