"""Run a command: start the database if needed, open the pool, run, close."""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import typer

from crossdock.channels.registry import load_settings
from crossdock.db.runtime import Runtime, create_runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.acting import act_as
from crossdock.settings import Settings, SettingsError, unknown_variables

if TYPE_CHECKING:
    from crossdock.shop.acts import Act

T = TypeVar("T")

COMMAND_LINE = "command line"
"""The author of what commands do."""


def with_runtime(
    action: Callable[[Runtime], Awaitable[T]],
    *,
    settings: Settings | None = None,
    makes_database: bool = False,
) -> T:
    """Run `action` with an open pool; a server may be running at the same time.

    Links use the address of that server. With `makes_database` the database is created or migrated;
    otherwise SettingsError is raised if there is no database yet, and CrossdockError `internal` if
    it is of another version.
    """
    from crossdock.db.embedded import running_database
    from crossdock.db.migrate import migrate, require_served
    from crossdock.kit.logging import configure_logging
    from crossdock.serving.address import beside_server

    if settings is None:
        settings = beside_server(load_settings())
        tell_of_strangers(settings)
    if not makes_database:
        require_database(settings)
    configure_logging(level="warning", format=settings.log.format)
    with running_database(settings) as running:
        (migrate if makes_database else require_served)(running.database.url)
        return asyncio.run(_run(action, running, is_noted=not makes_database))


def tell_of_strangers(settings: Settings) -> None:
    """Tell the person at the terminal of CROSSDOCK_ variables that are not settings, and so change nothing."""
    for name, meant in unknown_variables(os.environ, settings=settings).items():
        hint = f"; did you mean {meant}?" if meant else ""
        typer.echo(f"{name} is not a setting and changes nothing{hint}", err=True)


def require_database(settings: Settings) -> None:
    """Raise SettingsError if there is no embedded database yet, most likely because of a wrong folder."""
    if settings.database.is_embedded and not _is_there(settings.server.data_path / "postgres"):
        raise SettingsError(
            f"There is no database in {settings.server.data_path}. Set CROSSDOCK_DATA_DIR to the data folder "
            "or CROSSDOCK_DATABASE_URL to your database, or create a new one with "
            "`make run` or `crossdock migrate`."
        )


def _is_there(path: Path) -> bool:
    """Path.exists, but a folder without permission is an error in every Python version."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def run_once(action: Callable[[Runtime], Awaitable[T]], *, settings: Settings) -> T:
    """Run `action` with an open pool on a running, migrated database."""
    return asyncio.run(_run(action, settings))


async def require_master_key(runtime: Runtime) -> None:
    """Warn of secrets that no known master key decrypts. Raises CrossdockError if none can be decrypted."""
    import structlog

    from crossdock.compose import Services
    from crossdock.shop.resealing import require_key

    for shut in await require_key(runtime.database, box=Services(runtime).box):
        structlog.get_logger("crossdock").warning(
            "no known master key opens these",
            of=shut.name,
            count=shut.unreadable,
            places=list(shut.unreadable_places),
        )


_PERSONAL: Final[Mapping[str, tuple[str, ...]]] = {
    "crossdock customer ": ("who", "email", "set_"),
    "crossdock order note": ("text",),
    "crossdock order address": ("set_",),
    "crossdock ticket ": ("text",),
}
"""What the log of acts says of these commands by name only: it is never deleted, and this is about buyers."""


async def _run(
    action: Callable[[Runtime], Awaitable[T]], settings: Settings, *, is_noted: bool = False
) -> T:
    from crossdock.shop.acts import begin_act

    runtime = create_runtime(settings)
    await runtime.database.open()
    if is_noted:
        begin_act(_act_of_command(runtime))
    act_as(COMMAND_LINE)
    try:
        return await action(runtime)
    finally:
        await runtime.database.close()


def _act_of_command(runtime: Runtime) -> "Act | None":
    """What the log of acts says of this command if it changes anything."""
    from typer._click.globals import get_current_context  # typer's own copy of click, not exported

    from crossdock.shop.acts import Act, plain_details

    context = get_current_context(silent=True)
    if context is None:
        return None
    names, given = [], dict(context.params)
    while context.parent is not None:
        names.append(context.info_name or "")
        context = context.parent
    given.pop("as_json", None)
    command = " ".join(["crossdock", *reversed(names)])
    personal = next((_PERSONAL[each] for each in _PERSONAL if command.startswith(each)), ())
    return Act(
        actor=f"command line ({_system_user()})",
        act=command,
        subject="",
        details=plain_details(given, personal=personal),
        clock=runtime.clock,
        shop=str(given.get("shop") or given.get("slug") or ""),
    )


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def with_transaction(action: Callable[[Runtime, Transaction], Awaitable[T]]) -> T:
    """`with_runtime` for an action that is one transaction."""

    async def run(runtime: Runtime) -> T:
        async with runtime.database.begin() as tx:
            return await action(runtime, tx)

    return with_runtime(run)
