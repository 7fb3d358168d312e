"""`crossdock migrate`: bring the database to this version."""

from typing import Annotated

import typer

from crossdock.commands.running import require_database
from crossdock.settings import load_settings


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 when something is to do.")
    ] = False,
) -> None:
    """Make the database, or bring it to this version; run it before the first start after an update."""
    from crossdock.db import migrate as migration
    from crossdock.db.embedded import running_database

    settings = load_settings()
    if check:
        require_database(settings)
    with running_database(settings) as running:
        if check:
            is_current = migration.is_current(running.database_url)
            typer.echo("The database is up to date." if is_current else "A migration is due.")
            raise typer.Exit(0 if is_current else 1)
        changed = migration.migrate(running.database_url)
    typer.echo("Migrated." if changed else "Nothing to do.")
