"""Which products changed, learned from the events: so that what was rendered of the others can be told again."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import Clock
from crossdock.shop.events import CatalogueChanged, write_event

NEWS_MAX: Final = 500
MARKS_MAX: Final = 100_000
_CHANGES: Final = (
    "select version, last, unnumbered, count, listed, everything, products, changes_at"
    " from goods_changes(%s, %s, %s::bigint[], %s, %s)"
)
_VERSION: Final = "select catalogue_version(%s)"


class Changes:
    """The changes of goods that a process knows of, by shop; nothing is known of a shop not asked for.

    A caller has the shop's version from the statement that let it in (`catalogue_version`), asks
    `catch_up` for a stamp, reads what it has to read, and keeps it with that stamp. With a later stamp
    it is still true of the products that `is_current` says so of.
    """

    def __init__(self, db: Database, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._shops: dict[int, _Shop] = {}
        self._marks = 0

    async def catch_up(self, shop_id: int, *, version: int | None) -> int:
        """Learn of the changes up to this version and moment, where there are any; returns the stamp.

        A caller without a version has it read here.
        """
        if version is None:
            async with self._db.statement() as tx:
                version = await tx.value(_VERSION, (shop_id,))
            assert version is not None  # a count is a number
        shop = self._shops.setdefault(shop_id, _Shop())
        if not shop.knows(version, self._clock.now()):
            async with shop.asking:
                now = self._clock.now()
                if not shop.knows(version, now):
                    async with self._db.statement() as tx:
                        row = await tx.one(_CHANGES, (shop_id, shop.last, shop.seen, NEWS_MAX, now))
                    assert row is not None  # the shop of a partner is there
                    before = len(shop.marks)
                    shop.learn(row, now=now)
                    self._bound(added=len(shop.marks) - before)
        return shop.stamp

    def is_current(self, shop_id: int, product_id: int, *, since: int) -> bool:
        """Whether nothing that is known changed the product after this stamp."""
        shop = self._shops[shop_id]
        return since >= shop.floor and since >= shop.marks.get(product_id, 0)

    def listed(self, shop_id: int) -> int:
        """The stamp since which no list of products gained, lost or moved one, that is known of."""
        return self._shops[shop_id].listed

    def _bound(self, *, added: int) -> None:
        """Keep MARKS_MAX marks at most, of all shops together: the shop that has most begins anew."""
        self._marks += added
        while self._marks > MARKS_MAX:
            largest = max(self._shops.values(), key=lambda shop: len(shop.marks))
            self._marks -= len(largest.marks)
            largest.forget()


class _Shop:
    """What is known of one shop. `marks` has the stamp of the last change of a product since `floor`,
    the stamp at which any product may have changed, `listed` that at which a list of them may have."""

    def __init__(self) -> None:
        self.asking = asyncio.Lock()
        self.stamp = self.floor = self.listed = 0
        self.marks: dict[int, int] = {}
        self.version: int | None = None
        self.last = 0
        self.seen: list[int] = []
        self._from: datetime | None = None
        self._until: datetime | None = None

    def knows(self, version: int, now: datetime) -> bool:
        """Whether there is nothing to learn; a clock that was set back changes prices as well."""
        return version == self.version and self._is_now(now)

    def learn(self, row: tuple[Any, ...], *, now: datetime) -> None:
        """Mark what changed: everything, where an event was missed or the clock changed prices."""
        version, last, unnumbered, count, listed, everything, products, until = row
        missed = self.version is None or version != self.version + count
        is_all = missed or everything or not self._is_now(now)
        if is_all or count:
            self.stamp += 1
            self.marks.update(dict.fromkeys(products, self.stamp))
        if missed or listed:
            self.listed = self.stamp
        if is_all:
            self.forget()
        self.version, self.last, self.seen = version, last, unnumbered
        self._from, self._until = now, until

    def forget(self) -> None:
        """Any product may have changed by now."""
        self.floor, self.marks = self.stamp, {}

    def _is_now(self, now: datetime) -> bool:
        """Whether prices are what they were when this shop was last asked about."""
        return (
            self._from is not None
            and now >= self._from
            and (self._until is None or now < self._until)
        )


async def tell_edited(
    tx: Transaction, *, shop_id: int, product_ids: Sequence[int], now: datetime
) -> None:
    """Say that the products changed, and are not as their last import wrote them: the next one writes them whole."""
    await tx.run(
        "update products set source_hash = null, updated_at = %s"
        " where shop_id = %s and id = any(%s::bigint[])",
        (now, shop_id, list(product_ids)),
    )
    await tell_changed(tx, shop_id=shop_id, product_ids=product_ids, now=now)


async def tell_changed(
    tx: Transaction, *, shop_id: int, product_ids: Iterable[int], now: datetime
) -> None:
    """Write the event of products that changed, if any did: an event without products would mean all of them."""
    if ids := list(product_ids):
        await write_event(tx, shop_id=shop_id, event=CatalogueChanged(product_ids=ids), now=now)


async def tell_all_changed(tx: Transaction, *, shop_id: int, now: datetime) -> None:
    """Write the event of a change that all products show, such as of the address of their pages."""
    await write_event(tx, shop_id=shop_id, event=CatalogueChanged(product_ids=[]), now=now)
