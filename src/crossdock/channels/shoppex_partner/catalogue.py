"""The product list as bytes: rendered once per catalogue version, cached in memory or on disk."""

import asyncio
import hashlib
from collections import OrderedDict
from datetime import datetime
from typing import Any

import msgspec

from crossdock.channels.plumbing import Rendered, Spool, compressed
from crossdock.channels.shoppex_partner.wire import encode_products
from crossdock.db.unit_of_work import Database
from crossdock.kit.batching import Batcher
from crossdock.kit.clock import Clock
from crossdock.shop.catalogue import SellableRow, open_listing, read_versions
from crossdock.shop.partners import Partner

ENCODINGS = ("zstd", "gzip")
_ANSWERS_MAX = 256
_READERS_MAX = 1024


class CatalogueAnswer(msgspec.Struct, kw_only=True):
    """A partner's list at `version`, valid until `changes_at`. `tag` is the content's hash."""

    version: int
    changes_at: datetime | None
    tag: str
    plain: Rendered
    coded: dict[str, Rendered] = {}
    compressing: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)

    def memory_bytes(self) -> int:
        """Memory that it uses, in all its codings."""
        return sum(len(r.body or b"") for r in (self.plain, *self.coded.values()))


class CatalogueAnswers:
    """Renders and caches lists. A cached list is used only after the shop's version was checked.

    The cache key is everything besides the version that the content depends on, so partners with the
    same terms share a list. Requests that arrive during a rendering are coalesced into the next one, so
    that any number of them costs two renderings.
    """

    def __init__(
        self,
        db: Database,
        *,
        clock: Clock,
        folder: str,
        own_requires_stock: bool,
        memory_bytes: int,
    ) -> None:
        self._db = db
        self._clock = clock
        self._folder = folder
        self._own_requires_stock = own_requires_stock
        self._memory_max = memory_bytes
        self._answers: OrderedDict[tuple[Any, ...], CatalogueAnswer] = OrderedDict()
        self._renderings: dict[tuple[Any, ...], Batcher[Partner, CatalogueAnswer]] = {}
        self._version = Batcher(self._read_versions, max_items=256)

    async def get(self, partner: Partner) -> CatalogueAnswer:
        """The partner's current list."""
        key = _key(partner)
        if answer := await self._current(key, partner):
            return answer
        if key not in self._renderings:
            self._renderings[key] = Batcher(self._refresh, max_items=_READERS_MAX, max_flights=1)
        return await self._renderings[key](partner)

    async def _refresh(self, readers: list[Partner]) -> list[CatalogueAnswer]:
        """One list for requests with equal terms, read after all of them arrived."""
        partner = readers[0]
        answer = await self._current(_key(partner), partner)
        if answer is None:
            answer = await self._render(partner)
            self._keep(_key(partner), answer)
        return [answer] * len(readers)

    async def coded(self, answer: CatalogueAnswer, coding: str) -> Rendered:
        """The list in a content coding, compressed once, off the event loop."""
        if not coding:
            return answer.plain
        async with answer.compressing:
            if coding not in answer.coded:
                answer.coded[coding] = await asyncio.to_thread(
                    compressed, answer.plain, coding=coding, folder=self._folder
                )
        return answer.coded[coding]

    async def _current(self, key: tuple[Any, ...], partner: Partner) -> CatalogueAnswer | None:
        version = await self._version(partner.shop_id)
        answer = self._answers.get(key)
        if answer is None or answer.version != version:
            return None
        if answer.changes_at is not None and answer.changes_at <= self._clock.now():
            return None
        self._answers.move_to_end(key)
        return answer

    async def _read_versions(self, shop_ids: list[int]) -> list[int]:
        async with self._db.statement() as tx:
            versions = await read_versions(tx, shop_ids=sorted(set(shop_ids)))
        return [versions[shop_id] for shop_id in shop_ids]

    async def _render(self, partner: Partner) -> CatalogueAnswer:
        digest = hashlib.blake2b(digest_size=16)
        spool = Spool(self._folder)
        separator = b"["

        def write(before: bytes, rows: list[SellableRow]) -> None:
            piece = before + encode_products(rows, currency=partner.currency)
            digest.update(piece)
            spool.write(piece)

        async with (
            self._db.begin() as tx,
            open_listing(
                tx,
                partner=partner,
                now=self._clock.now(),
                own_requires_stock=self._own_requires_stock,
            ) as (listing, chunks),
        ):
            async for rows in chunks:
                await asyncio.to_thread(write, separator, rows)
                separator = b","
        spool.write(b"]" if separator == b"," else b"[]")
        return CatalogueAnswer(
            version=listing.version,
            changes_at=listing.changes_at,
            tag=digest.hexdigest(),
            plain=spool.finish(),
        )

    def _keep(self, key: tuple[Any, ...], answer: CatalogueAnswer) -> None:
        """Cache the answer; evicts the least recently used above the memory limit."""
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > _ANSWERS_MAX or self._memory_bytes() > self._memory_max:
            dropped, _ = self._answers.popitem(last=False)
            self._renderings.pop(dropped, None)

    def _memory_bytes(self) -> int:
        return sum(answer.memory_bytes() for answer in self._answers.values())


def etag(answer: CatalogueAnswer, coding: str) -> str:
    """The entity tag of one coding: the content's hash and the coding's name."""
    return f'"{answer.tag}-{coding}"' if coding else f'"{answer.tag}"'


def is_known(if_none_match: str | None, answer: CatalogueAnswer) -> bool:
    """Whether If-None-Match has this content, in any coding."""
    if not if_none_match:
        return False
    known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return bool(known & {"*", *(etag(answer, coding) for coding in ("", *ENCODINGS))})


def _key(partner: Partner) -> tuple[Any, ...]:
    return (
        partner.shop_id,
        partner.currency,
        partner.backorder,
        partner.visible_merchants,
        partner.price_list_id,
    )
