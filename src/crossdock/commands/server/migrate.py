"""`crossdock migrate`: migrate the database to this version."""

from typing import Annotated

import typer

from crossdock.channels.registry import load_settings
from crossdock.commands.running import require_database
from crossdock.terminal import JsonOption, report


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if a migration is pending.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Create the database, or migrate it to this version."""
    from crossdock.db import migrate as migration
    from crossdock.db.embedded import running_database
    from crossdock.db.pooling import refuse_transaction_pooling

    settings = load_settings()
    if check:
        require_database(settings)
    with running_database(settings) as running:
        if check:
            due = migration.what_is_due(running.database.url)
            text = due or "The database is up to date."
            _say(text, as_json=as_json, changed=False, is_current=not due)
            raise typer.Exit(1 if due else 0)
        refuse_transaction_pooling(running.database.url)
        changed = migration.migrate(running.database.url)
    text = "Migrated." if changed else "Nothing to do."
    _say(text, as_json=as_json, changed=changed, is_current=True)


def _say(text: str, *, as_json: bool, changed: bool, is_current: bool) -> None:
    facts = {"changed": changed, "is_current": is_current}
    report(facts, as_json=as_json, text=text)
