"""The `crossdock` command: assembles the sub-commands and turns errors into one line on stderr.

Exit codes: 0 done, 1 refused or failed, 2 invalid settings or arguments.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

import crossdock.kit.importing  # noqa: F401  before what takes long to import
from crossdock import __version__
from crossdock.channels.registry import load_settings, manifests
from crossdock.commands.catalogue import (
    coupons,
    exporting,
    import_group,
    media,
    merchants,
    products,
    searching,
    shops,
)
from crossdock.commands.money import invoices, ledger, taxes
from crossdock.commands.orders import (
    connectors,
    deliveries,
    dispatches,
    fulfil,
    orders,
    stock,
    tickets,
    webhooks,
)
from crossdock.commands.partners import customers, partners, prices
from crossdock.commands.people import people, sales_reps, sessions
from crossdock.commands.running import with_runtime
from crossdock.commands.server import (
    alerts,
    backup,
    doctor,
    events,
    jobs,
    mail,
    master_key,
    migrate,
    openapi,
    restore,
    run,
    serve,
    settings,
    worker,
)
from crossdock.commands.trying import demo
from crossdock.db.runtime import Runtime
from crossdock.errors import CrossdockError, SealBroken
from crossdock.kit.importing import collect_again
from crossdock.serving.address import base_url
from crossdock.settings import SettingsError

collect_again()

T = TypeVar("T")

app = typer.Typer(
    name="crossdock",
    help="One catalogue, stock and order book, sold through many partner APIs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"crossdock {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


_SERVER = "Server"
app.command(rich_help_panel=_SERVER)(run.run)
app.command(rich_help_panel=_SERVER)(serve.serve)
app.command(rich_help_panel=_SERVER)(worker.worker)
app.command(rich_help_panel=_SERVER)(migrate.migrate)
app.command(rich_help_panel=_SERVER)(settings.settings)
app.add_typer(master_key.app, name="master-key", rich_help_panel=_SERVER)
app.add_typer(jobs.app, name="jobs", rich_help_panel=_SERVER)
app.add_typer(alerts.app, name="alerts", rich_help_panel=_SERVER)
app.add_typer(mail.app, name="mail", rich_help_panel=_SERVER)
app.add_typer(events.app, name="event", rich_help_panel=_SERVER)
app.command(rich_help_panel=_SERVER)(doctor.doctor)
app.command(rich_help_panel=_SERVER)(backup.backup)
app.command(rich_help_panel=_SERVER)(restore.restore)
app.command(rich_help_panel=_SERVER)(openapi.openapi)

_CATALOGUE = "Catalogue"
app.add_typer(shops.app, name="shop", rich_help_panel=_CATALOGUE)
app.add_typer(merchants.app, name="merchant", rich_help_panel=_CATALOGUE)
app.add_typer(products.app, name="product", rich_help_panel=_CATALOGUE)
app.add_typer(media.app, name="media", rich_help_panel=_CATALOGUE)
app.add_typer(coupons.app, name="coupon", rich_help_panel=_CATALOGUE)
app.add_typer(import_group.app, name="import", rich_help_panel=_CATALOGUE)
app.command(rich_help_panel=_CATALOGUE)(exporting.export)
app.add_typer(searching.app, name="search", rich_help_panel=_CATALOGUE)

_PARTNERS = "Partners and customers"
app.add_typer(partners.app, name="partner", rich_help_panel=_PARTNERS)
app.add_typer(customers.app, name="customer", rich_help_panel=_PARTNERS)
app.add_typer(prices.app, name="price-list", rich_help_panel=_PARTNERS)

_PEOPLE = "People"
app.add_typer(people.app, name="person", rich_help_panel=_PEOPLE)
app.command(rich_help_panel=_PEOPLE)(sessions.log)

_TRYING = "Trying it out"
app.add_typer(demo.app, name="demo", rich_help_panel=_TRYING)

_FULFILMENT = "Fulfilment"
app.add_typer(orders.app, name="order", rich_help_panel=_FULFILMENT)
app.add_typer(fulfil.app, name="fulfil", rich_help_panel=_FULFILMENT)
app.add_typer(stock.app, name="stock", rich_help_panel=_FULFILMENT)
app.add_typer(connectors.app, name="connector", rich_help_panel=_FULFILMENT)
app.add_typer(dispatches.app, name="dispatch", rich_help_panel=_FULFILMENT)
app.add_typer(deliveries.app, name="delivery", rich_help_panel=_FULFILMENT)
app.add_typer(webhooks.app, name="webhook", rich_help_panel=_FULFILMENT)
app.add_typer(tickets.app, name="ticket", rich_help_panel=_FULFILMENT)
app.add_typer(sales_reps.app, name="sales-rep", rich_help_panel=_FULFILMENT)

_MONEY = "Money"
app.add_typer(invoices.app, name="invoice", rich_help_panel=_MONEY)
app.add_typer(ledger.app, name="ledger", rich_help_panel=_MONEY)
app.add_typer(taxes.app, name="tax", rich_help_panel=_MONEY)

_CHANNELS = "Channels"
_GROUPS = {"partner": partners.app, "demo": demo.app}


class Line:
    """What commands of channels get as `context.obj`."""

    def with_runtime(self, action: Callable[[Runtime], Awaitable[T]]) -> T:
        """Run `action` with a migrated database and an open pool."""
        return with_runtime(action)

    def base_url(self) -> str:
        """The public base URL of the server of this data folder."""
        return base_url(load_settings())


def add_channel_commands() -> None:
    """Add each channel's commands, to the group that it names or as a new group."""
    for manifest in manifests():
        for group, commands in (manifest.commands() if manifest.commands else {}).items():
            if group in _GROUPS:
                _GROUPS[group].registered_commands += commands.registered_commands
            else:
                app.add_typer(commands, name=group, rich_help_panel=_CHANNELS)


add_channel_commands()


def main() -> None:
    """Run the command line; a known error becomes one line on stderr, without a traceback."""
    try:
        app(obj=Line())
    except SettingsError as error:
        _complain(error)
        sys.exit(2)
    except CrossdockError as error:
        _complain(error)
        sys.exit(1)
    except SealBroken as error:
        sys.stderr.write(f"crossdock: {error}; see docs/operating/master-key.md\n")
        sys.exit(1)
    except BrokenPipeError:  # the reader of the pipe has closed it
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"crossdock: {where}{error.strerror or error}\n")
        sys.exit(2)


def _complain(error: CrossdockError) -> None:
    sys.stderr.write(f"crossdock: {error.message}\n")


if __name__ == "__main__":
    main()
