"""What partners are told of products and Skus without asking: new ones, and what changed of others (spec
section 12).

A consumer reads what changed, compares what each partner is told of it now with what it was told last,
and queues a call for what differs. The call leaves some seconds later with the goods as they are then,
so that changes in a row are one call. Of goods that a partner does not know yet it is a create, else an
update. `enabled` is what the goods themselves say: that a merchant stops to sell is a call of its own.
"""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from crossdock.channels.shoppo import NAME
from crossdock.channels.shoppo.bodies import Bodies
from crossdock.channels.shoppo.calling import Calling, Letter, Notice
from crossdock.channels.shoppo.rows import ProductRow, product_row
from crossdock.channels.shoppo.subjects import Call
from crossdock.channels.shoppo.wire import seconds
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.clock import Clock
from crossdock.kit.opaque import OpaqueIds
from crossdock.kit.slices import slices
from crossdock.shop.catalogue import EVERY_PART, AssortedProduct, offer_key, read_assortment
from crossdock.shop.deliveries import Claim, DeliveryKind, Sent, queue_deliveries
from crossdock.shop.events import Batch, Consumer
from crossdock.shop.partners import Called, Partner, read_partner, read_partners_with
from crossdock.shop.shops import read_id_key
from crossdock.shop.telling import (
    Due,
    Goods,
    Known,
    Subject,
    changed_goods,
    mark_known,
    note_goods,
    read_known,
)

CONSUMER: Final = "shoppo_goods"
DELAY_S: Final = 5
"""How long a change waits for further ones of the same object."""

_PRODUCTS_AT_ONCE: Final = 200
_PARTNERS_AT_ONCE: Final = 50
_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, kw_only=True)
class _About:
    """The calls about one kind of object."""

    kind: str
    subject: Subject
    label: str
    create_url: str
    update_url: str
    event: str


_PRODUCTS: Final = _About(
    kind="shoppo_product",
    subject="product",
    label="product",
    create_url="create_product_url",
    update_url="update_product_url",
    event="product",
)
_SKUS: Final = _About(
    kind="shoppo_sku",
    subject="variant",
    label="sku",
    create_url="create_sku_url",
    update_url="update_sku_url",
    event="sku",
)
GOODS_URLS: Final = tuple(
    url for about in (_PRODUCTS, _SKUS) for url in (about.create_url, about.update_url)
)
"""The partner's settings with the addresses of these calls."""


_Told = tuple[ProductRow, dict[str, Any]]


class Telling:
    """Queues the calls and makes them."""

    def __init__(self, bodies: Bodies, *, clock: Clock, own_requires_stock: bool) -> None:
        self._bodies = bodies
        self._clock = clock
        self._own_requires_stock = own_requires_stock

    def consumer(self) -> Consumer:
        """Queues the calls."""
        return Consumer(name=CONSUMER, topics=("catalogue", "price", "stock"), take=self._take)

    def kinds(self, calling: Calling) -> list[DeliveryKind]:
        """The kinds of delivery of these calls."""
        return [self._kind(calling, about) for about in (_PRODUCTS, _SKUS)]

    async def _take(self, tx: Transaction, *, batch: Batch, now: datetime) -> int | None:
        partners = await read_partners_with(
            tx, shop_id=batch.shop_id, channel=NAME, settings=GOODS_URLS
        )
        if not partners:
            return None
        changed = await changed_goods(tx, shop_id=batch.shop_id, events=batch.events)
        ids = OpaqueIds(await read_id_key(tx, shop_id=batch.shop_id))
        at = seconds(
            max(event.created_at for event in batch.events if event.sequence <= changed.last)
        )
        for product_ids in slices(changed.product_ids, size=_PRODUCTS_AT_ONCE):
            for group in _groups(partners):
                rows = await self._read(tx, group[0], product_ids=product_ids, now=now)
                told = self._told(rows, Call(group[0], ids))
                for about, goods in ((_PRODUCTS, _products), (_SKUS, _skus)):
                    hearing = [each for each in group if _hears(each, about)]
                    if hearing and (found := goods(told)):
                        await _queue(tx, about, partners=hearing, goods=found, at=at, now=now)
        return None if changed.upto == batch.events[-1].sequence else changed.upto

    async def _read(
        self, tx: Transaction, partner: Partner, *, product_ids: Sequence[int], now: datetime
    ) -> list[ProductRow]:
        records = await read_assortment(
            tx, partner=partner, parts=EVERY_PART, now=now, product_ids=product_ids,
            own_requires_stock=self._own_requires_stock,
        )  # fmt: skip
        return [product_row(each) for each in records]

    def _told(self, rows: Sequence[ProductRow], call: Call) -> list[_Told]:
        """The products with their bodies, in which those of their Skus are."""
        return [(row, self._bodies.product(_by_itself(row), call, times={})) for row in rows]

    def _kind(self, calling: Calling, about: _About) -> DeliveryKind:
        async def compose(tx: Transaction, *, claim: Claim, partner: Called) -> Letter | None:
            return await self._compose(tx, about, claim=claim, called=partner)

        async def sent(tx: Transaction, *, claim: Claim, sent: Sent, now: datetime) -> None:
            await mark_known(
                tx, shop_id=claim.shop_id, partner_id=int(claim.target), subject=about.subject,
                subject_id=int(claim.payload["id"]),
            )  # fmt: skip

        return calling.kind(
            Notice(
                name=about.kind,
                subject="Notice",
                compose=compose,
                ordering="newest_wins",
                sent=sent,
            )
        )

    async def _compose(
        self, tx: Transaction, about: _About, *, claim: Claim, called: Called
    ) -> Letter | None:
        """The call with the object as it is now; None if the partner is not to be told of it any more.

        What is remembered is read before the object, so that it is never newer than its version.
        """
        number = int(claim.payload["id"])
        known = await read_known(
            tx,
            shop_id=claim.shop_id,
            partner_id=called.id,
            subject=about.subject,
            subject_id=number,
        )
        own = known.get(number)
        partner = await read_partner(tx, partner_id=called.id)
        if own is None or partner is None:
            return None
        is_product = about.subject == "product"
        found = await read_assortment(
            tx, partner=partner, parts=EVERY_PART, now=self._clock.now(),
            product_ids=[number] if is_product else [],
            variant_ids=[] if is_product else [number],
            own_requires_stock=self._own_requires_stock,
        )  # fmt: skip
        if not found:
            return None
        call = Call(partner, OpaqueIds(await read_id_key(tx, shop_id=claim.shop_id)))
        times = {each: facts.version for each, facts in known.items()}
        read = self._product_body if is_product else self._sku_body
        on_sale, body = read(product_row(found[0]), call, number=number, times=times)
        url_setting = _address(called, about, own, on_sale=on_sale)
        if not url_setting or not body:
            return None
        verb = "created" if url_setting == about.create_url else "updated"
        return Letter(body=body, url_setting=url_setting, event_type=f"{about.event}.{verb}")

    def _product_body(
        self, row: ProductRow, call: Call, *, number: int, times: Mapping[int, int]
    ) -> tuple[bool, dict[str, Any]]:
        return row.record.enabled, self._bodies.product(_by_itself(row), call, times=times)

    def _sku_body(
        self, row: ProductRow, call: Call, *, number: int, times: Mapping[int, int]
    ) -> tuple[bool, dict[str, Any]]:
        for sku, own in zip(row.skus, _by_itself(row).skus, strict=True):
            if sku.number == number:
                return sku.record.enabled, self._bodies.sku(own, call, times=times)
        return False, {}


