"""`crossdock connector`: connectors that dispatch orders to outside systems."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime
from crossdock.errors import Invalid
from crossdock.terminal import (
    JsonOption,
    ShopOption,
    print_json,
    print_table,
    read_secret,
    report,
    report_list,
)

if TYPE_CHECKING:
    from crossdock.shop.dispatch import ConnectorView

app = typer.Typer(help="Connectors that dispatch orders to outside systems.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The connector's name in the shop.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="key=value; an empty value removes the key."),
]
SecretOption = Annotated[
    Path | None,
    typer.Option(
        help="File with the password (sellercloud) or signing secret (webhook); - reads it from the terminal."
    ),
]
DefaultOption = Annotated[
    bool | None,
    typer.Option("--default/--no-default", help="Whether new orders are dispatched through it."),
]


@app.command()
def add(
    name: Name,
    shop: ShopOption,
    kind: Annotated[str, typer.Option(help="manual, webhook or sellercloud.")],
    set_: SetOption = None,
    secret_file: SecretOption = None,
    default: DefaultOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a connector; a webhook without a secret gets one, which is shown only once."""
    from crossdock.compose import Services
    from crossdock.kit.ids import RandomIds
    from crossdock.kit.webhooks import new_secret
    from crossdock.shop.dispatch import add_connector
    from crossdock.shop.shops import read_shop

    secret = _read_secret(secret_file)
    is_made = kind == "webhook" and not secret
    secret = new_secret(RandomIds()) if is_made else secret
    settings = {key: value for key, value in _pairs(set_).items() if value is not None}

    async def run(runtime: Runtime) -> None:
        async with Services(runtime) as services, runtime.database.begin() as tx:
            await add_connector(
                tx,
                service=services.configuring,
                shop_id=(await read_shop(tx, slug=shop)).id,
                name=name,
                kind=kind,
                settings=settings,
                secret=secret,
                is_default=default,
            )

    with_runtime(run)
    shown = {"name": name, "kind": kind} | ({"secret": secret} if is_made else {})
    if as_json:
        print_json(shown)
        return
    typer.echo(f"Connector {name} ({kind}) is added.")
    if is_made:
        typer.echo(f"Its signing secret, shown only now: {secret}")


@app.command("list")
def list_(shop: ShopOption, as_json: JsonOption = False) -> None:
    """List the shop's connectors; secrets are not shown."""
    from crossdock.shop.dispatch import list_connectors
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> "list[ConnectorView]":
        async with runtime.database.statement() as tx:
            return await list_connectors(tx, shop_id=(await read_shop(tx, slug=shop)).id)

    connectors = with_runtime(run)
    report_list(
        connectors,
        as_json=as_json,
        table=_print_table,
        none="There is no connector: orders stay in processing for staff.",
    )


@app.command("set")
def set_(
    name: Name,
    shop: ShopOption,
    set_: SetOption = None,
    secret_file: SecretOption = None,
    default: DefaultOption = None,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Whether it is used.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Change a connector; later attempts use the new settings."""
    from crossdock.compose import Services
    from crossdock.shop.dispatch import list_connectors, set_connector
    from crossdock.shop.shops import read_shop

    secret = _read_secret(secret_file)

    async def run(runtime: Runtime) -> "ConnectorView":
        async with Services(runtime) as services, runtime.database.begin() as tx:
            shop_id = (await read_shop(tx, slug=shop)).id
            await set_connector(
                tx,
                service=services.configuring,
                shop_id=shop_id,
                name=name,
                settings=_pairs(set_),
                secret=secret or None,
                is_default=default,
                enabled=enabled,
            )
            connectors = await list_connectors(tx, shop_id=shop_id)
            return next(connector for connector in connectors if connector.name == name)

    connector = with_runtime(run)
    report(connector, as_json=as_json, text=f"Connector {name} is changed.")


@app.command("test")
def try_(name: Name, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Test the connector without sending an order; exit 1 if it fails."""
    from crossdock.compose import Services
    from crossdock.shop.deliveries import DeliveryFailed
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> tuple[bool, str]:
        async with Services(runtime) as services:
            connectors = services.connectors
            async with runtime.database.statement() as tx:
                shop_id = (await read_shop(tx, slug=shop)).id
                connector = await connectors.read(tx, shop_id=shop_id, name=name)
            try:
                return True, await connector.test()
            except DeliveryFailed as failure:
                return False, str(failure)

    works, message = with_runtime(run)
    report(
        {"works": works, "message": message},
        as_json=as_json,
        text=f"{name}: {'works' if works else 'does not work'}: {message}",
    )
    raise typer.Exit(0 if works else 1)


def _pairs(words: list[str] | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for word in words or []:
        key, separator, text = word.partition("=")
        if not separator or not key:
            raise Invalid("invalid_input", f"--set {word!r} is not of the form key=value.")
        values[key] = text or None
    return values


def _read_secret(path: Path | None) -> str:
    """Read a secret from a file or the terminal: other users can see command lines."""
    if path is None:
        return ""
    if str(path) != "-":
        return path.read_text(encoding="utf-8").strip()
    return read_secret("Secret")


def _print_table(connectors: "list[ConnectorView]") -> None:
    from rich.table import Table

    table = Table("Name", "Kind", "Default", "Enabled", "Secret", "Settings")
    for connector in connectors:
        marks = (connector.is_default, connector.enabled, connector.has_secret)
        settings = msgspec.json.encode(connector.settings).decode()
        table.add_row(
            connector.name, connector.kind, *("yes" if m else "no" for m in marks), settings
        )
    print_table(table)
