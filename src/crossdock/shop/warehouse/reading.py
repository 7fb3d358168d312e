"""Read an order with the work that was done on it, as channels and staff look at it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.crypto import SecretBox
from crossdock.shop.customers import Address
from crossdock.shop.warehouse.entering import LineDetails, OrderDetails
from crossdock.shop.warehouse.serials import read_serials


class WorkLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line and how far it has come; `serials` are read only where a box is given."""

    line_no: int
    variant_id: int
    sku: str
    name: str
    quantity: int
    picked: int
    shipped: int
    returned: int
    details: LineDetails
    serials: tuple[str, ...] = ()


class WorkPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package of the order: packed, shipped, delivered or cancelled."""

    id: int
    state: str
    carrier: str
    service: str
    tracking_number: str
    tracking_url: str
    weight_g: int
    packed_at: datetime
    shipped_at: datetime | None
    lines: dict[int, int]


class WorkOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order with its lines by number and its packages, the oldest first.

    `shipped_at` is when the last package left, None before. `billing` is what the order carries;
    `details.has_billing` says whether the caller gave one of its own.
    """

    id: int
    partner_id: int
    partner_order_id: str
    state: str
    placed_at: datetime
    updated_at: datetime
    billing: Address
    shipping: Address
    comment: str
    details: OrderDetails
    customer_id: int | None
    parent_id: int | None
    lines: tuple[WorkLine, ...]
    packages: tuple[WorkPackage, ...]
    shipped_at: datetime | None


async def read_work_order(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int | None = None,
    partner_order_id: str | None = None,
    partner_id: int | None = None,
    box: SecretBox | None = None,
) -> WorkOrder:
    """The order of our number or of the partner's own; one query, and one more for serials with `box`.

    Give `partner_id` wherever the caller is a partner: a partner's own number means nothing without
    it. Raises NotFound `order_not_found` for unknown orders and those of other shops and partners.
    """
    if order_id is None and (partner_order_id is None or partner_id is None):
        raise NotFound("order_not_found")
    row = await tx.one(
        _ORDER,
        {
            "shop": shop_id,
            "order": order_id,
            "number": partner_order_id,
            "partner": partner_id,
        },
    )
    if row is None:
        raise NotFound("order_not_found")
    values = dict(zip(WorkOrder.__struct_fields__, row, strict=True))
    if box is not None:
        found = await read_serials(tx, shop_id=shop_id, order_id=values["id"], box=box)
        for line in values["lines"]:
            line["serials"] = found.get(line["line_no"], ())
    return _work_order(values)


def _work_order(values: Mapping[str, Any]) -> WorkOrder:
    return msgspec.convert(
        {**values, "packages": values["packages"] or (), "lines": values["lines"] or ()},
        WorkOrder,
        str_keys=True,
    )


_ORDER = """
    select o.id, o.partner_id, o.partner_order_id, o.state, o.placed_at, o.updated_at, o.billing, o.shipping,
           o.comments, o.details, o.customer_id, (o.details ->> 'parent_id')::bigint,
           (select jsonb_agg(jsonb_build_object(
                'line_no', l.line_no, 'variant_id', l.variant_id, 'sku', l.sku, 'name', l.name,
                'quantity', l.quantity, 'picked', l.picked, 'shipped', l.shipped, 'returned', l.returned,
                'details', l.details) order by l.line_no)
            from order_lines l where l.shop_id = o.shop_id and l.order_id = o.id),
           p.packages, p.shipped_at
    from orders o
    left join lateral (
        select jsonb_agg(jsonb_build_object(
                   'id', k.id, 'state', k.state, 'carrier', k.carrier, 'service', k.service,
                   'tracking_number', k.tracking_number, 'tracking_url', k.tracking_url,
                   'weight_g', k.weight_g, 'packed_at', k.packed_at, 'shipped_at', k.shipped_at,
                   'lines', coalesce((select jsonb_object_agg(kl.line_no, kl.quantity) from package_lines kl
                            where kl.shop_id = k.shop_id and kl.package_id = k.id), '{}'))
                   order by k.id) as packages,
               max(k.shipped_at) as shipped_at
        from packages k where k.shop_id = o.shop_id and k.order_id = o.id
    ) p on true
    where o.shop_id = %(shop)s
      and (%(partner)s::bigint is null or o.partner_id = %(partner)s)
      and (%(order)s::bigint is null or o.id = %(order)s)
      and (%(number)s::text is null or o.partner_order_id = %(number)s)
"""
