"""``[tool.omega-bridge]`` of a pyproject.toml: found, checked, and handed out as a frozen value."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from omega_bridge.errors import ConfigurationInvalid, ModelsIncomplete, ModuleFailed
from omega_bridge.steps import Registry
from omega_bridge.user_code import importing

URL_VARIABLES = ("OMEGA_BRIDGE_DATABASE_URL", "DATABASE_URL", "POSTGRES_DSN")

_TEXT, _LIST, _NUMBER, _SWITCH = (str,), (list,), (int, float), (bool,)
_KEYS: dict[str, tuple[type, ...]] = {
    "steps": _TEXT,
    "sql-order": _TEXT,
    "metadata": _TEXT,
    "foundation": (str, list),
    "python-path": _LIST,
    "critical-tables": _LIST,
    "alembic": _TEXT,
    "database-url-env": _LIST,
    "on-error": _TEXT,
    "strict": _SWITCH,
    "allow-destructive": _LIST,
    "allow-rejected": _LIST,
    "lock-timeout": _NUMBER,
    "table-lock-timeout": _NUMBER,
    "statement-timeout": _NUMBER,
    "boot-timeout": _NUMBER,
    "direct-url": _TEXT,
    "on-busy": _TEXT,
    "on-gap": _TEXT,
    "pooler-keeps-sessions": _SWITCH,
    "trusted-owners": _LIST,
    "retry-after": _NUMBER,
    "lint-ignore": _LIST,
    "step": (dict,),
}
_FLAGS: dict[str, tuple[type, ...]] = {"repeat": _TEXT, "destructive": _SWITCH, "optional": _SWITCH}
_BOOT = (
    "critical-tables",
    "on-error",
    "strict",
    "allow-destructive",
    "lock-timeout",
    "table-lock-timeout",
    "statement-timeout",
    "boot-timeout",
    "direct-url",
    "on-busy",
    "on-gap",
    "pooler-keeps-sessions",
    "trusted-owners",
    "retry-after",
)


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of one project. Paths in it are relative to ``root``, the folder of its file."""

    root: Path
    path: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def steps(self) -> str | None:
        """Where the list is."""
        return self.values.get("steps")

    @property
    def sql_order(self) -> Literal["version", "name"]:
        """By what the files of a folder stand in the list."""
        found: Literal["version", "name"] = self.values.get("sql-order", "version")
        return found

    def require_steps(self) -> str:
        """Where the list is. Raises ``ConfigurationInvalid`` where nothing says so."""
        if self.steps is None:
            raise ConfigurationInvalid(
                f"nothing says where the list of steps is ({self.path or self.root} has no steps in [tool.omega-bridge])",
                hint="Give --steps path/to/main.py:migration_steps, or run: omega-bridge init",
            )
        return self.steps

    @property
    def python_paths(self) -> tuple[Path, ...]:
        """Folders to import the list and the models from."""
        return tuple(self.root / p for p in self.values.get("python-path", ()))

    @property
    def foundation(self) -> tuple[str, ...]:
        """The files and folders of what the list stands on, in their order."""
        found = self.values.get("foundation", ())
        return (found,) if isinstance(found, str) else tuple(found)

    @property
    def alembic(self) -> str:
        """The history's folder."""
        return str(self.values.get("alembic", "alembic"))

    @property
    def critical_tables(self) -> tuple[str, ...]:
        """Names for the inspection."""
        return tuple(self.values.get("critical-tables", ()))

    @property
    def trusted_owners(self) -> tuple[str, ...]:
        """Roles whose objects in our schema are used, beside those that always are."""
        return tuple(self.values.get("trusted-owners", ()))

    @property
    def allow_rejected(self) -> tuple[str, ...]:
        """Steps that PostgreSQL may reject on a scratch database."""
        return tuple(self.values.get("allow-rejected", ()))

    @property
    def lint_ignore(self) -> tuple[str, ...]:
        """Rules that the project does not hold to."""
        return tuple(self.values.get("lint-ignore", ()))

    @property
    def pooler_keeps_sessions(self) -> bool:
        """Whether a pooler in between gives each client a server connection of its own."""
        return bool(self.values.get("pooler-keeps-sessions", False))

    @property
    def step_flags(self) -> Mapping[str, Mapping[str, Any]]:
        """Flags of single steps, by id: keyword arguments of ``Step``."""
        found: Mapping[str, Mapping[str, Any]] = self.values.get("step", {})
        return found

    def boot_options(self) -> dict[str, Any]:
        """What is configured of ``omega_bridge.boot``'s keyword arguments."""
        return {key.replace("-", "_"): self.values[key] for key in _BOOT if key in self.values}

    def load_metadata(self) -> Any:
        """The models' ``MetaData``; ``None`` where none is configured. Raises ``ConfigurationInvalid``."""
        named = self.values.get("metadata")
        if named is None:
            return None
        module, _, attribute = named.partition(":")
        for path in (str(self.root), *(str(p) for p in self.python_paths)):
            if path not in sys.path:
                sys.path.insert(0, path)
        hint = 'Write metadata = "package.module:Base.metadata", and python-path = ["folder"] where it is not importable.'
        try:
            with importing(f"{module}, which has the models,"):
                found: Any = importlib.import_module(module)
        except ModuleFailed as failed:
            if _is_missing_itself(failed.__cause__, module):
                raise ConfigurationInvalid(f"the models' MetaData is not at {named!r}: {failed.__cause__}", hint=hint) from failed
            raise
        try:
            for part in attribute.split("."):
                found = getattr(found, part)
        except AttributeError as exc:
            raise ConfigurationInvalid(f"the models' MetaData is not at {named!r}: {exc}", hint=hint) from exc
        if not hasattr(found, "tables"):
            raise ConfigurationInvalid(f"{named!r} is a {type(found).__name__}, and no MetaData", hint=hint)
        require_tables(found, named)
        return found


