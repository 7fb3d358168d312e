"""A picture of a product..."""

from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import (
    HeldAddress,
    Image,
    ImageFacts,
    ProductRecord,
    VariantRecord,
    hold_pictures,
    read_pictures,
    upsert_products,
)
from crossdock.shop.media import keep_image
from crossdock.shop.shops import add_shop
from tests.conftest import NOON
from tests.support.pictures import fresh


async def test_that_the_shop_holds_is_told_with_its_facts(
    shipper, shippers, hall_database, hall_server
):
    media = hall_server.app.services.media
    async with hall_database.begin() as tx:
        slug = f"held-{RandomIds().random_token(8).lower()}"
        shop = await add_shop(tx, slug=slug, name="Held", currency="USD")
    kept = await keep_image(media, shop_id=shop.id, partner_id=None, body=fresh(1200, 1050))
    other = await shippers(shop.id)
    elsewhere = "https://img.example/held.png"
    record = ProductRecord(
        handle="held", name="Held", merchant="Acme", currency="USD", images=(Image(url=elsewhere),),
        variants=(VariantRecord(sku="HELD-1", retail_minor=100, image=elsewhere),),
    )  # fmt: skip
    query = """{ productList(first: 1) { edges { node { id skus { coverImage { id } } coverImage {
      id checksum originalUrl originalWidth originalHeight mainColor type versions { filename width height }
    } } } } }"""

    async with hall_database.begin() as tx:
        await upsert_products(tx, shop=shop, records=[record], now=NOON)
    [edge] = (await other.ask(query))["productList"]["edges"]
    before = edge["node"]["coverImage"]
    assert (before["originalUrl"], before["originalWidth"], before["versions"]) == (
        elsewhere,
        0,
        [],
    )

    async with hall_database.begin() as tx:
        product_id, [picture] = await read_pictures(tx, shop_id=shop.id, sku="HELD-1")
        facts = {name: getattr(kept, name) for name in ImageFacts.__struct_fields__}
        found = HeldAddress(product_id=product_id, url=picture.url, media=ImageFacts(**facts))
        await hold_pictures(tx, shop_id=shop.id, found=[found], now=NOON)
    [edge] = (await other.ask(query))["productList"]["edges"]
    shown = edge["node"]["coverImage"]

    assert edge["node"]["skus"] == [{"coverImage": {"id": shown["id"]}}]
    assert shown["originalUrl"] == f"{hall_server.url}/images/{kept.checksum}.PNG"
    assert (shown["originalWidth"], shown["originalHeight"], shown["type"]) == (1200, 1050, "png")
    assert (shown["checksum"], shown["mainColor"]) == (kept.checksum, kept.color)
    assert [each["width"] for each in shown["versions"]] == [1200, 114, 457, 1142]
    node = "query($id: ID!) { node(id: $id) { ... on Image { checksum } } }"
    for image_id in (shown["id"], before["id"]):
        assert await other.ask(node, id=image_id) == {"node": {"checksum": kept.checksum}}
    assert await shipper.ask(node, id=shown["id"]) == {"node": None}
