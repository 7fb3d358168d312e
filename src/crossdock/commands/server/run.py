"""`crossdock run`: the command behind `make run`. Everything a new user needs, in one command."""

import asyncio

import typer

from crossdock.channels.registry import load_settings
from crossdock.commands.running import require_master_key, tell_of_strangers
from crossdock.commands.server.serve import HostOption, PortOption, WorkersOption, with_options
from crossdock.commands.trying.demo import load_into
from crossdock.commands.trying.greeting import greeting
from crossdock.db.runtime import Runtime
from crossdock.serving.address import noting_address


def run(host: HostOption = None, port: PortOption = None, workers: WorkersOption = None) -> None:
    """Start the database, load the demo shop if there is no shop, serve, print example requests."""
    from crossdock.commands.running import with_runtime
    from crossdock.db.embedded import running_database
    from crossdock.kit.logging import configure_logging
    from crossdock.serving.supervisor import Supervisor, claim_port

    settings = with_options(load_settings(), host=host, port=port, workers=workers)
    tell_of_strangers(settings)
    asyncio.run(claim_port(settings))
    with running_database(settings) as running, noting_address(settings) as note_address:
        text = with_runtime(_prepare, settings=running, makes_database=True)
        configure_logging(level=settings.log.level, format=settings.log.format)

        def greet() -> None:
            note_address()
            typer.echo(text)

        asyncio.run(Supervisor(running, with_jobs=True, on_ready=greet).run())


async def _prepare(runtime: Runtime) -> str:
    """Load the demo shop if there is no shop, or complete an interrupted load; returns the greeting.

    Warns where shops that are not for trying are paid by nobody, or the one that is with real money.
    """
    from crossdock.commands.server.payment_warnings import (
        warnings_of_channels,
        warnings_of_trials,
    )
    from crossdock.demo.access import SHOP, find_sample_variant
    from crossdock.shop.shops import list_shops

    await require_master_key(runtime)
    async with runtime.database.statement() as tx:
        shops = {shop.slug for shop in await list_shops(tx)}
        is_due = shops <= {SHOP} and await find_sample_variant(tx) is None
    warned = warnings_of_trials(runtime.settings, slugs=shops or {SHOP})
    if shops - {SHOP}:
        warned += warnings_of_channels(runtime.settings)
    for subject, text in warned:
        typer.echo(f"{subject}: {text}", err=True)
    if is_due:
        typer.echo("Loading the demo shop ...")
        await load_into(runtime)
    return await greeting(runtime)