def _is_missing_itself(error: object, module: str) -> bool:
    """Whether it is the module that is not found, or a package that it is in; not one that it imports."""
    return isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}.")


def require_tables(metadata: Any, named: str) -> None:
    """Raises ``ModelsIncomplete`` for models without a table, with the imports that are missing, as far as files show them."""
    if metadata.tables:
        return
    from omega_bridge.model_files import unimported

    found = unimported(metadata)
    told = "".join(f"\n  {one}" for one in found)
    raise ModelsIncomplete(
        f"the models' MetaData {named} has no table: nothing has imported a model{told}",
        hint="Import the modules of the models where the MetaData comes from, before it is handed over.",
    )


def load_config(path: Path | None = None, start: Path | None = None) -> Config:
    """The configuration in ``path``, else in the first pyproject.toml with our section at or above ``start``.

    Without any, the defaults with ``start`` as root. Raises ``ConfigurationInvalid``.
    """
    if path is not None:
        if not path.exists():
            raise ConfigurationInvalid(f"{path} does not exist", hint="Give --config the path of a pyproject.toml.")
        return Config(path.resolve().parent, path, _checked(path, _section(path) or {}))
    begin = (start or Path.cwd()).resolve()
    for folder in (begin, *begin.parents):
        candidate = folder / "pyproject.toml"
        if candidate.is_file() and (section := _section(candidate)) is not None:
            return Config(folder, candidate, _checked(candidate, section))
    return Config(begin)


def url_names(config: Config) -> tuple[str, ...]:
    """The environment variables that may hold the database's URL, the first that is set being the one."""
    return (*config.values.get("database-url-env", ()), *URL_VARIABLES)


def database_url(config: Config, option: str | None, environ: Mapping[str, str]) -> str:
    """The URL: the option, else the environment. Raises ``ConfigurationInvalid``."""
    if option:
        return option
    for name in url_names(config):
        if environ.get(name):
            return environ[name]
    raise ConfigurationInvalid(
        "nothing says which database", hint=f"Set {URL_VARIABLES[0]} (or {', '.join(URL_VARIABLES[1:])}), or give --database-url."
    )


