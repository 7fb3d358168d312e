"""Take down what somebody buys of the shop itself, known by an e-mail address alone (spec shoppex_reseller 13).

The order awaits its payment and keeps its stock from others until then. No warehouse delivers it: see delivering.py.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.ids import Ids
from crossdock.shop.catalogue import OrderTerms, require_answers, require_in_bounds
from crossdock.shop.customers import Customer, customer_of_email
from crossdock.shop.orders.awaiting import read_awaiting_context
from crossdock.shop.orders.draft import DraftLine, OrderDraft, Placed, Snapshot
from crossdock.shop.orders.model import OrderContext, OrderItem, OrderRequest, snapshot_of
from crossdock.shop.orders.moving import move_order
from crossdock.shop.orders.placing import place
from crossdock.shop.orders.rules import (
    Asked,
    Rule,
    all_enabled,
    amount_is_in_range,
    customer_is_active,
    origin_rule,
    take_of,
    variants_are_known,
)
from crossdock.shop.partners import Partner
from crossdock.shop.pricing import Discountable, apply_code

_RULES: Final[tuple[Rule, ...]] = (
    customer_is_active,
    variants_are_known,
    all_enabled,
    origin_rule,
    amount_is_in_range,
)


class BoughtItem(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of a product; `variant_id` names its variant, None for a product that is sold as one thing.

    `note` is what the buyer wants to be seen to.
    """

    product_id: int
    quantity: int
    variant_id: int | None = None
    note: str = ""


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody buys, with a coupon by code where one is named; `channel_data` is opaque to the core.

    `custom_fields` is what the buyer filled in, by name; the channel keeps it.
    """

    email: str
    items: tuple[BoughtItem, ...]
    source: str
    pay_within_s: int
    coupon_code: str = ""
    is_test: bool = False
    custom_fields: Mapping[str, Any] = {}
    channel_data: Any = {}


async def place_purchase(
    tx: Transaction,
    *,
    partner: Partner,
    purchase: Purchase,
    ids: Ids,
    own_requires_stock: bool,
    now: datetime,
) -> Placed:
    """Place the order for the customer with this e-mail address, who is added where there is none.

    It is paid at once if it costs nothing. Prices are the partner's, and so is what it may sell; backorders are
    none. Raises Invalid `invalid_input` with the `field` of an item whose product or variant is none, or that
    names no variant where there are several, or that is not filled in as its product asks; Refused
    `quantity_out_of_range`, `customer_inactive`, `variant_disabled`,
    `backorder_not_allowed`, `stock_limit_exceeded`, `order_amount_not_allowed` and `coupon_refused`. The
    transaction must then be rolled back.
    """
    items, by_serial = await _named(tx, partner=partner, purchase=purchase)
    customer = await customer_of_email(tx, shop_id=partner.shop_id, email=purchase.email)
    asked = await _asked(
        tx,
        partner=msgspec.structs.replace(partner, customer_id=customer.id, backorder=False),
        request=OrderRequest(partner_order_id="", items=items, source=purchase.source),
        own_requires_stock=own_requires_stock,
        now=now,
    )
    for rule in _RULES:
        rule(asked)
    lines = _lines(asked, purchase=purchase, by_serial=by_serial)
    draft = _draft(asked, lines, purchase=purchase, customer=customer, ids=ids, now=now)
    if purchase.coupon_code:
        draft = await _discounted(tx, draft=draft, code=purchase.coupon_code, now=now)
    placed = await place(tx, draft=draft, now=now)
    if not draft.total_minor:
        await move_order(
            tx, shop_id=partner.shop_id, order_id=placed.id, axis="payment", to="paid", now=now
        )
    return placed


async def _named(
    tx: Transaction, *, partner: Partner, purchase: Purchase
) -> tuple[tuple[OrderItem, ...], set[int]]:
    """The items by their variants, and which variants are sold by serials.

    Raises Invalid `invalid_input` with the `field` that names none, and as `_require_terms` does.
    """
    items = purchase.items
    values = {
        "shop": partner.shop_id,
        "products": sorted({item.product_id for item in items}),
        "merchants": partner.merchant_ids,
    }
    rows = await tx.all(_PRODUCTS, values)
    found = {product_id: (has_variants, ids) for product_id, has_variants, ids, *_ in rows}
    named = []
    for place_no, item in enumerate(items):
        has_variants, variant_ids = found.get(item.product_id, (False, []))
        if not variant_ids:
            raise _wrong(place_no, "product_id", "is not a product of this shop")
        if has_variants and item.variant_id is None:
            raise _wrong(place_no, "variant_id", "is required: this product has variants")
        if item.variant_id is not None and item.variant_id not in variant_ids:
            raise _wrong(place_no, "variant_id", "is not a variant of this product")
        variant_id = variant_ids[0] if item.variant_id is None else item.variant_id
        named.append(OrderItem(variant_id=variant_id, quantity=item.quantity))
    await _require_terms(tx, purchase=purchase, rows=[(row[0], *row[4:]) for row in rows])
    return tuple(named), {variant_id for row in rows for variant_id in row[3]}


async def _require_terms(
    tx: Transaction, *, purchase: Purchase, rows: Sequence[tuple[int, str, Any]]
) -> None:
    """What the products ask of an order: rows of (number, name, terms).

    Raises Refused `quantity_out_of_range`, Invalid `invalid_input` with the `field` that is not filled in right.
    """
    wanted: Counter[int] = Counter()
    for item in purchase.items:
        wanted[item.product_id] += item.quantity
    for product_id, name, told in rows:
        terms = msgspec.convert(told, OrderTerms)
        require_in_bounds(name, terms, quantity=wanted[product_id])
        await require_answers(tx, fields=terms.custom_fields, answers=purchase.custom_fields)


def _wrong(place_no: int, name: str, text: str) -> Invalid:
    return Invalid("invalid_input", text, {"field": f"items[{place_no}].{name}"})


async def _asked(
    tx: Transaction,
    *,
    partner: Partner,
    request: OrderRequest,
    own_requires_stock: bool,
    now: datetime,
) -> Asked:
    context: OrderContext = await read_awaiting_context(
        tx, partner=partner, request=request, request_hash=b"", now=now
    )
    return Asked(
        partner=partner, request=request, context=context, own_requires_stock=own_requires_stock
    )


def _draft(
    asked: Asked,
    lines: tuple[DraftLine, ...],
    *,
    purchase: Purchase,
    customer: Customer,
    ids: Ids,
    now: datetime,
) -> OrderDraft:
    partner = asked.partner
    buyer = msgspec.structs.replace(customer.billing, email=purchase.email)
    return OrderDraft(
        shop_id=partner.shop_id,
        channel=partner.channel,
        order_key=ids.order_key(),
        identity=None,  # the caller's own key makes it unique
        partner_id=partner.id,
        partner_order_id="",
        customer_id=customer.id,
        currency=partner.currency,
        billing=buyer,
        shipping=customer.shipping,
        source=purchase.source,
        is_test=purchase.is_test,
        channel_data=purchase.channel_data,
        state="waiting_for_release",
        release_policy="delivered",
        payment_state="awaiting",
        expires_at=now + timedelta(seconds=purchase.pay_within_s),
        routes={variant.merchant_id: variant.route for variant in asked.context.variants},
        lines=lines,
    )


def _lines(
    asked: Asked, *, purchase: Purchase, by_serial: Collection[int]
) -> tuple[DraftLine, ...]:
    """The lines; what is sold by serials takes stock even where the catalogue does not count it."""
    lines = []
    for item, bought in zip(asked.request.items, purchase.items, strict=True):
        variant = asked.variants[item.variant_id]
        take = take_of(variant.availability(), backorder=False)
        line = DraftLine(
            variant=snapshot_of(variant),
            name=variant.name,
            quantity=item.quantity,
            unit_price_minor=variant.price_minor,
            take="own_capped" if variant.id in by_serial else take,
            note=bought.note,
        )
        lines.append(line)
    return tuple(lines)


async def _discounted(
    tx: Transaction, *, draft: OrderDraft, code: str, now: datetime
) -> OrderDraft:
    """The draft with what the coupon takes off its lines. Raises Refused `coupon_refused`."""
    snapshots = [line.variant for line in draft.lines if isinstance(line.variant, Snapshot)]
    goods = [
        Discountable(
            product_id=variant.product_id,
            merchant_id=variant.merchant_id,
            goods_minor=line.unit_price_minor * line.quantity,
        )
        for variant, line in zip(snapshots, draft.lines, strict=True)
    ]
    applied = await apply_code(tx, shop_id=draft.shop_id, code=code, lines=goods, now=now)
    lines = (
        msgspec.structs.replace(line, discount_minor=discount)
        for line, discount in zip(draft.lines, applied.discounts, strict=True)
    )
    return msgspec.structs.replace(draft, lines=tuple(lines), coupon_ids=(applied.coupon_id,))


_PRODUCTS: Final = """
    select p.id, has_variants(p), array(
        select v.id from variants v
        where v.shop_id = p.shop_id and v.product_id = p.id and v.enabled order by v.position, v.id), array(
        select v.id from variants v
        where v.shop_id = p.shop_id and v.product_id = p.id and v.enabled and exists (
            select 1 from serials s where s.shop_id = v.shop_id and s.variant_id = v.id)), p.name, order_terms(p)
    from products p
    where p.shop_id = %(shop)s and p.id = any(%(products)s::bigint[])
      and sees_merchant(%(merchants)s::bigint[], p.merchant_id)
"""
