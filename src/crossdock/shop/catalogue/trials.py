"""What the earlier batches of a dry run would have written, as far as later ones would notice it.

Each batch of a dry run is rolled back before the next one begins, so none finds what came before:

| an earlier batch | a later one would otherwise |
|---|---|
| wrote a merchant, a category or a post | count the same record once more |
| wrote a product under a new merchant, or in a new category | name them as its own record spells it |
| took a variant from another product | miss it in that product, and call it disabled |
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.blog_posts import upsert_blog_posts
from crossdock.shop.catalogue.categories import (
    Path,
    ensure_categories,
    slug_path,
    upsert_categories,
)
from crossdock.shop.catalogue.copying import PreparedProduct
from crossdock.shop.catalogue.merchants import ensure_merchants, upsert_merchants
from crossdock.shop.catalogue.planning import Moves
from crossdock.shop.catalogue.records import BlogPostRecord, CategoryRecord, MerchantRecord
from crossdock.shop.catalogue.texts import slug_of

Record = TypeVar("Record", bound=msgspec.Struct)


class Trial:
    """Remembers 64 bits of each whole record, and the first name of each merchant and category."""

    def __init__(self) -> None:
        self.moves = Moves()
        self._records: dict[Hashable, int] = {}
        self._merchants: dict[str, str] = {}
        self._categories: dict[str, Path] = {}
        self._paths: set[Path] = set()

    async def upsert_merchants(
        self, tx: Transaction, *, shop_id: int, records: Sequence[MerchantRecord], now: datetime
    ) -> int:
        """As the function of this name: how many records would change something."""
        fresh, changed = self._apart({_merchant_key(record): record for record in records})
        named = [self._merchants[key] for key in map(_slug, fresh) if key in self._merchants]
        await ensure_merchants(tx, shop_id=shop_id, names=named)
        return changed + await upsert_merchants(tx, shop_id=shop_id, records=fresh, now=now)

    async def upsert_categories(
        self, tx: Transaction, *, shop_id: int, records: Sequence[CategoryRecord], now: datetime
    ) -> int:
        """As the function of this name: how many records would change something."""
        fresh, changed = self._apart({_category_key(record): record for record in records})
        paths = [self._categories[key] for key in map(_path, fresh) if key in self._categories]
        await ensure_categories(tx, shop_id=shop_id, paths=paths)
        return changed + await upsert_categories(tx, shop_id=shop_id, records=fresh, now=now)

    async def upsert_blog_posts(
        self, tx: Transaction, *, shop_id: int, records: Sequence[BlogPostRecord]
    ) -> int:
        """As the function of this name: how many records would change something."""
        fresh, changed = self._apart({_post_key(record): record for record in records})
        return changed + await upsert_blog_posts(tx, shop_id=shop_id, records=fresh)

    def remember(
        self,
        *,
        merchants: Iterable[MerchantRecord],
        categories: Iterable[CategoryRecord],
        products: Iterable[PreparedProduct],
        blog_posts: Iterable[BlogPostRecord],
    ) -> None:
        """Take in a batch that has been tried and rolled back."""
        for merchant in merchants:
            self._records[_merchant_key(merchant)] = _mark(merchant)
        for category in categories:
            self._records[_category_key(category)] = _mark(category)
            self._name(category.path)
        for product in products:
            self._merchants.setdefault(slug_of(product.merchant), product.merchant)
            for path in product.categories:
                self._name(path)
        for post in blog_posts:
            self._records[_post_key(post)] = _mark(post)

    def _name(self, path: Path) -> None:
        while path and path not in self._paths:
            self._paths.add(path)
            self._categories.setdefault(slug_path(path), path)
            path = path[:-1]

    def _apart(self, records: Mapping[Hashable, Record]) -> tuple[list[Record], int]:
        """The records of keys that no earlier batch had, and how many of the others differ."""
        fresh = [record for key, record in records.items() if key not in self._records]
        again = [(key, record) for key, record in records.items() if key in self._records]
        return fresh, sum(self._records[key] != _mark(record) for key, record in again)


def _mark(record: msgspec.Struct) -> int:
    if isinstance(record, CategoryRecord):
        record = msgspec.structs.replace(record, path=record.path[-1:])
    return hash(msgspec.msgpack.encode(record, order="deterministic"))


def _slug(record: MerchantRecord) -> str:
    return slug_of(record.name)


def _path(record: CategoryRecord) -> str:
    return slug_path(record.path)


def _merchant_key(record: MerchantRecord) -> Hashable:
    return "merchant", _slug(record)


def _category_key(record: CategoryRecord) -> Hashable:
    return "category", _path(record)


def _post_key(record: BlogPostRecord) -> Hashable:
    return "post", record.slug, record.language
