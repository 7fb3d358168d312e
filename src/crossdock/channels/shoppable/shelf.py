"""Goods as this channel tells them, read for a caller; what the calls of catalogue and product share."""

from collections.abc import Hashable, Sequence

import msgspec
from msgspec import structs

from crossdock.channels.shoppable.answers import WireProduct
from crossdock.channels.shoppable.showing import Showing
from crossdock.channels.shoppable.wire import encoded
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import Clock
from crossdock.kit.kept import Kept
from crossdock.shop.catalogue import Changes, offer_key, read_goods
from crossdock.shop.partners import Partner


class Piece(msgspec.Struct, frozen=True):
    """A product as it stands in pages of the catalogue, as of a stamp; empty where it is not seen."""

    stamp: int
    json: bytes


class Shelf:
    """Reads products and renders them; those of the catalogue's pages are kept for as long as they are true."""

    def __init__(
        self,
        db: Database,
        *,
        showing: Showing,
        clock: Clock,
        changes: Changes,
        own_requires_stock: bool,
        memory_bytes: int,
    ) -> None:
        self.db = db
        self.clock = clock
        self.changes = changes
        self._showing = showing
        self._own_requires_stock = own_requires_stock
        self._pieces: Kept[Hashable, Piece] = Kept(bytes_max=memory_bytes)

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

    async def pieces(self, ids: Sequence[int], *, partner: Partner, stamp: int) -> list[bytes]:
        """The same as JSON, as of a stamp of `changes` or later. What the catalogue finds is active."""
        terms = offer_key(partner)
        known: dict[int, bytes] = {}
        for product_id in ids:
            piece = self._pieces.get((terms, product_id))
            if piece and self.changes.is_current(partner.shop_id, product_id, since=piece.stamp):
                known[product_id] = piece.json
        if missing := [each for each in ids if each not in known]:
            known |= await self._rendered(missing, partner=partner)
            for product_id in missing:
                piece = Piece(stamp, known[product_id])
                self._pieces.put((terms, product_id), piece, content_bytes=len(piece.json))
        return [known[each] for each in ids if known[each]]

    async def _rendered(self, ids: Sequence[int], *, partner: Partner) -> dict[int, bytes]:
        async with self.db.statement() as tx:
            products = await self.read(tx, ids, partner=partner)
        found = {
            int(each.part_number): encoded(structs.replace(each, active=True)) for each in products
        }
        return {each: found.get(each, b"") for each in ids}
