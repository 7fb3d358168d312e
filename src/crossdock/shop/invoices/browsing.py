"""What a shop asks money for, in one list: orders and invoices, the newest first."""

from collections.abc import Sequence

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.invoices.model import Invoice, InvoiceState, Purpose, read_invoices
from crossdock.shop.orders import OrderView, read_orders

BillPlace = tuple[int, int]
"""Where a page ends: the ids of the oldest order and the oldest invoice on it and before it."""
NEWEST: BillPlace = (2**63 - 1, 2**63 - 1)
Bill = OrderView | Invoice


class BillFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which bills are wanted; None is all. Order states are (payment, fulfilment).

    `merchant_ids`: orders of these merchants' goods alone, and no invoices, which are the shop's.
    """

    merchant_ids: tuple[int, ...] | None = None
    order_states: tuple[tuple[str, str], ...] | None = None
    invoice_states: tuple[InvoiceState, ...] | None = None
    purposes: tuple[Purpose, ...] | None = None
    orders: bool = True
    email: str | None = None


async def browse_bills(
    tx: Transaction,
    *,
    shop_id: int,
    filters: BillFilters,
    size: int,
    after: BillPlace = NEWEST,
) -> list[Bill]:
    """Orders with their lines and invoices, made before those of `after`; one more than `size` if there are more.

    Ids grow with time, so that both kinds are walked by them.
    """
    rows = await tx.all(_PAGE if filters.email is None else _PAGE_OF_EMAIL, _values(filters) | {
        "shop": shop_id, "order_id": after[0], "invoice_id": after[1], "size": size + 1,
    })  # fmt: skip
    order_ids = [number for is_order, number in rows if is_order]
    invoice_ids = [number for is_order, number in rows if not is_order]
    orders = {}
    if order_ids:
        found = await read_orders(
            tx, shop_id=shop_id, order_ids=order_ids, sections=("lines", "has_variants")
        )
        orders = {order.id: order for order in found}
    invoices = {}
    if invoice_ids:
        invoices = await read_invoices(tx, shop_id=shop_id, invoice_ids=invoice_ids)
    return [orders[number] if is_order else invoices[number] for is_order, number in rows]


def place_after(page: Sequence[Bill], *, after: BillPlace = NEWEST) -> BillPlace:
    """Where the page ends that began at `after`."""
    orders = [bill.id for bill in page if isinstance(bill, OrderView)]
    invoices = [bill.id for bill in page if isinstance(bill, Invoice)]
    return min([after[0], *orders]), min([after[1], *invoices])


def _values(filters: BillFilters) -> dict[str, object]:
    states = filters.order_states
    merchants = filters.merchant_ids
    return {
        "merchants": None if merchants is None else list(merchants),
        "payments": None if states is None else [payment for payment, _ in states],
        "fulfilments": None if states is None else [fulfilment for _, fulfilment in states],
        "states": None if filters.invoice_states is None else list(filters.invoice_states),
        "purposes": None if filters.purposes is None else list(filters.purposes),
        "orders": filters.orders,
        "email": filters.email,
    }


_BILLS = """
    select b.is_order, b.id from (
        (select true as is_order, o.id, o.placed_at as made_at from orders o
         where %(orders)s and o.shop_id = %(shop)s and o.id < %(order_id)s
           and (%(payments)s::text[] is null or (o.payment_state, o.fulfilment_state) in (
               select * from unnest(%(payments)s::text[], %(fulfilments)s::text[])))
           {orders_of}
           and (%(merchants)s::bigint[] is null or not exists (
               select 1 from order_parts p where p.shop_id = o.shop_id and p.order_id = o.id
                 and not sees_merchant(%(merchants)s::bigint[], p.merchant_id)))
         order by o.id desc limit %(size)s)
        union all
        (select false, i.id, i.created_at from invoices i
         where i.shop_id = %(shop)s and i.id < %(invoice_id)s and %(merchants)s::bigint[] is null
           and (%(states)s::text[] is null or i.state = any(%(states)s))
           and (%(purposes)s::text[] is null or i.purpose = any(%(purposes)s))
           {invoices_of}
         order by i.id desc limit %(size)s)
    ) b
    order by b.made_at desc, b.is_order, b.id desc limit %(size)s
"""
_PAGE = _BILLS.format(orders_of="", invoices_of="")
# A statement of its own: one for both cases has one plan for both, and that reads every order. The conditions of the
# indexes stand here as there, which the planner compares as texts.
_PAGE_OF_EMAIL = _BILLS.format(
    orders_of="""and o.id in (
               select b.id from orders b
               where b.shop_id = %(shop)s and b.billing ->> 'email' <> '' and lower(b.billing ->> 'email') = %(email)s
               union all
               select b.id from customers c join orders b on b.shop_id = c.shop_id and b.customer_id = c.id
               where c.shop_id = %(shop)s and lower(c.email) = %(email)s and c.deleted_at is null
                 and coalesce(b.billing ->> 'email', '') = '')""",
    invoices_of="and lower(i.email) = %(email)s",
)
