"""Goods as this channel tells them, read for a caller; what the calls of catalogue and product share."""

from collections.abc import Sequence

from crossdock.channels.shoppable.answers import WireProduct
from crossdock.channels.shoppable.showing import Showing
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import Clock
from crossdock.shop.catalogue import read_goods
from crossdock.shop.partners import Partner


class Shelf:
    """Reads products and renders them."""

    def __init__(
        self, db: Database, *, showing: Showing, clock: Clock, own_requires_stock: bool
    ) -> None:
        self.db = db
        self.clock = clock
        self._showing = showing
        self._own_requires_stock = own_requires_stock

    async def read(
        self, tx: Transaction, ids: Sequence[int], *, partner: Partner
    ) -> list[WireProduct]:
        """The products with these ids that the partner sees, in their order."""
        goods = await read_goods(
            tx,
            partner=partner,
            product_ids=ids,
            now=self.clock.now(),
            own_requires_stock=self._own_requires_stock,
        )
        return [self._showing.product(each, currency=partner.currency) for each in goods]