def direct_url(config: Config, environ: Mapping[str, str]) -> str | None:
    """The way past a pooler, for whatever holds the lock: the environment, else the configuration; ``None`` where there is none."""
    found: str | None = environ.get("OMEGA_BRIDGE_DIRECT_URL") or config.values.get("direct-url")
    return found


def _section(path: Path) -> dict[str, Any] | None:
    import tomllib

    try:
        found: dict[str, Any] | None = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("omega-bridge")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationInvalid(f"{path} is not valid TOML: {exc}", hint="Correct the file.") from exc
    return found


def _checked(path: Path, section: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in section.items():
        _check(path, key, value, _KEYS)
        if isinstance(value, str) and "://" in value:
            raise ConfigurationInvalid(
                f"{path}: {key} holds a URL; a database's URL is a secret and has no place in this file",
                hint=f"Set the environment variable {URL_VARIABLES[0]}.",
            )
    if section.get("on-error", "stop") not in ("stop", "continue"):
        raise ConfigurationInvalid(f"{path}: on-error = {section['on-error']!r}", hint='Write on-error = "stop" or "continue".')
    if section.get("on-busy", "fail") not in ("fail", "degraded"):
        raise ConfigurationInvalid(f"{path}: on-busy = {section['on-busy']!r}", hint='Write on-busy = "fail" or "degraded".')
    if section.get("on-gap", "stop") not in ("stop", "degraded"):
        raise ConfigurationInvalid(f"{path}: on-gap = {section['on-gap']!r}", hint='Write on-gap = "stop" or "degraded".')
    if section.get("sql-order", "version") not in ("version", "name"):
        raise ConfigurationInvalid(
            f"{path}: sql-order = {section['sql-order']!r}", hint='Write sql-order = "version", or "name" for plain name order.'
        )
    for step, flags in section.get("step", {}).items():
        if not isinstance(flags, dict):
            raise ConfigurationInvalid(f"{path}: step.{step} is no table", hint=f"Write [tool.omega-bridge.step.{step}].")
        for key, value in flags.items():
            _check(path, key, value, _FLAGS, f"step.{step}.")
        if flags.get("repeat", "always") not in ("always", "once"):
            raise ConfigurationInvalid(f"{path}: step.{step}.repeat = {flags['repeat']!r}", hint='Write "always" or "once".')
    return dict(section)


def _check(path: Path, key: str, value: object, known: Mapping[str, tuple[type, ...]], prefix: str = "") -> None:
    if key not in known:
        near = get_close_matches(key, known, n=1)
        meant = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(known)}."
        raise ConfigurationInvalid(f"{path}: [tool.omega-bridge] has no key {prefix}{key}", hint=meant)
    wanted = known[key]
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        told = " or ".join(t.__name__ for t in wanted)
        raise ConfigurationInvalid(f"{path}: {prefix}{key} is a {type(value).__name__}, not a {told}", hint="Correct the value.")
    if isinstance(value, list) and not all(isinstance(v, str) for v in value):
        raise ConfigurationInvalid(f"{path}: {prefix}{key} holds something that is no string", hint="Write a list of strings.")


def with_flags(registry: Registry, config: Config) -> Registry:
    """The registry with ``[tool.omega-bridge.step.<id>]`` applied; ids are those that ``plan`` shows."""
    if not config.step_flags:
        return registry
    from omega_bridge.analysis import analyse

    found = analyse(registry)
    ids = {s.id for s in found}
    for unknown in config.step_flags.keys() - ids:
        raise ConfigurationInvalid(
            f"[tool.omega-bridge.step.{unknown}] names no step of the list",
            hint="The ids are in the output of: omega-bridge plan",
        )
    return Registry(tuple(replace(s.step, **config.step_flags.get(s.id, {})) for s in found), registry.source)
