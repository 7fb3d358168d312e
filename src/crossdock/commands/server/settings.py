"""`crossdock settings`: the values in effect, and what each setting does."""

from typing import Annotated, Any

import msgspec
import typer

from crossdock.channels.registry import default_settings, load_settings
from crossdock.settings import ENVIRONMENT_PREFIX, Setting, Settings, describe, tell_settings
from crossdock.terminal import JsonOption, print_json


def settings(
    as_json: JsonOption = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the reference page, with the defaults.")
    ] = False,
) -> None:
    """Show every setting with its value; secrets are not shown."""
    if markdown:
        typer.echo(reference_page(), nl=False)
        return
    loaded = load_settings()
    present = _present(loaded)
    if as_json:
        print_json(present)
        return
    sources = {(each.table, each.name): each.source for each in tell_settings(loaded)}
    for setting in describe(default_settings()):
        value = present[setting.table][setting.name]
        mark = "*" if value != setting.default else " "
        source = sources[setting.table, setting.name]
        told = f"  (from {source})" if source else ""
        typer.echo(f"{mark} {setting.table}.{setting.name} = {_json(value)}{told}")
        typer.echo(f"      {setting.description}")


def reference_page() -> str:
    """The text of docs/reference/settings.md, from the same descriptions as the example file."""
    lines = [
        "# Settings",
        "",
        "Written by `make docs`. Each can stand in `crossdock.toml`, in the table of its section, or in",
        "the environment, which wins; lists are written with commas there. Where a setting has two",
        "names in the environment, the longer one wins. `crossdock settings` prints what applies.",
    ]
    defaults = default_settings()
    described = describe(defaults)
    for section in defaults.all():
        lines += ["", f"## `[{section.table}]`", "", _title(section), ""]
        lines += [
            "| setting | default | what it is for | in the environment |",
            "|---|---|---|---|",
        ]
        for each in described:
            if each.table == section.table:
                names = " or ".join(f"`{_variable(name)}`" for name in reversed(each.flat_names))
                cells = (f"`{each.name}`", f"`{_json(each.default)}`", each.description, names)
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def example_file() -> str:
    """The text of crossdock.example.toml: all settings with their defaults."""
    lines = [
        "# Crossdock's settings: every one, with its default and what it is for. Copy the file to",
        "# crossdock.toml (or name it in CROSSDOCK_CONFIG) and keep only the lines you change.",
        "# The environment wins over the file: see docs/reference/settings.md for the names there.",
    ]
    defaults = default_settings()
    described = describe(defaults)
    for section in defaults.all():
        lines += ["", f"# ---- {_title(section).rstrip('.')}", f"[{section.table}]"]
        for each in described:
            if each.table == section.table:
                lines += ["", f"# {each.description}", f"{each.name} = {_json(each.default)}"]
    return "\n".join(lines) + "\n"


def _present(settings: Settings) -> dict[str, dict[str, Any]]:
    """{table: {name: value}} without secrets."""
    shown: dict[str, dict[str, Any]] = {section.table: {} for section in settings.all()}
    sections = {section.table: section for section in settings.all()}
    for each in describe(settings):
        value = getattr(sections[each.table], each.name)
        shown[each.table][each.name] = _shown(each, value)
    return shown


def _title(section: object) -> str:
    return (type(section).__doc__ or "").partition("\n")[0]


def _variable(flat_name: str) -> str:
    return f"{ENVIRONMENT_PREFIX}{flat_name.upper()}"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _shown(setting: Setting, value: Any) -> Any:
    return "(set, not shown)" if value and setting.is_secret else value
