"""`crossdock media`: the images and videos of a shop, and those of its products."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_runtime, with_transaction
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.numbers import counted
from crossdock.terminal import JsonOption, ShopOption, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.compose import Services
    from crossdock.shop.catalogue import Picture
    from crossdock.shop.media import GivenUp, ImageView, Standing, StoredVideo

app = typer.Typer(
    help="Images and videos: add them to products, fetch those that products name, see all.",
    no_args_is_help=True,
)

ProductOption = Annotated[str, typer.Option("--product", help="A SKU of the product.")]
VideoOption = Annotated[bool, typer.Option("--video", help="Of videos, not of images.")]
LimitOption = Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")]


@app.command()
def add(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="PNG or JPEG files, in their order; an MP4 file is the product's video."
        ),
    ],
    product: ProductOption,
    shop: ShopOption,
    alt: Annotated[str, typer.Option(help="Text for those who do not see the images.")] = "",
    first: Annotated[
        bool, typer.Option("--first", help="Before the product's pictures; the first is its cover.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Add images or a video to a product. Imports leave them there; `media remove` takes them away."""
    from crossdock.compose import Services
    from crossdock.shop.media import add_pictures, keep_image
    from crossdock.shop.shops import read_shop

    async def write(runtime: Runtime) -> "list[Picture]":
        films = [path for path in files if _is_film(_read(path))]
        if len(films) > 1:
            raise Invalid("invalid_input", "A product has one video at most.")
        bodies = [_read(path) for path in files if path not in films]
        async with Services(runtime) as services:
            async with runtime.database.statement() as tx:
                shop_id = (await read_shop(tx, slug=shop)).id
            for film in films:
                await _add_video(services, film, shop_id=shop_id, sku=product)
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
    report(pictures, as_json=as_json, text=f"The product has {counted(len(pictures), 'picture')}.")


@app.command()
def remove(
    checksum: Annotated[
        str, typer.Argument(help="The checksum of the image or video, as in its address.")
    ],
    product: ProductOption,
    shop: ShopOption,
    as_json: JsonOption = False,
) -> None:
    """Take an image or a video that staff added away from a product."""
    from crossdock.shop.media import remove_picture
    from crossdock.shop.shops import read_shop

    async def write(runtime: Runtime, tx: Transaction) -> "list[Picture]":
        shop_id = (await read_shop(tx, slug=shop)).id
        now = runtime.clock.now()
        return await remove_picture(tx, shop_id=shop_id, sku=product, checksum=checksum, now=now)

    pictures = with_transaction(write)
    report(
        pictures, as_json=as_json, text=f"The product has {counted(len(pictures), 'picture')} left."
    )


@app.command("list")
def list_(
    shop: ShopOption,
    video: VideoOption = False,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List the newest images of the shop and its partners, or the shop's videos."""
    from crossdock.shop.media import list_images, list_videos
    from crossdock.shop.shops import read_shop

    async def read(_runtime: Runtime, tx: Transaction) -> "list[ImageView]":
        shop_id = (await read_shop(tx, slug=shop)).id
        return await list_images(tx, shop_id=shop_id, limit=limit)

    async def read_videos(_runtime: Runtime, tx: Transaction) -> "list[StoredVideo]":
        shop_id = (await read_shop(tx, slug=shop)).id
        return await list_videos(tx, shop_id=shop_id, limit=limit)

    if video:
        found = with_transaction(read_videos)
        report_list(found, as_json=as_json, table=_print_videos, none="There is no video.")
        return
    report_list(
        with_transaction(read), as_json=as_json, table=_print_images, none="There is no image."
    )


@app.command()
def show(
    image_id: Annotated[
        int, typer.Argument(metavar="NUMBER", help="The number of the image or video.")
    ],
    shop: ShopOption,
    video: VideoOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show one image, or a video with how far its renditions are."""
    from crossdock.shop.media import show_image, show_video
    from crossdock.shop.shops import read_shop

    async def read(_runtime: Runtime, tx: Transaction) -> "ImageView":
        shop_id = (await read_shop(tx, slug=shop)).id
        return await show_image(tx, shop_id=shop_id, image_id=image_id)

    async def read_video(_runtime: Runtime, tx: Transaction) -> "StoredVideo":
        shop_id = (await read_shop(tx, slug=shop)).id
        return await show_video(tx, shop_id=shop_id, video_id=image_id)

    if video:
        found = with_transaction(read_video)
        report(found, as_json=as_json, text=lambda: _print_videos([found]))
        return
    image = with_transaction(read)
    report(image, as_json=as_json, text=lambda: _print_images([image]))


@app.command()
def fetch(shop: ShopOption, as_json: JsonOption = False) -> None:
    """Queue every image and video that products name and the shop does not hold; the worker fetches them."""
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
    """List the addresses from which nothing came, and why; `media fetch` tries them again."""
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


def _is_film(body: bytes) -> bool:
    return body[4:8] == b"ftyp"


async def _add_video(services: "Services", film: Path, *, shop_id: int, sku: str) -> None:
    from crossdock.shop.media import add_video, keep_video

    runtime = services.runtime
    video = await keep_video(services.videos, shop_id=shop_id, source=film)
    async with runtime.database.begin() as tx:
        await add_video(tx, shop_id=shop_id, sku=sku, video=video, now=runtime.clock.now())


def _print_videos(videos: "list[StoredVideo]") -> None:
    from rich.table import Table

    table = Table("Video", "Checksum", "Size", "Seconds", "Bytes", "Renditions", "Why")
    for video in videos:
        table.add_row(
            str(video.id),
            video.checksum,
            f"{video.width} x {video.height}",
            f"{video.duration_ms / 1000:.1f}",
            f"{video.size_bytes:,}",
            f"{video.state}, {video.progress} %",
            video.error,
        )
    print_table(table)


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
