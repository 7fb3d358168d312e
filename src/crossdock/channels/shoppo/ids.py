"""The ids of everything that has one: opaque, and the same for ever (spec section 5, Ids).

An id stands for (kind, number, place) under the key of the shop. One of another shop, or that was never
given, reads as nothing; whether what it names exists and is the caller's, its reader decides.
"""

from enum import IntEnum

from crossdock.db.unit_of_work import Database
from crossdock.kit.opaque import OpaqueIds
from crossdock.shop.shops import read_id_key


class Kind(IntEnum):
    """What an id names. The numbers are in every id that was given, so they never change."""

    PRODUCT = 1
    SKU = 2
    CATEGORY = 3
    MERCHANT = 4
    PRODUCT_IMAGE = 5
    """A picture of a product that has no facts of its own; the place is its place among them."""
    SKU_IMAGE = 6
    """The same of a variant."""
    IMAGE = 15
    """An image that is kept here."""
    VIDEO = 16
    """A video that is kept here."""
    PRODUCT_VIDEO = 17
    """The video of a product that is elsewhere."""
    ORDER = 20
    ORDER_ITEM = 21
    """The number is the order's, the place that of its line."""
    PACKAGE = 22
    PRODUCT_SNAPSHOT = 23
    """The product of an order's line as it was ordered; number and place are the line's."""
    SKU_SNAPSHOT = 24
    """The same of its Sku."""
    TICKET = 30


class ShopIds:
    """The ids of each shop of this process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[int, OpaqueIds] = {}

    async def of(self, shop_id: int) -> OpaqueIds:
        """The shop's ids; its key is read once."""
        if shop_id not in self._known:
            async with self._db.statement() as tx:
                key = await read_id_key(tx, shop_id=shop_id)
            self._known[shop_id] = OpaqueIds(key)
        return self._known[shop_id]
