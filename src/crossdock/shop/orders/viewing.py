"""The read model of an order, in sections, for every channel, page, label and connector."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.crypto import constant_time_equal
from crossdock.kit.numbers import read_number
from crossdock.shop.customers import Address
from crossdock.shop.orders.placing import STAFF_NAMESPACE, number_namespace

Section = Literal[
    "lines", "as_sold", "has_variants", "parts", "packages", "checkpoints", "returns", "timeline"
]
SECTIONS: frozenset[Section] = frozenset(get_args(Section))
_NO_KEY = "wc_order_0000000000000"


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it was sold, with its state and quantities. Amounts are minor units of the whole line.

    `id` is the line's own number in all orders; what is `virtual` is not shipped. `cancelled` is the quantity that will
    never be shipped. `refunded_minor` was given back for this line by name, with its shipping or without, for
    `refund_reason`; an amount that was refunded of the order as a whole is not in it. `has_variants`: the product is
    sold in several, so that `variant_id` tells which. It and `as_sold` are read with their sections.
    """

    id: int
    line_no: int
    variant_id: int
    product_id: int
    merchant_id: int
    state: str
    name: str
    sku: str
    upc: str
    image: str | None
    virtual: bool
    quantity: int
    unit_price_minor: int
    discount_minor: int
    tax_minor: int
    shipping_minor: int
    total_minor: int
    vat_bp: int
    note: str
    picked: int
    shipped: int
    returned: int
    cancelled: int
    refunded_minor: int
    shipping_refunded: bool
    refunded_at: datetime | None
    refund_reason: str
    channel_data: dict[str, Any]
    has_variants: bool = False
    as_sold: Any = None


class PartView(msgspec.Struct, frozen=True, kw_only=True):
    """One merchant's share of the order; `route` is its connector, or None."""

    merchant_id: int
    merchant: str
    state: str
    route: str | None
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    shipping_minor: int
    commission_minor: int
    total_minor: int


class CheckpointView(msgspec.Struct, frozen=True, kw_only=True):
    """What a carrier reported of a package; `code` is for programs, `message` for people."""

    code: str
    message: str
    place: str
    happened_at: datetime


class PackageView(msgspec.Struct, frozen=True, kw_only=True):
    """A package: packed, shipped, delivered or cancelled; `lines` has the quantity of each line.

    It was `tracked_at` when a carrier first reported it after it had left, `landed_at` when it reached the
    country of destination; none of these times is before the one ahead of it. `checkpoints`, the oldest
    first, are read with their section.
    """

    id: int
    state: str
    carrier: str
    service: str
    tracking_number: str
    tracking_url: str
    weight_g: int
    packed_at: datetime
    shipped_at: datetime | None
    tracked_at: datetime | None
    landed_at: datetime | None
    delivered_at: datetime | None
    checkpoints: tuple[CheckpointView, ...]
    lines: dict[int, int]


class ReturnView(msgspec.Struct, frozen=True, kw_only=True):
    """A return: announced, received or refused."""

    id: int
    state: str
    reason: str
    announced_at: datetime
    received_at: datetime | None
    lines: dict[int, int]


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the order; `sequence` is its number in the feed, None until it has one.

    `author` is the person who did it, '' where it was a partner's program or the server itself.
    """

    sequence: int | None
    kind: str
    payload: dict[str, Any]
    created_at: datetime
    author: str = ""


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order. Sections that were not requested are empty; lists are in order of creation.

    `provider` took the money, None before and where no payment did. `shipped_at` is when the last package left, None
    before, read with the packages.
    """

    shop_id: int
    shop_name: str
    id: int
    order_key: str
    channel: str
    partner_id: int | None
    partner_order_id: str
    customer_id: int | None
    parent_id: int | None
    fulfilment_state: str
    payment_state: str
    currency: str
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    shipping_minor: int
    total_minor: int
    billing: Address
    shipping: Address
    email: str
    language: str
    comments: str
    tax_id: str
    resale_tax: str
    sales_rep_id: int | None
    source: str
    release_policy: str
    is_test: bool
    channel_data: dict[str, Any]
    placed_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    paid_at: datetime | None
    release_at: datetime | None
    provider: str | None
    shipped_at: datetime | None
    lines: tuple[LineView, ...]
    parts: tuple[PartView, ...]
    packages: tuple[PackageView, ...]
    returns: tuple[ReturnView, ...]
    timeline: tuple[EventView, ...]


