"""`crossdock media`: the images of a shop, and those of its products."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_runtime, with_transaction
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, ShopOption, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.catalogue import Picture
    from crossdock.shop.media import GivenUp, ImageView, Standing

app = typer.Typer(
    help="Images: add them to products, fetch those that products name, see all.",
    no_args_is_help=True,
)

ProductOption = Annotated[str, typer.Option("--product", help="A SKU of the product.")]
LimitOption = Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")]


@app.command()
def add(
    files: Annotated[list[Path], typer.Argument(help="PNG or JPEG files, in their order.")],
    product: ProductOption,
    shop: ShopOption,
    alt: Annotated[str, typer.Option(help="Text for those who do not see the images.")] = "",
    first: Annotated[
        bool, typer.Option("--first", help="Before the product's pictures; the first is its cover.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Add images to a product. Imports leave them there; `media remove` takes them away."""
    from crossdock.compose import Services
    from crossdock.shop.media import add_pictures, keep_image
    from crossdock.shop.shops import read_shop

    async def write(runtime: Runtime) -> "list[Picture]":
        bodies = [_read(path) for path in files]
        async with Services(runtime) as services:
            async with runtime.database.statement() as tx:
                shop_id = (await read_shop(tx, slug=shop)).id
            images = [
                await keep_image(services.media, shop_id=shop_id, partner_id=None, body=body)
                for body in bodies
            ]
            async with runtime.database.begin() as tx:
                return await add_pictures(
                    tx,
                    shop_id=shop_id,
                    sku=product,
                    images=images,
                    alt=alt,
                    is_first=first,
                    now=runtime.clock.now(),
                )

    pictures = with_runtime(write)
    report(pictures, as_json=as_json, text=f"The product has {len(pictures)} pictures.")


@app.command()
def remove(
    checksum: Annotated[str, typer.Argument(help="The image's checksum, as in its address.")],
    product: ProductOption,
    shop: ShopOption,
    as_json: JsonOption = False,
) -> None:
    """Take an image that staff added away from a product."""
    from crossdock.shop.media import remove_picture
    from crossdock.shop.shops import read_shop

    async def write(runtime: Runtime, tx: Transaction) -> "list[Picture]":
        shop_id = (await read_shop(tx, slug=shop)).id
        now = runtime.clock.now()
        return await remove_picture(tx, shop_id=shop_id, sku=product, checksum=checksum, now=now)

    pictures = with_transaction(write)
    report(pictures, as_json=as_json, text=f"The product has {len(pictures)} pictures left.")


@app.command("list")
def list_(shop: ShopOption, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List the newest images of the shop and its partners."""
    from crossdock.shop.media import list_images
    from crossdock.shop.shops import read_shop

    async def read(_runtime: Runtime, tx: Transaction) -> "list[ImageView]":
        shop_id = (await read_shop(tx, slug=shop)).id
        return await list_images(tx, shop_id=shop_id, limit=limit)

    report_list(
        with_transaction(read), as_json=as_json, table=_print_images, none="There is no image."
    )


@app.command()
def show(
    image_id: Annotated[int, typer.Argument(help="The image's number.")],
    shop: ShopOption,
    as_json: JsonOption = False,
) -> None:
    """Show one image."""
    from crossdock.shop.media import show_image
    from crossdock.shop.shops import read_shop

    async def read(_runtime: Runtime, tx: Transaction) -> "ImageView":
        shop_id = (await read_shop(tx, slug=shop)).id
        return await show_image(tx, shop_id=shop_id, image_id=image_id)

    image = with_transaction(read)
    report(image, as_json=as_json, text=lambda: _print_images([image]))


@app.command()
def fetch(shop: ShopOption, as_json: JsonOption = False) -> None:
    """Queue every image that products name and the shop does not hold; the worker fetches them."""
    from crossdock.shop.media import read_standing, wish_for_all
    from crossdock.shop.shops import read_shop

    async def write(runtime: Runtime, tx: Transaction) -> "tuple[int, Standing]":
        shop_id = (await read_shop(tx, slug=shop)).id
        await tx.take_time()
        count = await wish_for_all(tx, shop_id=shop_id, now=runtime.clock.now())
        return count, await read_standing(tx, shop_id=shop_id)

    count, standing = with_transaction(write)
    text = f"{count} asked for. Of all addresses {standing.held} are held, {standing.waiting} wait."
    report(standing, as_json=as_json, text=text)


@app.command()
def failed(shop: ShopOption, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List the addresses from which no image came, and why; `media fetch` tries them again."""
    from crossdock.shop.media import list_given_up
    from crossdock.shop.shops import read_shop

    async def read(_runtime: Runtime, tx: Transaction) -> "list[GivenUp]":
        shop_id = (await read_shop(tx, slug=shop)).id
        return await list_given_up(tx, shop_id=shop_id, limit=limit)

    report_list(
        with_transaction(read), as_json=as_json, table=_print_failed, none="None was given up."
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid("invalid_input", f"{path} cannot be read: {error.strerror}.") from error


def _print_images(images: "list[ImageView]") -> None:
    from rich.table import Column, Table

    columns = (Column(name, no_wrap=True) for name in ("Format", "Size", "Bytes", "Colour"))
    table = Table("Image", "Owner", "Checksum", *columns)
    for image in images:
        table.add_row(
            str(image.id),
            image.owner or "the shop",
            image.checksum,
            image.format,
            f"{image.width} x {image.height}",
            f"{image.size_bytes:,}",
            image.color,
        )
    print_table(table)


def _print_failed(found: "list[GivenUp]") -> None:
    from rich.table import Table

    table = Table("Address", "Attempts", "Why")
    for each in found:
        table.add_row(each.url, str(each.failures), each.error)
    print_table(table)
