"""Pages of the list of products, kept as rendered for as long as they are true (docs/decisions/0067).

A page is kept with everything that decides it: the caller's terms, the selection, the arguments, and the
stamp up to which nothing of it changed. Where products of it changed, only they are read and rendered
again; where the list itself may be another one, all of it is.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crossdock.channels.shoppo.connections import (
    LENGTH,
    Connection,
    Edge,
    connection,
    read_paging,
)
from crossdock.channels.shoppo.filters import read_filters
from crossdock.channels.shoppo.rows import ProductRow, product_row
from crossdock.channels.shoppo.subjects import Call, Selection
from crossdock.channels.shoppo.wire import encode
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import Clock
from crossdock.kit.kept import Kept
from crossdock.shop.catalogue import (
    CATEGORIES,
    IMAGES,
    SHIPPING,
    TEXTS,
    VARIANTS,
    AssortmentCounts,
    Changes,
    list_assortment,
    offer_key,
    read_assortment,
)

PRODUCTS = "product"
_NEEDS = {
    VARIANTS: {"skus", "inventory", "upc"},
    CATEGORIES: {"consumerCategories", "categoryId"},
    IMAGES: {"coverImage", "coverVideo", "extraImages", "whiteBackgroundImage"},
    SHIPPING: {"shippingConfig", "shippingPrice", "shippingTime"},
    TEXTS: {"description", "color", "size", "specs", "features", "hasBattery"},
}
_EDGE_BYTES = 400
"""What an edge takes besides its JSON."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page as of a stamp: its edges with their JSON and the ids of their products, and its own JSON."""

    stamp: int
    ids: tuple[int, ...]
    connection: Connection
    json: bytes

    def content_bytes(self) -> int:
        """The memory of its content."""
        edges = sum(len(each.json) + _EDGE_BYTES for each in self.connection.edges)
        return len(self.json) + edges


class Shelf:
    """Reads products for a caller, by themselves and in pages."""

    def __init__(
        self,
        db: Database,
        *,
        changes: Changes,
        clock: Clock,
        own_requires_stock: bool,
        memory_bytes: int,
    ) -> None:
        self._db = db
        self._clock = clock
        self._own_requires_stock = own_requires_stock
        self._changes = changes
        self._counts = AssortmentCounts()
        self._pages: Kept[Hashable, Page] = Kept(bytes_max=memory_bytes)

    async def page(self, call: Call, arguments: Mapping[str, Any], selection: Selection) -> bytes:
        """A page as JSON. Raises WireError, and what the selection raises."""
        stamp = await self._stamp(call)
        key = (offer_key(call.partner), selection.key, encode(arguments))
        known = self._pages.get(key)
        if known is not None and known.stamp == stamp:
            return known.json
        page = None
        if known is not None and self._changes.listed(call.partner.shop_id) <= known.stamp:
            page = await self._mended(known, call, selection, stamp=stamp)
        if page is None:
            read = await self._read(call, arguments, selection.names)
            page = _rendered(read, call, selection, stamp=stamp)
        self._pages.put(key, page, content_bytes=len(key[2]) + page.content_bytes())
        return page.json

    async def read(
        self, call: Call, arguments: Mapping[str, Any], names: frozenset[str]
    ) -> Connection:
        """A page with its rows. Raises WireError."""
        if LENGTH in names:
            await self._stamp(call)
        return await self._read(call, arguments, names)

    async def products(
        self,
        call: Call,
        names: frozenset[str],
        *,
        product_ids: Sequence[int] = (),
        variant_ids: Sequence[int] = (),
    ) -> list[ProductRow]:
        """These products and those of these variants, of which the caller sees."""
        async with self._db.statement() as tx:
            found = await read_assortment(
                tx, partner=call.partner, parts=_parts(names), now=self._clock.now(),
                product_ids=product_ids, variant_ids=variant_ids,
                own_requires_stock=self._own_requires_stock,
            )  # fmt: skip
        return [product_row(each) for each in found]

    async def _stamp(self, call: Call) -> int:
        return await self._changes.catch_up(call.partner.shop_id, version=call.goods_version)

    async def _read(
        self, call: Call, arguments: Mapping[str, Any], names: frozenset[str]
    ) -> Connection:
        """The page; where its length is asked for, the changes up to now are known."""
        paging = read_paging(arguments, listed=PRODUCTS)
        filters = read_filters(arguments.get("filters") or {})
        length = -1
        async with self._db.statement() as tx:
            records, has_more = await list_assortment(
                tx, partner=call.partner, page=paging, filters=filters, parts=_parts(names),
                now=self._clock.now(), own_requires_stock=self._own_requires_stock,
            )  # fmt: skip
            if LENGTH in names:
                length = await self._counts.count(
                    tx, partner=call.partner, filters=filters,
                    state=self._changes.listed(call.partner.shop_id),
                )  # fmt: skip
        return connection(
            [product_row(each) for each in records],
            paging=paging, has_more=has_more, length=length, listed=PRODUCTS,
            place=lambda row: row.record.place,
        )  # fmt: skip

    async def _mended(
        self, page: Page, call: Call, selection: Selection, *, stamp: int
    ) -> Page | None:
        """The page with what changed of its products; None where one of them is not seen any more."""
        shop_id, is_current = call.partner.shop_id, self._changes.is_current
        changed = [each for each in page.ids if not is_current(shop_id, each, since=page.stamp)]
        if not changed:
            return replace(page, stamp=stamp)
        rows = await self.products(call, selection.names, product_ids=changed)
        if len(rows) < len(changed):
            return None
        fresh = {row.number: Edge(row, PRODUCTS, row.record.place) for row in rows}
        edges = [
            fresh.get(number, edge)
            for number, edge in zip(page.ids, page.connection.edges, strict=True)
        ]
        return _rendered(replace(page.connection, edges=edges), call, selection, stamp=stamp)


def _rendered(read: Connection, call: Call, selection: Selection, *, stamp: int) -> Page:
    """The page with JSON for its rows, which are kept no longer."""
    edges = [
        each if each.json else Edge(None, each.listed, each.place, selection.edge(each, call))
        for each in read.edges
    ]
    whole = replace(read, edges=edges)
    return Page(
        stamp=stamp,
        ids=tuple(each.place[1] for each in edges),
        connection=whole,
        json=selection.whole(whole, call),
    )


def _parts(names: frozenset[str]) -> frozenset[str]:
    """What of products the selected fields need."""
    return frozenset(part for part, needing in _NEEDS.items() if names & needing)
