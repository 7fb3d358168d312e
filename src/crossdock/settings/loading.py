"""Read the settings from a TOML file and the environment.

Order: the default, then `crossdock.toml`, then the environment. The file is the one that
CROSSDOCK_CONFIG names, or ./crossdock.toml, or crossdock.toml in the data folder; it has a table for
each section. A variable is called `CROSSDOCK_<TABLE>_<NAME>`, or `CROSSDOCK_<NAME>` for a setting
that its section lists as short; the longer name wins. The top level of the file may contain these
names too, in lower case without the prefix.
"""

import difflib
import os
import tomllib
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from crossdock.settings.model import Setting, Settings, describe
from crossdock.settings.section import Section, SettingsError

ENVIRONMENT_PREFIX = "CROSSDOCK_"
CONFIG_VARIABLE = "CROSSDOCK_CONFIG"
FILE_NAME = "crossdock.toml"
NEAR = 0.5
"""How alike a name must be to the one that is meant."""

Given = dict[tuple[str, str], tuple[Any, str]]
"""(table, name): the value as written, and where it stands."""


def load_settings(
    environment: Mapping[str, str] | None = None,
    *,
    file: Path | None = None,
    others: Iterable[Section] = (),
) -> Settings:
    """Load the settings; `others` are the sections of channels, with their defaults.

    Raises SettingsError for unknown names and bad values.
    """
    environment = os.environ if environment is None else environment
    empty = Settings(others=tuple(others))
    known = describe(empty)
    path = file or find_file(environment)
    given = _from_file(path, known=known) if path else {}
    given |= _from_environment(environment, known=known)
    values: dict[str, dict[str, Any]] = {}
    for setting in known:
        if found := given.get((setting.table, setting.name)):
            values.setdefault(setting.table, {})[setting.name] = _convert(setting, *found)
    settings = empty.with_sections(
        msgspec.structs.replace(each, **values.get(each.table, {})) for each in empty.all()
    )
    for section in settings.all():
        section.check()
    return settings


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A setting as people are shown it; `source` is '' for the default, a file's path or a variable's name."""

    table: str
    name: str
    text: str
    source: str
    description: str


def tell_settings(
    settings: Settings, *, environment: Mapping[str, str] | None = None
) -> list[Told]:
    """Every setting in effect with where it was set, without secrets."""
    environment = os.environ if environment is None else environment
    known = describe(settings)
    path = find_file(environment)
    given = _from_file(path, known=known) if path else {}
    given |= _from_environment(environment, known=known)
    sections = {section.table: section for section in settings.all()}
    return [
        Told(
            table=each.table,
            name=each.name,
            text=_told(each, getattr(sections[each.table], each.name)),
            source=given.get((each.table, each.name), ("", "in "))[1].removeprefix("in "),
            description=each.description,
        )
        for each in known
    ]


def _told(setting: Setting, value: Any) -> str:
    if _is_hidden(setting) and value:
        return "(set, not shown)"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def find_file(environment: Mapping[str, str]) -> Path | None:
    """The settings file that applies, or None. Raises SettingsError when a named one is missing."""
    if named := environment.get(CONFIG_VARIABLE):
        path = Path(named).expanduser()
        if not path.is_file():
            raise SettingsError(f"{CONFIG_VARIABLE} names {path}, which is not a file.")
        return path
    names = ("SERVER_DATA_DIR", "DATA_DIR")
    chosen = (environment.get(f"{ENVIRONMENT_PREFIX}{name}") for name in names)
    data_dir = next(filter(None, chosen), "./data")
    candidates = (Path(FILE_NAME), Path(data_dir).expanduser() / FILE_NAME)
    return next((path for path in candidates if path.is_file()), None)


def unknown_variables(environment: Mapping[str, str], *, settings: Settings) -> dict[str, str]:
    """CROSSDOCK_* variables that are not settings, most likely typing errors, each with what is meant or ""."""
    known = {_variable(name) for each in describe(settings) for name in each.flat_names}
    unknown = sorted(
        name
        for name in environment
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known | {CONFIG_VARIABLE}
    )
    flat = {name.removeprefix(ENVIRONMENT_PREFIX): name for name in known}
    near = {name: _nearest(name.removeprefix(ENVIRONMENT_PREFIX), flat) for name in unknown}
    return {name: flat.get(meant, "") for name, meant in near.items()}


def _nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like it; '' if none is."""
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=NEAR)), "")


def _variable(flat_name: str) -> str:
    return f"{ENVIRONMENT_PREFIX}{flat_name.upper()}"


def _from_file(path: Path, *, known: list[Setting]) -> Given:
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    tables = {each.table for each in known}
    flat = {name: each for each in known for name in each.flat_names}
    dotted = {f"{each.table}.{each.name}": each for each in known}
    given: Given = {}
    for name, value in written.items():
        if isinstance(value, dict) and name in tables:
            names = {f"{name}.{inner}": part for inner, part in value.items()}
            _note(given, names, known=dotted, path=path)
        else:
            _note(given, {name: value}, known=flat, path=path, also=tables)
    return given


def _note(
    given: Given,
    values: Mapping[str, Any],
    *,
    known: Mapping[str, Setting],
    path: Path,
    also: Iterable[str] = (),
) -> None:
    for name, value in values.items():
        setting = known.get(name)
        if setting is None:
            near = _nearest(name, [*known, *also])
            hint = f"; did you mean {near}?" if near else "; see crossdock.example.toml"
            raise SettingsError(f"{path} has an unknown setting {name!r}{hint}")
        given[setting.table, setting.name] = (value, f"in {path}")


def _from_environment(environment: Mapping[str, str], *, known: list[Setting]) -> Given:
    given: Given = {}
    for setting in known:
        for name in reversed(setting.flat_names):
            text = environment.get(_variable(name))
            if text is not None:
                is_list = typing.get_origin(_bare(setting.type)) is tuple
                value = _split(text) if is_list else text
                given[setting.table, setting.name] = (value, f"in {_variable(name)}")
    return given


def _bare(hint: Any) -> Any:
    """The type without its description."""
    return typing.get_args(hint)[0]


def _split(text: str) -> list[str]:
    """The items of a list: with commas between them, or as the file has them, in brackets and quotes."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        try:
            return [str(item) for item in tomllib.loads(f"list = {text}")["list"]]
        except tomllib.TOMLDecodeError:
            if not {"[", "]"} & set(text[1:-1]) and "," in text:  # else they are IPv6 addresses
                text = text[1:-1]
    return [part.strip(" \t\"'") for part in text.split(",") if part.strip()]


def _convert(setting: Setting, value: Any, where: str) -> Any:
    """Convert one value, so that an error can name the setting and where it was set."""
    try:
        return msgspec.convert(value, setting.type, strict=not isinstance(value, str | list))
    except msgspec.ValidationError as error:
        raise SettingsError(
            f"{setting.usual_name} {where}: {error} (got {_shown(setting, value)})"
        ) from error


def _shown(setting: Setting, value: Any) -> str:
    return "a value not shown" if _is_hidden(setting) else repr(value)


def _is_hidden(setting: Setting) -> bool:
    """Secrets, and what may have one in it."""
    return setting.is_secret or any(word in setting.name for word in ("key", "token", "url"))
