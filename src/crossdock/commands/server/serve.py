"""`crossdock serve`: the whole server, with the embedded database if no other is set."""

import asyncio
import os
from typing import Annotated, Any

import typer

from crossdock.channels.registry import load_settings
from crossdock.commands.running import require_master_key, run_once
from crossdock.commands.server.payment_warnings import warnings_of_channels
from crossdock.serving.address import follow_port, noting_address
from crossdock.settings import Settings, unknown_variables

HostOption = Annotated[str | None, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int | None, typer.Option(min=1, max=65535, help="TCP port to listen on.")]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Number of web processes.")]


def serve(
    host: HostOption = None,
    port: PortOption = None,
    workers: WorkersOption = None,
    no_jobs: Annotated[bool, typer.Option("--no-jobs", help="Do not run a job worker.")] = False,
) -> None:
    """Serve all channels and run background jobs until a stop signal."""
    settings = with_options(load_settings(), host=host, port=port, workers=workers)
    run_server(settings, with_jobs=not no_jobs)


def with_options(settings: Settings, **options: Any) -> Settings:
    """The settings, overridden by the command line; the public URL follows the port."""
    chosen = {name: value for name, value in options.items() if value is not None}
    return follow_port(settings.having(**chosen))


def run_server(settings: Settings, *, with_jobs: bool) -> None:
    """Database, schema, processes; the embedded database stops last."""
    from crossdock.db.embedded import running_database
    from crossdock.db.migrate import migrate
    from crossdock.db.pooling import refuse_transaction_pooling
    from crossdock.kit.logging import configure_logging
    from crossdock.serving.supervisor import Supervisor

    configure_logging(level=settings.log.level, format=settings.log.format)
    warn_of_strangers(settings)
    warn_of_payments(settings)
    with running_database(settings) as running, noting_address(settings) as note_address:
        refuse_transaction_pooling(running.database.url)
        migrate(running.database.url)
        run_once(require_master_key, settings=running)
        asyncio.run(Supervisor(running, with_jobs=with_jobs, on_ready=note_address).run())


def warn_of_strangers(settings: Settings) -> None:
    """Warn of CROSSDOCK_ variables that are not settings, most likely typing errors."""
    import structlog

    for name, meant in unknown_variables(os.environ, settings=settings).items():
        structlog.get_logger("crossdock").warning("no such setting", variable=name, meant=meant)


def warn_of_payments(settings: Settings) -> None:
    """Warn of channels whose orders no money is paid for."""
    import structlog

    for channel, text in warnings_of_channels(settings):
        structlog.get_logger("crossdock").warning(text, channel=channel)