def _products(told: Sequence[_Told]) -> list[Goods]:
    return [
        Goods(id=row.number, digest=_digest(body), on_sale=row.record.enabled) for row, body in told
    ]


def _skus(told: Sequence[_Told]) -> list[Goods]:
    return [
        Goods(id=sku.number, digest=_digest(body), on_sale=sku.record.enabled)
        for row, product in told
        for sku, body in zip(row.skus, product["skus"], strict=True)
    ]


def _address(called: Called, about: _About, known: Known, *, on_sale: bool) -> str:
    """The setting with the address to call, "" for none."""
    has_create = bool(called.settings.get(about.create_url))
    if not known.is_known:
        if not on_sale:
            return ""
        if has_create:
            return about.create_url
    return about.update_url if called.settings.get(about.update_url) else ""


async def _queue(
    tx: Transaction,
    about: _About,
    *,
    partners: Sequence[Partner],
    goods: Sequence[Goods],
    at: int,
    now: datetime,
) -> None:
    by_id = {partner.id: partner for partner in partners}
    for some in slices(list(by_id), size=_PARTNERS_AT_ONCE):
        due = await note_goods(
            tx, shop_id=partners[0].shop_id, partner_ids=some, subject=about.subject, goods=goods,
            at=at,
        )  # fmt: skip
        objects = [
            (str(each.partner_id), f"{about.label} {each.id}", {"id": each.id})
            for each in due
            if _may_hear(by_id[each.partner_id], about, each)
        ]
        if objects:
            await queue_deliveries(
                tx, shop_id=partners[0].shop_id, kind=about.kind, objects=objects,
                delay_s=DELAY_S, now=now,
            )  # fmt: skip


def _hears(partner: Partner, about: _About) -> bool:
    return bool(partner.settings.get(about.create_url) or partner.settings.get(about.update_url))


def _may_hear(partner: Partner, about: _About, due: Due) -> bool:
    """Who has no address for updates is told of no goods that it knows."""
    return not due.is_known or bool(partner.settings.get(about.update_url))


def _groups(partners: Sequence[Partner]) -> list[list[Partner]]:
    """Partners who see the same goods at the same prices."""
    groups: dict[Hashable, list[Partner]] = {}
    for partner in partners:
        groups.setdefault(offer_key(partner), []).append(partner)
    return list(groups.values())


def _by_itself(row: ProductRow) -> ProductRow:
    """The product and its Skus whether or not their merchant sells."""
    record = row.record
    variants = tuple(
        msgspec.structs.replace(each, enabled=each.own_enabled) for each in record.variants
    )
    own: AssortedProduct = msgspec.structs.replace(
        record, enabled=record.own_enabled, variants=variants
    )
    return product_row(own)


def _digest(body: Mapping[str, Any]) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(body), digest_size=_DIGEST_BYTES).digest()
