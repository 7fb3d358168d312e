"""Pick by scanning: one unit of the line whose goods carry a code."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.shop.warehouse.picking import pick_lines

CODE_LENGTH_MAX = 200


async def pick_scanned(
    tx: Transaction, *, shop_id: int, order_id: int, code: str, now: datetime
) -> int:
    """Pick one unit of the line with this SKU, UPC or GTIN; returns the line's number.

    Leading zeros of a code of digits do not count: a scanner reads a UPC as the GTIN that it is. Of several lines
    with the code the first that has any left is picked. Raises as `pick_lines`, and Invalid `invalid_input` for a
    code that no line has, or whose lines are picked.
    """
    wanted = code.replace("\x00", "").strip()[:CODE_LENGTH_MAX]
    rows = await tx.all(_LINES, {"shop": shop_id, "order": order_id, "code": wanted})
    if not wanted or not rows:
        message = f"No line of this order has the code {wanted}." if wanted else "Scan a code."
        raise Invalid("invalid_input", message, {"field": "code"})
    line_no = next((line_no for line_no, left in rows if left > 0), None)
    if line_no is None:
        message = f"All of {wanted} is picked."
        raise Invalid("invalid_input", message, {"field": "code"})
    await pick_lines(tx, shop_id=shop_id, order_id=order_id, quantities={line_no: 1}, now=now)
    return int(line_no)


_LINES = """
    select l.line_no, l.quantity - l.cancelled - l.picked
    from order_lines l left join variants v on v.shop_id = l.shop_id and v.id = l.variant_id
    where l.shop_id = %(shop)s and l.order_id = %(order)s and not l.virtual and (
        lower(%(code)s) in (lower(l.sku), lower(v.merchant_sku))
        or %(code)s ~ '^[0-9]+$' and ltrim(%(code)s, '0') <> ''
           and ltrim(%(code)s, '0') in (ltrim(l.upc, '0'), ltrim(v.upc, '0'), ltrim(v.gtin14, '0')))
    order by l.line_no
"""
