"""Serials of a product, or of one of its variants: shown, added, removed, claimed (spec sections 10, 13)."""

from collections.abc import Callable
from typing import Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.paging import page_list
from crossdock.channels.shoppex_reseller.product_fields import (
    CLAIM_SENT,
    REMOVAL_SENT,
    SERIALS_SENT,
    serials_of,
)
from crossdock.channels.shoppex_reseller.products import ONE, READ, WRITE, read_product
from crossdock.channels.shoppex_reseller.routes import Route
from crossdock.channels.shoppex_reseller.wire import Reply, iso, one
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.crypto import SecretBox
from crossdock.shop.catalogue import OwnedProduct, OwnedVariant, serial_pool
from crossdock.shop.stock import (
    CLAIM_MAX,
    PooledSerial,
    add_serials,
    claim_serials,
    count_pooled,
    list_pooled,
    remove_serials,
)

VARIANT: Final = "variantId"
REMOVED_MAX: Final = 10_000


class ShownSerial(msgspec.Struct, frozen=True, kw_only=True):
    """An unsold serial."""

    id: str
    serial: str
    variant_id: str | None
    variant_title: str | None
    created_at: str | None


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """How many were added."""

    added_count: int


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """How many were removed."""

    removed_count: int


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """The serials that were taken out, the oldest ones."""

    claimed_count: int
    remaining_stock: int
    serials: list[str]


class Serials:
    """The calls of serials; the paths of a product and of a variant have the same handlers."""

    def __init__(self, box: Callable[[], SecretBox]) -> None:
        self._box = box

    def routes(self) -> tuple[Route, ...]:
        """The routes of this file."""
        found = []
        for path, what, suffix in (
            (f"{ONE}/serials", "a product", ""),
            (f"{ONE}/variants/{{{VARIANT}}}/serials", "a variant", "Variant"),
        ):
            found += [
                Route(method="GET", covers="merchants",
                      path=path, name=f"list{suffix}Serials",
                      summary=f"List the unsold serials of {what}", scope=READ, reads=self._list,
                      answer=ShownSerial, listed="page"),
                Route(method="POST", covers="merchants",
                      path=path, name=f"add{suffix}Serials",
                      summary=f"Add serials to {what}", scope=WRITE, writes=self._add, status=201,
                      answer=Added, body=SERIALS_SENT, required=("serials",)),
                Route(method="DELETE", covers="merchants",
                      path=path, name=f"remove{suffix}Serials",
                      summary=f"Remove unsold serials of {what}", scope=WRITE, writes=_remove,
                      answer=Removed, body=REMOVAL_SENT, required=("serial_ids",)),
            ]  # fmt: skip
        claim = Route(method="POST", covers="merchants",
                      path=f"{ONE}/serials/claim", name="claimSerials",
                      summary="Take serials out", scope=WRITE, writes=self._claim, answer=Claimed,
                      body=CLAIM_SENT, required=("amount",))  # fmt: skip
        return (*found, claim)

    async def _list(self, call: Call, tx: Transaction) -> Reply:
        asked = call.numbered()
        product, pool = await _pool(call, tx)
        total = await count_pooled(tx, shop_id=call.shop_id, variant_id=pool.id)
        found = await list_pooled(
            tx, shop_id=call.shop_id, variant_id=pool.id, limit=asked.limit,
            offset=asked.offset, box=self._box(),
        )  # fmt: skip
        shown = [_shown(call, product, pool, each) for each in found]
        return page_list(shown, asked=asked, total=total)

    async def _add(self, call: Call, tx: Transaction) -> Reply:
        fields = call.fields()
        serials = serials_of(fields, required=True)
        skips_known = fields.flag("remove_duplicates") or False
        fields.check()
        _, pool = await _pool(call, tx)
        added = await add_serials(
            tx, shop_id=call.shop_id, variant_id=pool.id, serials=serials or [],
            box=self._box(), now=call.now, skips_known=skips_known,
        )  # fmt: skip
        return one(Added(added_count=added), status=201)

    async def _claim(self, call: Call, tx: Transaction) -> Reply:
        fields = call.fields()
        amount = fields.whole("amount", least=1, most=CLAIM_MAX, required=True)
        fields.check()
        _, pool = await _pool(call, tx)
        claimed = await claim_serials(
            tx, shop_id=call.shop_id, variant_id=pool.id, quantity=amount or 0,
            box=self._box(), now=call.now,
        )  # fmt: skip
        left = await count_pooled(tx, shop_id=call.shop_id, variant_id=pool.id)
        return one(
            Claimed(
                claimed_count=len(claimed),
                remaining_stock=left,
                serials=[each.serial for each in claimed],
            )
        )


async def _remove(call: Call, tx: Transaction) -> Reply:
    fields = call.fields()
    texts = fields.texts("serial_ids", most=REMOVED_MAX, required=True)
    fields.check()
    _, pool = await _pool(call, tx)
    wanted = [call.ids.find(Kind.SERIAL, text) for text in texts or []]
    removed = await remove_serials(
        tx,
        shop_id=call.shop_id,
        variant_id=pool.id,
        serial_ids=[each for each in wanted if each is not None],
        now=call.now,
    )
    return one(Removed(removed_count=removed))


async def _pool(call: Call, tx: Transaction) -> tuple[OwnedProduct, OwnedVariant]:
    """The product of the path, and the variant whose serials are meant."""
    product = await read_product(call, tx)
    variant_id = call.number(Kind.VARIANT, VARIANT) if VARIANT in call.path else None
    return product, serial_pool(product, variant_id=variant_id)


def _shown(
    call: Call, product: OwnedProduct, pool: OwnedVariant, serial: PooledSerial
) -> ShownSerial:
    is_named = product.has_variants
    return ShownSerial(
        id=call.ids.write(Kind.SERIAL, serial.id),
        serial=serial.serial,
        variant_id=call.ids.write(Kind.VARIANT, pool.id) if is_named else None,
        variant_title=pool.name if is_named else None,
        created_at=iso(serial.added_at),
    )
