"""`crossdock demo`: load the demo shop, and show how to call it."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.channels.registry import load_settings
from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime
from crossdock.kit.numbers import counted
from crossdock.serving.address import base_url
from crossdock.terminal import JsonOption, print_json, report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossdock.demo.access import DemoKey
    from crossdock.demo.console import ConsoleAccess
    from crossdock.demo.loading import Loaded

app = typer.Typer(help="A made-up shop for trying things out.", no_args_is_help=True)


@app.command()
def load(
    products: Annotated[
        int, typer.Option(min=1, help="How many products; 100 or more cover every case.")
    ] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same shop.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Load the demo shop; a second run resets what was changed and adds what is missing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as progress:
        task = progress.add_task("Products", total=products)

        def moved(done: int) -> None:
            progress.update(task, completed=done)

        loaded = with_runtime(
            lambda runtime: load_into(runtime, products=products, seed=seed, moved=moved),
            makes_database=True,
        )
    report(loaded, as_json=as_json, text=summary(loaded))


@app.command()
def credentials(
    as_json: JsonOption = False,
    as_shell: Annotated[
        bool, typer.Option("--shell", help="Print shell variables, for eval.")
    ] = False,
) -> None:
    """Show the demo's address, its console user, and the keys and secrets of its partners."""
    settings = load_settings()
    keys, console, sku, further = with_runtime(read_access)
    shown = shown_credentials(
        keys, base_url=base_url(settings), console=console, sku=sku, further=further
    )
    if as_json:
        print_json(shown)
    elif as_shell:
        for name, text in _flat(shown).items():
            typer.echo(f"{name.replace('.', '_')}={shlex.quote(text)}")
    else:
        _print(shown)


@app.command("file")
def file_(
    file_format: Annotated[
        str,
        typer.Option(
            "--format", "-f", help="shopify-csv, google-merchant, woocommerce-csv or jsonl."
        ),
    ] = "shopify-csv",
    products: Annotated[int, typer.Option(min=1, max=100_000, help="How many products.")] = 50,
    currency: Annotated[
        str, typer.Option(help="The currency of the shop that will import it.")
    ] = "EUR",
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same file.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(help="The file, written completely or not at all; without it, stdout."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was written as JSON; needs --out.")
    ] = False,
) -> None:
    """Write a sample catalogue to import, without a database."""
    import msgspec

    from crossdock.commands.whole_files import whole_file
    from crossdock.demo.goods import products as made
    from crossdock.imports.exporting import write_products
    from crossdock.kit.money import exponent
    from crossdock.shop.shops import Shop

    if as_json and out is None:
        message = "needs --out: without it, stdout has the catalogue itself."
        raise typer.BadParameter(message, param_hint="--json")
    exponent(currency)  # refuses what is no currency code
    shop = Shop(
        id=0, slug="sample", name="Sample", currency=currency, country="NL", languages=("en",),
        time_zone="UTC",
    )  # fmt: skip
    records = [
        msgspec.structs.replace(record, currency=currency)
        for record in made(count=products, seed=seed)
    ]
    with whole_file(out) as file:
        for piece in write_products(records, shop=shop, format_name=file_format):
            file.write(piece)
    if out is not None:
        command = f"crossdock import {shlex.quote(str(out))} --format {file_format} --shop SHOP"
        report(
            {"file": str(out), "format": file_format, "products": products},
            as_json=as_json,
            text=f"{out} has {counted(products, 'product')}. Import them: {command}",
        )


async def load_into(
    runtime: Runtime,
    *,
    products: int = 2_000,
    seed: int = 1,
    moved: Callable[[int], None] = lambda done: None,
) -> "Loaded":
    """Load the demo shop into the runtime's database."""
    from crossdock.compose import Services
    from crossdock.demo.loading import Loading, load_demo
    from crossdock.kit.ids import RandomIds

    async with Services(runtime) as services:
        service = Loading(
            db=runtime.database,
            clock=runtime.clock,
            ids=RandomIds(),
            box=services.box,
            configuring=services.configuring,
        )
        return await load_demo(service, count=products, seed=seed, moved=moved)


async def read_access(
    runtime: Runtime,
) -> "tuple[list[DemoKey], ConsoleAccess | None, int | None, dict[str, dict[str, object]]]":
    """The demo partners' keys, the console user, a variant to order, and what else channels show.

    Raises NotFound when no demo is loaded.
    """
    from crossdock.compose import Services
    from crossdock.demo.access import find_sample_variant, read_further, read_keys
    from crossdock.demo.console import read_console_access

    box = Services(runtime).box
    async with runtime.database.statement() as tx:
        keys = await read_keys(tx, box=box)
        console = await read_console_access(tx, box=box)
        return keys, console, await find_sample_variant(tx), await read_further(tx)


def shown_credentials(
    keys: "list[DemoKey]",
    *,
    base_url: str,
    console: "ConsoleAccess | None" = None,
    sku: int | None = None,
    further: "Mapping[str, Mapping[str, object]] | None" = None,
) -> dict[str, object]:
    """The credentials as JSON; scripts rely on the field names, so they never change."""
    from crossdock.demo.access import SHOP, shown_keys

    shown: dict[str, object] = {"base_url": base_url, "shop": SHOP}
    if console:
        shown["console"] = {
            "url": f"{base_url}/console/",
            "email": console.email,
            "password": console.password,
        }
    return {**shown, **shown_keys(keys, sample=sku, further=further or {})}


def summary(loaded: "Loaded") -> str:
    """One line about what a load did."""
    size = f"{counted(loaded.products, 'product')} with {counted(loaded.variants, 'variant')}"
    if not loaded.changed_anything:
        return f"The demo shop is loaded already ({size}); nothing was changed."
    return (
        f"The demo shop has {size}: {counted(loaded.products_added, 'product')} added, "
        f"{loaded.products_changed} changed, {loaded.stock_changed} stock levels set, "
        f"{counted(loaded.partners_added, 'partner')} added. See: crossdock demo credentials"
    )


def _print(shown: dict[str, object]) -> None:
    fields = _flat(shown)
    width = max(map(len, fields))
    for name, text in fields.items():
        typer.echo(f"{name:{width}}  {text}")


def _flat(shown: dict[str, object]) -> dict[str, str]:
    """One level: {'shoppex_partner': {'key': ...}} is {'shoppex_partner.key': ...}."""
    flat: dict[str, str] = {}
    for name, value in shown.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{field}": str(text) for field, text in value.items()}
        else:
            flat[name] = str(value)
    return flat
