"""`crossdock settings`: what applies here, and what each setting is for."""

from typing import Annotated, Any

import msgspec
import typer

from crossdock.settings import ENVIRONMENT_PREFIX, Settings, describe, load_settings

_SECRET = {"master_key", "master_key_older", "metrics_token", "database_url"}


def settings(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the reference page, with the defaults.")
    ] = False,
) -> None:
    """Show every setting with its present value; secrets are not shown."""
    if markdown:
        typer.echo(reference_page(), nl=False)
        return
    present = load_settings()
    values = {name: _shown(present, name) for name, _, _ in describe()}
    if as_json:
        typer.echo(msgspec.json.encode(values))
        return
    for name, default, reason in describe():
        mark = "*" if getattr(present, name) != default else " "
        typer.echo(f"{mark} {name} = {msgspec.json.encode(values[name]).decode()}")
        typer.echo(f"      {reason}")


def reference_page() -> str:
    """docs/reference/settings.md, made from the same descriptions as the example file's test."""
    lines = [
        "# Settings",
        "",
        "Written by `crossdock settings --markdown`. Each can stand in `crossdock.toml` under its name,",
        f"or in the environment as `{ENVIRONMENT_PREFIX}<NAME>`, which wins; lists are written with",
        "commas there. `crossdock settings` prints what applies.",
        "",
        "| setting | default | what it is for |",
        "|---|---|---|",
    ]
    for name, default, reason in describe():
        shown = msgspec.json.encode(default).decode()
        lines.append(f"| `{name}` | `{shown}` | {reason} |")
    return "\n".join(lines) + "\n"


def _shown(present: Settings, name: str) -> Any:
    value = getattr(present, name)
    return "(set, not shown)" if value and name in _SECRET else value
