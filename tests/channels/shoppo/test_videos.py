"""A product's video..."""

from pathlib import Path

from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import ProductRecord, VariantRecord, upsert_products
from crossdock.shop.media import add_video, keep_video, render_videos
from crossdock.shop.shops import add_shop
from tests.conftest import NOON
from tests.support.films import film
from tests.support.keeping import create_videos

QUERY = """{ productList(first: 1) { edges { node { id coverVideo {
  id checksum rowUrl rawUrl hlsUrl coverImage { originalUrl originalWidth versions { width } }
} } } } }"""


async def test_is_told_where_it_is_and_with_its_renditions(
    shippers, hall_database, hall_server, tmp_path: Path
):
    videos = create_videos(hall_server.app.services.media, tmp_path)
    async with hall_database.begin() as tx:
        slug = f"film-{RandomIds().random_token(8).lower()}"
        shop = await add_shop(tx, slug=slug, name="Film", currency="USD")
    other = await shippers(shop.id)
    elsewhere = "https://films.example/a.mp4"

    async def write(video: str) -> None:
        record = ProductRecord(
            handle="lamp", name="Lamp", merchant="Acme", currency="USD", video=video,
            variants=(VariantRecord(sku="LAMP-1", retail_minor=100),),
        )  # fmt: skip
        async with hall_database.begin() as tx:
            await upsert_products(tx, shop=shop, records=[record], now=NOON)

    async def shown():
        [edge] = (await other.ask(QUERY))["productList"]["edges"]
        return edge["node"]["coverVideo"]

    await write("")
    assert await shown() is None
    await write(elsewhere)
    told = await shown()
    assert (told["rowUrl"], told["rawUrl"]) == (elsewhere, elsewhere)
    assert (told["hlsUrl"], told["coverImage"]) == (None, None)
    by_id = "query ($id: ID!) { node(id: $id) { __typename ... on Video { rowUrl hlsUrl } } }"
    found = await other.ask(by_id, id=told["id"])
    assert found["node"] == {"__typename": "Video", "rowUrl": elsewhere, "hlsUrl": None}

    source = tmp_path / "film.mp4"
    source.write_bytes(film(seconds=1, size=(320, 240)))
    kept = await keep_video(videos, shop_id=shop.id, source=source)
    async with hall_database.begin() as tx:
        await add_video(tx, shop_id=shop.id, sku="LAMP-1", video=kept, now=NOON)
    held = await shown()
    assert held["id"] != told["id"]
    assert (held["checksum"], held["hlsUrl"]) == (kept.checksum, None)
    assert held["rowUrl"] == f"{hall_server.url}/videos/{kept.checksum}.mp4"
    assert held["coverImage"] == {
        "originalUrl": f"{hall_server.url}/images/{kept.cover.checksum}.JPEG",
        "originalWidth": 320,
        "versions": [{"width": 320}, {"width": 133}],
    }
    await render_videos(videos)
    ready = await shown()
    assert ready["hlsUrl"].startswith(f"{hall_server.url}/videos/")
    assert ready["hlsUrl"].endswith("/master.m3u8")
    found = await other.ask(by_id, id=ready["id"])
    assert found["node"] == {
        "__typename": "Video", "rowUrl": ready["rowUrl"], "hlsUrl": ready["hlsUrl"],
    }  # fmt: skip
