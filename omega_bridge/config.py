"""``[tool.omega-bridge]`` of a pyproject.toml: found, checked, and handed out as a frozen value."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from omega_bridge.errors import ConfigurationInvalid, ModelsIncomplete, ModuleFailed
from omega_bridge.options import BOOT, BY_NAME, FILE, STEP, Option, SqlOrder, fits, takes
from omega_bridge.steps import Registry
from omega_bridge.user_code import importing
from omega_bridge.version_table import VersionTable, named

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from omega_bridge.startup.run import BootOptions
    from omega_bridge.typed import StepFlags


URL_VARIABLES = (BY_NAME["database-url"].variable, "DATABASE_URL", "POSTGRES_DSN")


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of one project. Paths in it are relative to ``root``, the folder of its file."""

    root: Path
    path: Path | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    def value(self, name: str) -> object:
        """What is configured under a key, else its default."""
        return self.values.get(name, FILE[name].default)

    def text(self, name: str) -> str | None:
        """The text that is configured under a key."""
        found = self.value(name)
        return None if found is None else str(found)

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts that are configured under a key; none where nothing is."""
        found = self.value(name)
        if isinstance(found, str):
            return (found,)
        return tuple(map(str, found)) if isinstance(found, Iterable) else ()

    @property
    def steps(self) -> str | None:
        """Where the list is."""
        return self.text("steps")

    @property
    def sql_order(self) -> SqlOrder:
        """By what the files of a folder stand in the list."""
        return "name" if self.value("sql-order") == "name" else "version"

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
        return tuple(self.root / p for p in self.texts("python-path"))

    @property
    def foundation(self) -> tuple[str, ...]:
        """The files and folders of what the list stands on, in their order."""
        return self.texts("foundation")

    @property
    def alembic(self) -> str:
        """The history's folder."""
        return str(self.value("alembic"))

    @property
    def version_table(self) -> VersionTable | None:
        """Where the history's revision is kept; ``None`` where nothing says so."""
        return named(self.text("version-table"), self.text("version-table-schema"))

    @property
    def critical_tables(self) -> tuple[str, ...]:
        """Names for the inspection."""
        return self.texts("critical-tables")

    @property
    def trusted_owners(self) -> tuple[str, ...]:
        """Roles whose objects in our schema are used, beside those that always are."""
        return self.texts("trusted-owners")

    @property
    def allow_rejected(self) -> tuple[str, ...]:
        """Steps that PostgreSQL may reject on a scratch database."""
        return self.texts("allow-rejected")

    @property
    def lint_ignore(self) -> tuple[str, ...]:
        """Rules that the project does not hold to."""
        return self.texts("lint-ignore")

    @property
    def pooler_keeps_sessions(self) -> bool:
        """Whether a pooler in between gives each client a server connection of its own."""
        return bool(self.value("pooler-keeps-sessions"))

    @property
    def step_flags(self) -> Mapping[str, StepFlags]:
        """Flags of single steps, by id: keyword arguments of ``Step``."""
        return cast("Mapping[str, StepFlags]", self.values.get("step", {}))

    def boot_options(self) -> BootOptions:
        """What is configured of ``omega_bridge.boot``'s keyword arguments."""
        found = {
            name: self.values[option.name]
            for name, option in BOOT.items()
            if option.in_file and option.name in self.values and name != "foundation"  # a start lays none unless it is asked to
        }
        return cast("BootOptions", found)

    def load_metadata(self) -> MetaData | None:
        """The models' ``MetaData``; ``None`` where none is configured. Raises ``ConfigurationInvalid``."""
        named = self.text("metadata")
        return self.metadata_at(named) if named is not None else None

    def metadata_at(self, named: str) -> MetaData:
        """The ``MetaData`` that is named like ``package.module:Base.metadata``. Raises ``ConfigurationInvalid``, ``ModelsIncomplete``."""
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
        models: MetaData = found
        require_tables(models, named)
        return models


def _is_missing_itself(error: object, module: str) -> bool:
    """Whether it is the module that is not found, or a package that it is in; not one that it imports."""
    return isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}.")


def require_tables(metadata: MetaData, named: str) -> None:
    """Raises ``ModelsIncomplete`` for models without a table, with the imports that are missing, as far as files show them."""
    if not hasattr(metadata, "tables"):
        raise ConfigurationInvalid(
            f"the models' MetaData {named} is of type {type(metadata).__name__}",
            hint="Give the MetaData that the models are in, such as Base.metadata.",
        )
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
    return (*config.texts("database-url-env"), *URL_VARIABLES)


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
    return environ.get(FILE["direct-url"].variable) or config.text("direct-url")


def _section(path: Path) -> dict[str, Any] | None:
    import tomllib

    try:
        found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigurationInvalid(
            f"{path} cannot be read: {exc.strerror}", hint="Give --config the path of a pyproject.toml."
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationInvalid(f"{path} is not valid TOML: {exc}", hint="Correct the file.") from exc
    for name in ("tool", "omega-bridge"):
        found = found.get(name)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise ConfigurationInvalid(f"{path}: {name} is no table", hint="Write [tool.omega-bridge], and the keys below it.")
    section: dict[str, Any] = found
    return section


def _checked(path: Path, section: Mapping[str, Any]) -> dict[str, Any]:
    steps = section.get("step", {})
    if not isinstance(steps, dict):
        raise ConfigurationInvalid(f"{path}: step is no table", hint="Write [tool.omega-bridge.step.<id>]; the list is in steps.")
    for key, value in section.items():
        if key != "step":
            _check(path, "", key, value, FILE)
    for step, flags in steps.items():
        if not isinstance(flags, dict):
            raise ConfigurationInvalid(f"{path}: step.{step} is no table", hint=f"Write [tool.omega-bridge.step.{step}].")
        for key, value in flags.items():
            _check(path, f"step.{step}.", key, value, STEP)
    return dict(section)


def _check(path: Path, prefix: str, key: str, value: object, known: Mapping[str, Option]) -> None:
    if any(isinstance(one, str) and "://" in one for one in (value if isinstance(value, list) else [value])):
        raise ConfigurationInvalid(
            f"{path}: {prefix}{key} holds a URL; a database's URL is a secret and has no place in this file",
            hint=f"Set the environment variable {URL_VARIABLES[0]}.",
        )
    if key not in known:
        from difflib import get_close_matches

        near = get_close_matches(key, known, n=1)
        meant = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(known)}."
        raise ConfigurationInvalid(f"{path}: [tool.omega-bridge] has no key {prefix}{key}", hint=meant)
    option = known[key]
    if not fits(option, value):
        raise ConfigurationInvalid(f"{path}: {prefix}{key} does not take {value!r}", hint=f"{key} takes {takes(option)}.")


_NO_FLAGS: StepFlags = {}


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
    return Registry(tuple(replace(s.step, **config.step_flags.get(s.id, _NO_FLAGS)) for s in found), registry.source)
