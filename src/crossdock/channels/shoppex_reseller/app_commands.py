"""`crossdock reseller apps`: programs of others that may act for a shop once its staff agrees."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.channels.shoppex_reseller.command_tools import run, shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.terminal import JsonOption, ShopOption, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.partners import App, NewSecret

app = typer.Typer(
    help="Apps that act for a shop once its staff agrees (OAuth).", no_args_is_help=True
)

ClientId = Annotated[str, typer.Argument(help="The app's client id, shoc_...")]


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the shop's staff see when they are asked.")],
    shop: ShopOption,
    redirect: Annotated[
        list[str], typer.Option(help="Where people are sent back to, exactly; may be repeated.")
    ],
    scope: Annotated[
        list[str], typer.Option(help="What it may ask for, such as orders.read; may be repeated.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Register an app; its secret is shown only now."""
    from crossdock.channels.shoppex_reseller import NAME
    from crossdock.channels.shoppex_reseller.auth import SCOPES
    from crossdock.channels.shoppex_reseller.oauth import PREFIXES
    from crossdock.kit.ids import RandomIds
    from crossdock.shop.partners import add_app

    async def write(runtime: Runtime, tx: Transaction) -> "NewSecret":
        return await add_app(
            tx,
            shop_id=await shop_id_of(tx, shop),
            channel=NAME,
            name=name,
            return_addresses=redirect,
            scopes=scope,
            known_scopes=SCOPES,
            prefixes=PREFIXES,
            ids=RandomIds(),
            now=runtime.clock.now(),
        )

    _tell_secret(run(context, write), as_json=as_json)


@app.command("list")
def list_(context: typer.Context, shop: ShopOption, as_json: JsonOption = False) -> None:
    """List the shop's apps, revoked ones as well."""
    from crossdock.shop.partners import list_apps

    async def read(_runtime: Runtime, tx: Transaction) -> "list[App]":
        return await list_apps(tx, shop_id=await shop_id_of(tx, shop))

    report_list(run(context, read), as_json=as_json, table=_print_table, none="There is no app.")


@app.command()
def rotate(
    context: typer.Context,
    client_id: ClientId,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=720, help="How long the secret before is good as well.")
    ] = 24,
    as_json: JsonOption = False,
) -> None:
    """Give an app a new secret, shown only now; its tokens stay."""
    from crossdock.channels.shoppex_reseller.oauth import PREFIXES
    from crossdock.kit.ids import RandomIds
    from crossdock.shop.partners import rotate_app_secret

    async def write(runtime: Runtime, tx: Transaction) -> "NewSecret":
        return await rotate_app_secret(
            tx,
            client_id=client_id,
            prefixes=PREFIXES,
            ids=RandomIds(),
            now=runtime.clock.now(),
            overlap_s=overlap_hours * 3600,
        )

    _tell_secret(run(context, write), as_json=as_json)


@app.command()
def revoke(context: typer.Context, client_id: ClientId, as_json: JsonOption = False) -> None:
    """End an app with all its tokens, from the next call on."""
    from crossdock.shop.partners import revoke_app

    async def write(runtime: Runtime, tx: Transaction) -> "App":
        return await revoke_app(tx, client_id=client_id, now=runtime.clock.now())

    found = run(context, write)
    report(found, as_json=as_json, text=f"The app {found.name} is revoked, with all its tokens.")


def _tell_secret(made: "NewSecret", *, as_json: bool) -> None:
    found = {
        "client_id": made.app.client_id,
        "client_secret": made.secret,
        "name": made.app.name,
        "redirect_uris": list(made.app.return_addresses),
        "scopes": list(made.app.scopes),
    }
    lines = (
        f"{name}: {' '.join(value) if isinstance(value, list) else value}"
        for name, value in found.items()
    )
    report(found, as_json=as_json, text="\n".join(lines))


def _print_table(apps: "list[App]") -> None:
    from rich.table import Table

    table = Table("Client id", "Name", "Scopes", "Redirects to", "Consents", "Revoked")
    for each in apps:
        revoked = f"{each.revoked_at:%Y-%m-%d}" if each.revoked_at else "no"
        table.add_row(
            each.client_id,
            each.name,
            " ".join(each.scopes),
            " ".join(each.return_addresses),
            str(each.grants),
            revoked,
        )
    print_table(table)
