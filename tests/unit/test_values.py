"""Frozen values: the standard library's dataclasses in all that they do, made without compiling anything as a module loads."""

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import field
from functools import cached_property
from typing import Any, ClassVar

import pytest

from omega_bridge import values


def _made(dataclass: Any) -> tuple[type[Any], type[Any], type[Any]]:
    @dataclass(frozen=True, slots=True)
    class Frozen:
        """A value."""

        name: str
        parts: tuple[Any, ...] = ()
        secret: str = field(default="", repr=False)
        given: dict[str, int] = field(default_factory=dict, hash=False)
        seen: int = field(default=0, compare=False)
        last: bool = field(kw_only=True)

    @dataclass(slots=True)
    class Open:
        """One that changes."""

        number: int
        found: list[int] = field(default_factory=list)
        known: set[int] = field(init=False, default_factory=set)
        late: int = field(init=False)
        usual: int = field(init=False, default=7)

        def __post_init__(self) -> None:
            self.late = self.number + 1

    @dataclass(frozen=True)
    class Wide:
        """One that keeps what it has worked out."""

        number: int = 3

        @cached_property
        def twice(self) -> int:
            return self.number * 2

        def __str__(self) -> str:
            return "wide"

    return Frozen, Open, Wide


THEIRS = _made(dataclasses.dataclass)


def _told(
    work: Callable[[tuple[type[Any], type[Any], type[Any]]], object], made: tuple[type[Any], type[Any], type[Any]]
) -> object:
    try:
        return work(made)
    except Exception as exc:  # whatever the standard library's raises, ours has to
        return type(exc), str(exc) if isinstance(exc, dataclasses.FrozenInstanceError) else ""


WORK: dict[str, Callable[[tuple[type[Any], type[Any], type[Any]]], object]] = {
    "shown": lambda made: repr(made[0]("a", (1,), "hush", {"x": 1}, last=True)),
    "shown within itself": lambda made: (lambda one: [one.found.append(one), repr(one)][1])(made[1](1)),
    "equal": lambda made: made[0]("a", seen=1, last=True) == made[0]("a", seen=2, last=True),
    "unequal": lambda made: made[0]("a", last=True) == made[0]("a", last=False),
    "another class": lambda made: made[2](3) == (3,),
    "hash": lambda made: hash(made[0]("a", (1,), given={"x": 1}, last=True)),
    "hash of one field": lambda made: hash(made[2](5)),
    "no hash": lambda made: hash(made[1](1)),
    "set": lambda made: setattr(made[0]("a", last=True), "name", "b"),
    "set what is no field": lambda made: setattr(made[2](1), "other", 1),
    "deleted": lambda made: delattr(made[2](1), "number"),
    "changed": lambda made: (lambda one: [setattr(one, "number", 5), repr(one)][1])(made[1](1)),
    "worked out": lambda made: [made[2](4).twice, str(made[2]())],
    "behind the first": lambda made: [repr(made[1](n)) for n in (1, 2)],
    "its own defaults": lambda made: made[1](1).found is made[1](1).found,
    "missing": lambda made: made[0]("a"),
    "too many": lambda made: made[2](1, 2),
    "unknown": lambda made: made[2](size=1),
    "replaced": lambda made: repr(dataclasses.replace(made[0]("a", last=True), name="b", parts=(2,))),
    "as a dictionary": lambda made: dataclasses.asdict(made[0]("a", given={"x": 1}, last=True)),
    "fields": lambda made: [(f.name, f.type, f.init, f.repr, f.kw_only, f.compare) for c in made for f in dataclasses.fields(c)],
    "signature": lambda made: [str(inspect.signature(c)) for c in made],
    "documented": lambda made: [c.__doc__ for c in made],
    "matched": lambda made: [c.__match_args__ for c in made],
    "copied": lambda made: repr(copy.copy(made[0]("a", (1,), last=True))),
    "copied deeply": lambda made: repr(copy.deepcopy(made[1](4, [1]))),
    "slots": lambda made: [getattr(c, "__slots__", None) for c in made],
    "no dictionary": lambda made: hasattr(made[0]("a", last=True), "__dict__"),
    "in a set": lambda made: len({made[2](1), made[2](1), made[2](2)}),
}


@pytest.mark.parametrize("what", WORK)
def test_a_value_does_what_the_standard_librarys_does(what: str) -> None:
    """Whoever has a ``Step`` or a ``Run`` has a dataclass, in everything that can be done with one; also when there are many of them."""
    ours, theirs = _made(values.dataclass), _told(WORK[what], THEIRS)
    assert _told(WORK[what], ours) == theirs
    for _ in range(6):
        _ = ours[0]("a", last=True), ours[1](1), ours[2]()
    assert _told(WORK[what], ours) == theirs


def test_what_inherits_is_a_dataclass_too() -> None:
    """A class of the caller's own may extend a value, and class variables are no fields."""
    wide = _made(values.dataclass)[2]

    @dataclasses.dataclass(frozen=True)
    class Longer(wide):  # type: ignore[misc, valid-type]
        more: int = 1

    @values.dataclass(frozen=True, slots=True)
    class Counted:
        number: int
        kind: ClassVar[str] = "one"

    assert repr(Longer(2)).endswith("Longer(number=2, more=1)")
    assert Longer(2) != wide(2)
    assert [f.name for f in dataclasses.fields(Counted)] == ["number"]


def test_a_step_is_sent_to_another_process() -> None:
    """Values of ours go through ``pickle``, as a worker's arguments do."""
    from omega_bridge import Step

    step = Step("SELECT 1", id="one")
    assert pickle.loads(pickle.dumps(step)) == step


def test_a_start_that_repairs_defines_no_class_at_half_a_millisecond() -> None:
    """What a start loads takes its dataclasses from here: ninety of the standard library's are a tenth of such a start."""
    program = (
        "import dataclasses, sys, psycopg\n"
        "whole, ours = dataclasses._process_class, []\n"
        "def process(cls, *given, **named):\n"
        "    ours.extend([cls.__qualname__] if cls.__module__.startswith('omega_bridge') else [])\n"
        "    return whole(cls, *given, **named)\n"
        "dataclasses._process_class = process\n"
        "import omega_bridge.startup.start, omega_bridge.startup.repair, omega_bridge.postgres.warm_up\n"
        "print(ours)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
