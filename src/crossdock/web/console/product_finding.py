"""Find goods as staff look for them: by a number that is on them, else by name."""

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.paging import PlacePage
from crossdock.shop.catalogue import OwnedProduct, find_products, list_owned, read_owned


async def find_goods(
    tx: Transaction, *, shop_id: int, search: str, page: PlacePage, merchant_id: int | None = None
) -> tuple[list[OwnedProduct], bool]:
    """By a number that is on the goods, else by name, of one merchant or all; whether there are older ones."""
    whose = None if merchant_id is None else [merchant_id]
    numbered = await find_products(tx, shop_id=shop_id, number=search) if search else []
    if numbered and page.after is None:
        found = []
        for product_id in numbered:
            try:
                found.append(
                    await read_owned(tx, shop_id=shop_id, merchant_ids=whose, product_id=product_id)
                )
            except NotFound:
                continue  # none of its variants is enabled, or it is another merchant's
        return found, False
    rows = await list_owned(tx, shop_id=shop_id, merchant_ids=whose, page=page, search=search)
    return page.cut(rows)
