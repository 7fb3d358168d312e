"""Customers as their shop's back office keeps them: in pages, with what they owe, and how they are deleted."""

from datetime import datetime
from typing import Any, Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound, Refused
from crossdock.kit.paging import PlacePage
from crossdock.shop.customers.addresses import Address
from crossdock.shop.customers.managing import Customer, add_customer, find_customer


class KeptCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer; `balance_minor` is below zero by what it owes for orders that are not paid yet."""

    id: int
    email: str
    active: bool
    billing: Address
    shipping: Address
    created_at: datetime
    balance_minor: int


async def list_kept_customers(
    tx: Transaction, *, shop_id: int, page: PlacePage, email: str = ""
) -> list[KeptCustomer]:
    """A page of the shop's customers, the newest first, one more than its size; with `email` that one alone."""
    values = {**page.bounds(), "shop": shop_id, "email": email.strip().lower()}
    rows = await tx.all(_LIST_OF_EMAIL if values["email"] else _LIST, values)
    return [_customer(row) for row in rows]


async def read_kept_customer(tx: Transaction, *, shop_id: int, customer_id: int) -> KeptCustomer:
    """One customer of the shop. Raises NotFound `not_found`."""
    row = await tx.one(f"{_SELECT} and c.id = %(id)s", {"shop": shop_id, "id": customer_id})
    if row is None:
        raise NotFound("not_found", "There is no such customer.")
    return _customer(row)


async def customer_of_email(tx: Transaction, *, shop_id: int, email: str) -> Customer:
    """The customer with this e-mail address, added where there is none. Raises Invalid `invalid_input`."""
    address = Address(email=email.strip())
    found = await find_customer(tx, shop_id=shop_id, who=address.email)
    if found is not None:
        return found
    try:
        customer_id = await add_customer(
            tx, shop_id=shop_id, email=address.email, billing=address, shipping=Address()
        )
    except Conflict:  # somebody else has added it meanwhile
        found = await find_customer(tx, shop_id=shop_id, who=address.email)
        assert found is not None
        return found
    return Customer(
        id=customer_id,
        email=address.email.lower(),
        active=True,
        billing=address,
        shipping=Address(),
        sales_rep_id=None,
    )


async def remove_customer(
    tx: Transaction, *, shop_id: int, customer_id: int, now: datetime
) -> None:
    """Delete a customer: it is found no more, and its e-mail address is free.

    Its number stays, for the orders and accounts that name it; name, addresses and e-mail are erased. Orders keep
    the addresses that they were placed with. Raises NotFound `not_found`, and Refused `order_state` for one that a
    partner orders for.
    """
    is_used = await tx.value(_LOCK, {"shop": shop_id, "id": customer_id})
    if is_used is None:
        raise NotFound("not_found", "There is no such customer.")
    if is_used:
        raise Refused("order_state", "A partner orders for this customer.")
    await tx.run(_ERASE, (now, shop_id, customer_id))


def _customer(row: tuple[Any, ...]) -> KeptCustomer:
    values = dict(zip(KeptCustomer.__struct_fields__, row, strict=True))
    for name in ("billing", "shipping"):
        values[name] = msgspec.convert(values[name], Address)
    return KeptCustomer(**values)


_SELECT: Final = """
    select c.id, c.email, c.active, jsonb_strip_nulls(c.billing), jsonb_strip_nulls(c.shipping), c.created_at,
           coalesce((select a.balance_minor from accounts a
                     where a.shop_id = c.shop_id and a.kind = 'receivable' and a.owner = 'customer:' || c.id
                       and a.currency = s.currency), 0)
    from customers c join shops s on s.id = c.shop_id
    where c.shop_id = %(shop)s and c.deleted_at is null
"""
_PAGE: Final = f"""{_SELECT}
      and (c.created_at, c.id) < (%(after_time)s::timestamptz, %(after_id)s)
      and (c.created_at, c.id) > (%(before_time)s::timestamptz, %(before_id)s)
"""
_ORDER: Final = "order by c.created_at desc, c.id desc limit %(size)s"
_LIST: Final = f"{_PAGE} {_ORDER}"
# A statement of its own: one for both cases has one plan for both, and that reads every customer.
_LIST_OF_EMAIL: Final = f"{_PAGE} and lower(c.email) = %(email)s {_ORDER}"
_LOCK: Final = """
    select exists (select 1 from partners p where p.shop_id = c.shop_id and p.customer_id = c.id)
    from customers c where c.shop_id = %(shop)s and c.id = %(id)s and c.deleted_at is null for update of c
"""
_ERASE: Final = """
    update customers
    set deleted_at = %s, active = false, email = '', first_name = '', last_name = '', company = '',
        billing = '{}', shipping = '{}'
    where shop_id = %s and id = %s
"""