async def read_order(
    tx: Transaction,
    *,
    order_id: int | None = None,
    shop_id: int | None = None,
    partner_id: int | None = None,
    partner_order_id: str | None = None,
    sections: Sequence[Section] = ("lines",),
) -> OrderView:
    """The order with our number, or with the partner's own; one query.

    Pass `shop_id` if the caller belongs to a shop, and `partner_id` if it is a partner: a partner's
    own number is unique only together with it. Raises NotFound `order_not_found` for unknown
    orders and for those of other shops and partners.
    """
    if order_id is None:
        order_id = await _id_of_number(
            tx, shop_id=shop_id, partner_id=partner_id, number=partner_order_id
        )
    values = _wanted(sections) | {"id": order_id, "shop": shop_id, "partner": partner_id}
    row = await tx.one(_ORDER, values)
    if row is None:
        raise NotFound("order_not_found")
    return _view(dict(zip(OrderView.__struct_fields__, row, strict=True)))


async def read_orders(
    tx: Transaction, *, shop_id: int, order_ids: Sequence[int], sections: Sequence[Section]
) -> list[OrderView]:
    """These orders of the shop in this order, in one query; unknown ones are left out."""
    values = _wanted(sections) | {"ids": list(order_ids), "shop": shop_id}
    rows = await tx.all(_ORDERS, values)
    views = (_view(dict(zip(OrderView.__struct_fields__, row, strict=True))) for row in rows)
    found = {view.id: view for view in views}
    return [found[order_id] for order_id in order_ids if order_id in found]


def _wanted(sections: Sequence[Section]) -> dict[str, Any]:
    return {f"with_{name}": name in sections for name in SECTIONS}


async def read_order_by_key(
    tx: Transaction, *, order_id: int, order_key: str, sections: Sequence[Section] = ("lines",)
) -> OrderView:
    """The order with this unguessable key, compared in constant time.

    A wrong key and an unknown order are the same NotFound `order_not_found`.
    """
    try:
        order = await read_order(tx, order_id=order_id, sections=sections)
    except NotFound:
        constant_time_equal(_NO_KEY, order_key)
        raise
    if not constant_time_equal(order.order_key, order_key):
        raise NotFound("order_not_found")
    return order


async def find_order_id(tx: Transaction, *, shop_id: int, number: str) -> int:
    """The id of the order with this number (ours, a partner's or staff's); the newest if several have it.

    Raises NotFound `order_not_found`.
    """
    found = await tx.value(
        "select i.order_id from partners p join identities i"
        " on i.shop_id = p.shop_id and i.namespace = 'partner:' || p.id and i.key = %(number)s"
        " where p.shop_id = %(shop)s"
        " union all select i.order_id from identities i where i.shop_id = %(shop)s"
        " and i.namespace = %(staff)s and i.key = %(number)s"
        " union all select o.id from orders o where o.shop_id = %(shop)s and o.id = %(id)s"
        " order by 1 desc limit 1",
        {
            "shop": shop_id,
            "number": number,
            "staff": STAFF_NAMESPACE,
            "id": read_number(number) or 0,
        },
    )
    if found is None:
        raise NotFound("order_not_found")
    return int(found)


async def _id_of_number(
    tx: Transaction, *, shop_id: int | None, partner_id: int | None, number: str | None
) -> int:
    if shop_id is None or partner_id is None or number is None:
        raise NotFound("order_not_found")
    found = await tx.value(
        "select order_id from identities where shop_id = %s and namespace = %s and key = %s",
        (shop_id, number_namespace(partner_id), number),
    )
    if found is None:
        raise NotFound("order_not_found")
    return int(found)


def _view(values: Mapping[str, Any]) -> OrderView:
    lists = ("lines", "parts", "packages", "returns", "timeline")
    return msgspec.convert(
        {**values, **{name: values[name] or () for name in lists}}, OrderView, str_keys=True
    )


