"""`crossdock shop`: add, change and list shops."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_runtime, with_transaction
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, print_json, report

if TYPE_CHECKING:
    from crossdock.shop.shops import Shop

app = typer.Typer(help="Add, change and list shops.", no_args_is_help=True)

_ZONE_HELP = "Time zone of dates that are written without one, such as Europe/Brussels."


@app.command()
def add(
    slug: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens.")],
    name: Annotated[str, typer.Option(help="The name that people see.")],
    currency: Annotated[str, typer.Option(help="ISO 4217, such as EUR.")],
    country: Annotated[str, typer.Option(help="ISO 3166, such as NL.")] = "US",
    languages: Annotated[
        str, typer.Option(help="Language codes separated by commas, the main one first.")
    ] = "en",
    time_zone: Annotated[
        str | None,
        typer.Option(
            help=f"{_ZONE_HELP} Left out, it is the country's, or UTC where the country has several."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Add a shop with its own catalogue, stock and order book."""
    from crossdock.kit.zones import zone_of_country
    from crossdock.shop.shops import add_shop

    codes = _codes(languages)

    async def write(runtime: Runtime) -> "Shop":
        async with runtime.database.begin() as tx:
            return await add_shop(
                tx,
                slug=slug,
                name=name,
                currency=currency,
                country=country,
                languages=codes,
                time_zone=time_zone,
            )

    shop = with_runtime(write)
    if time_zone is None and zone_of_country(shop.country) is None:
        _advise_zone(shop)
    report(
        shop,
        as_json=as_json,
        text=f"Added shop {shop.slug} ({shop.id}), time zone {shop.time_zone}.",
    )


@app.command("set")
def set_(
    slug: Annotated[str, typer.Argument(help="The shop's slug.")],
    name: Annotated[str | None, typer.Option(help="The name that people see.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO 3166, such as NL.")] = None,
    languages: Annotated[
        str | None, typer.Option(help="Language codes separated by commas, the main one first.")
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help=_ZONE_HELP)] = None,
    product_url: Annotated[
        str | None,
        typer.Option(
            help="Address of a product's page, such as https://shop.example/p/{handle}, for feeds; "
            "{sku} is the variant's. Empty takes it away."
        ),
    ] = None,
    logo: Annotated[
        Path | None,
        typer.Option(help="PNG or JPEG file that the pages of its buyers show beside its name."),
    ] = None,
    no_logo: Annotated[
        bool, typer.Option("--no-logo", help="Show the shop's name alone again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Change a shop. Stored prices and orders do not change.

    The currency cannot be changed. The sender on labels is set with `crossdock fulfil sender`.
    """
    from crossdock.shop.changing_shops import change_shop
    from crossdock.shop.shops import read_shop

    if logo is not None and no_logo:
        raise Invalid("invalid_input", "Say either --logo or --no-logo.")
    texts = (name, country, languages, time_zone, product_url)
    if all(each is None for each in (*texts, logo)) and not no_logo:
        raise Invalid("invalid_input", "Say what to change, for example --time-zone UTC.")
    picture = None if logo is None else _read(logo)

    async def write(runtime: Runtime) -> "Shop":
        async with runtime.database.statement() as tx:
            shop_id = (await read_shop(tx, slug=slug)).id
        image = "" if no_logo else None
        if picture is not None:
            image = await _kept(runtime, picture, shop_id=shop_id)
        async with runtime.database.begin() as tx:
            return await change_shop(
                tx,
                shop_id=shop_id,
                now=runtime.clock.now(),
                name=name,
                country=country,
                languages=None if languages is None else _codes(languages),
                time_zone=time_zone,
                product_url=product_url,
                logo=image,
            )

    shop = with_runtime(write)
    report(shop, as_json=as_json, text=_set_text(shop))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid("invalid_input", f"{path} cannot be read: {error.strerror}.") from error


async def _kept(runtime: Runtime, body: bytes, *, shop_id: int) -> str:
    """The name of the image's file, once the shop has it."""
    from crossdock.compose import Services
    from crossdock.shop.media import file_name, keep_image

    async with Services(runtime) as services:
        return file_name(
            await keep_image(services.media, shop_id=shop_id, partner_id=None, body=body)
        )


@app.command("disable")
@app.command()
def suspend(
    slug: Annotated[str, typer.Argument(help="The shop's slug.")], as_json: JsonOption = False
) -> None:
    """Refuse every partner of the shop from now on; staff still sign in, and nothing is lost."""
    _switch(slug, suspends=True, as_json=as_json)


@app.command("enable")
@app.command()
def resume(
    slug: Annotated[str, typer.Argument(help="The shop's slug.")], as_json: JsonOption = False
) -> None:
    """Let the partners of a suspended shop call again."""
    _switch(slug, suspends=False, as_json=as_json)


def _switch(slug: str, *, suspends: bool, as_json: bool) -> None:
    from crossdock.shop.partners import touch_partners
    from crossdock.shop.shops import read_shop, resume_shop, suspend_shop

    async def write(runtime: Runtime, tx: Transaction) -> "Shop":
        shop = await read_shop(tx, slug=slug)
        if suspends:
            is_news = await suspend_shop(tx, shop_id=shop.id, now=runtime.clock.now())
        else:
            is_news = await resume_shop(tx, shop_id=shop.id)
        if is_news:
            await touch_partners(tx, shop_id=shop.id)
        return await read_shop(tx, slug=slug)

    shop = with_transaction(write)
    state = "runs" if shop.suspended_at is None else "is suspended: its partners are refused"
    report(shop, as_json=as_json, text=f"Shop {slug} {state}.")


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List all shops."""
    from crossdock.shop.shops import list_shops

    async def read(runtime: Runtime) -> "list[Shop]":
        async with runtime.database.statement() as tx:
            return await list_shops(tx)

    shops = with_runtime(read)
    if as_json:
        print_json(shops)
        return
    for shop in shops:
        state = "" if shop.suspended_at is None else "  suspended"
        typer.echo(
            f"{shop.slug}  {shop.name}  {shop.currency}  {shop.country}  {shop.time_zone}{state}"
        )


def _set_text(shop: "Shop") -> str:
    pages = f" Its product pages are at {shop.product_url}." if shop.product_url else ""
    pages += " It has a logo." if shop.logo else ""
    spoken = ", ".join(shop.languages)
    return (
        f"Shop {shop.slug}: {shop.name}, {shop.country}, languages {spoken}, currency {shop.currency}, "
        f"time zone {shop.time_zone}.{pages}"
    )


def _codes(languages: str) -> tuple[str, ...]:
    return tuple(code.strip() for code in languages.split(",") if code.strip())


def _advise_zone(shop: "Shop") -> None:
    """Advise on stderr to set the time zone, because the country has several."""
    from crossdock.kit.zones import zones_of_country

    example = next(iter(zones_of_country(shop.country)), "Europe/Brussels")
    typer.echo(
        f"{shop.country} has no single time zone: dates without one are read as UTC. To change it:\n"
        f"  crossdock shop set {shop.slug} --time-zone {example}",
        err=True,
    )
