"""Read orders back."""

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.crypto import constant_time_equal
from crossdock.shop.customers import Address
from crossdock.shop.orders.model import Order, OrderLine

_NO_KEY = "wc_order_0000000000000"


async def read_order(tx: Transaction, *, order_id: int, shop_id: int | None = None) -> Order:
    """The order with its lines; give `shop_id` wherever the caller belongs to a shop.

    Raises NotFound `order_not_found` for an unknown id and for another shop's.
    """
    row = await tx.one(_ORDER, {"id": order_id, "shop": shop_id})
    if row is None:
        raise NotFound("order_not_found")
    billing, shipping = (msgspec.convert(value, Address) for value in row[12:14])
    lines = tuple(OrderLine(**line) for line in row[17])
    names = Order.__struct_fields__
    values = dict(zip(names[:12], row[:12], strict=True))
    return Order(
        **values,
        billing=billing,
        shipping=shipping,
        placed_at=row[14],
        source=row[15],
        shop_name=row[16],
        lines=lines,
    )


async def read_order_by_key(tx: Transaction, *, order_id: int, order_key: str) -> Order:
    """The order of an unguessable key, compared in constant time.

    A wrong key and an unknown order are the same NotFound `order_not_found`.
    """
    try:
        order = await read_order(tx, order_id=order_id)
    except NotFound:
        constant_time_equal(_NO_KEY, order_key)
        raise
    if not constant_time_equal(order.order_key, order_key):
        raise NotFound("order_not_found")
    return order


async def find_order_id(tx: Transaction, *, shop_id: int, number: str) -> int:
    """The order of this number, ours or a partner's; of several the newest.

    Raises NotFound `order_not_found`.
    """
    found = await tx.value(
        "select o.id from orders o join partners p on p.shop_id = o.shop_id and p.id = o.partner_id"
        " where p.shop_id = %(shop)s and o.partner_order_id = %(number)s"
        " union all select o.id from orders o where o.shop_id = %(shop)s and o.id = %(id)s"
        " order by 1 desc limit 1",
        {
            "shop": shop_id,
            "number": number,
            "id": int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0,
        },
    )
    if found is None:
        raise NotFound("order_not_found")
    return int(found)


_ORDER = """
    select o.shop_id, o.id, o.order_key, o.partner_order_id, o.state, o.currency, o.subtotal_minor, o.tax_minor,
           o.shipping_minor, o.discount_minor, o.total_minor, o.comments, o.billing, o.shipping, o.placed_at,
           o.source, s.name,
           (select jsonb_agg(jsonb_build_object(
                'line_no', l.line_no, 'variant_id', l.variant_id, 'name', l.name, 'sku', l.sku,
                'quantity', l.quantity, 'unit_price_minor', l.unit_price_minor, 'total_minor', l.total_minor,
                'image', l.image, 'note', l.note) order by l.line_no)
            from order_lines l where l.shop_id = o.shop_id and l.order_id = o.id)
    from orders o join shops s on s.id = o.shop_id
    where o.id = %(id)s and (%(shop)s::bigint is null or o.shop_id = %(shop)s)
"""