_SELECT = """
    select o.shop_id, s.name, o.id, o.order_key, o.channel, o.partner_id, o.partner_order_id, o.customer_id,
           o.parent_id, o.fulfilment_state, o.payment_state, o.currency, o.subtotal_minor, o.discount_minor,
           o.tax_minor, o.shipping_minor, o.total_minor, o.billing, o.shipping,
           coalesce(nullif(o.billing ->> 'email', ''), (
               select c.email from customers c where c.shop_id = o.shop_id and c.id = o.customer_id), ''),
           o.language, o.comments, o.tax_id, o.resale_tax, o.sales_rep_id, o.source, o.release_policy,
           o.is_test, o.channel_data,
           o.placed_at, o.updated_at, o.expires_at, o.paid_at, o.release_at,
           (select (array_agg(p.provider order by p.id desc))[1] from payments p
            where p.shop_id = o.shop_id and p.order_id = o.id and p.captured_minor > 0),
           case when %(with_packages)s then (
               select max(k.shipped_at) from packages k where k.shop_id = o.shop_id and k.order_id = o.id) end,
           case when %(with_lines)s then (
               select jsonb_agg(to_jsonb(l) - case when %(with_as_sold)s then '{shop_id,order_id,origin}'::text[]
                                    else '{shop_id,order_id,origin,as_sold}'::text[] end
                                || case when %(with_has_variants)s then jsonb_build_object('has_variants', coalesce((
                                    select has_variants(p) from products p
                                    where p.shop_id = l.shop_id and p.id = l.product_id), false)) else '{}' end
                                order by l.line_no)
               from order_lines l where l.shop_id = o.shop_id and l.order_id = o.id) end,
           case when %(with_parts)s then (
               select jsonb_agg(to_jsonb(p) || jsonb_build_object('merchant', m.name) order by p.merchant_id)
               from order_parts p join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
               where p.shop_id = o.shop_id and p.order_id = o.id) end,
           case when %(with_packages)s then (
               select jsonb_agg(jsonb_build_object(
                   'id', k.id, 'state', k.state, 'carrier', k.carrier, 'service', k.service,
                   'tracking_number', k.tracking_number, 'tracking_url', k.tracking_url,
                   'weight_g', k.weight_g, 'packed_at', k.packed_at, 'shipped_at', k.shipped_at,
                   'tracked_at', t.tracked_at, 'landed_at', t.landed_at,
                   'delivered_at', case when t.delivered_at is not null then greatest(t.landed_at, t.delivered_at) end,
                   'checkpoints', t.checkpoints,
                   'lines', coalesce((select jsonb_object_agg(kl.line_no, kl.quantity) from package_lines kl
                            where kl.shop_id = k.shop_id and kl.package_id = k.id), '{}')) order by k.id)
               from packages k cross join lateral (
                   select min(greatest(c.happened_at, k.shipped_at)) filter (where c.code <> 'booked') as tracked_at,
                          min(greatest(c.happened_at, k.shipped_at)) filter (where c.code = 'landed') as landed_at,
                          min(greatest(c.happened_at, k.shipped_at)) filter (where c.code = 'delivered')
                              as delivered_at,
                          coalesce(jsonb_agg(jsonb_build_object(
                              'code', c.code, 'message', c.message, 'place', c.place, 'happened_at', c.happened_at)
                              order by c.happened_at, c.id) filter (where %(with_checkpoints)s), '[]') as checkpoints
                   from checkpoints c where c.shop_id = k.shop_id and c.package_id = k.id
               ) t
               where k.shop_id = o.shop_id and k.order_id = o.id) end,
           case when %(with_returns)s then (
               select jsonb_agg(jsonb_build_object(
                   'id', r.id, 'state', r.state, 'reason', r.reason, 'announced_at', r.announced_at,
                   'received_at', r.received_at,
                   'lines', coalesce((select jsonb_object_agg(rl.line_no, rl.quantity) from order_return_lines rl
                            where rl.shop_id = r.shop_id and rl.return_id = r.id), '{}')) order by r.id)
               from order_returns r where r.shop_id = o.shop_id and r.order_id = o.id) end,
           case when %(with_timeline)s then (
               select jsonb_agg(jsonb_build_object('sequence', e.sequence, 'kind', e.kind, 'payload', e.payload,
                                                   'created_at', e.created_at,
                                                   'author', coalesce(e.author, '')) order by e.id)
               from events e where e.shop_id = o.shop_id and e.topic = 'orders' and e.subject_id = o.id
                 and e.kind <> 'inventory.moved') end
    from orders o join shops s on s.id = o.shop_id
"""
_ORDER = f"""
    {_SELECT}
    where o.id = %(id)s and (%(shop)s::bigint is null or o.shop_id = %(shop)s)
      and (%(partner)s::bigint is null or o.partner_id = %(partner)s)
"""
_ORDERS = f"""
    {_SELECT}
    where o.shop_id = %(shop)s and o.id = any(%(ids)s::bigint[])
"""
