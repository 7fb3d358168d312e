"""`/dev/v1/customers`: who buys of the merchant's shop (spec section 13)."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.fields import Fields, first_given
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.openapi import FLAG, TEXT
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.routes import DEV, Route
from crossdock.channels.shoppex_reseller.wire import NO_CONTENT, Reply, number, one, seconds
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.countries import find_country, no_country
from crossdock.kit.paging import Place
from crossdock.shop.customers import (
    Address,
    CustomerChange,
    KeptCustomer,
    add_customer,
    list_kept_customers,
    read_kept_customer,
    remove_customer,
    set_customer,
)

PATH: Final = f"{DEV}/customers"
ONE: Final = f"{PATH}/{{id}}"
READ, WRITE = "customers.read", "customers.write"
TEXT_MAX: Final = 255
_OF_BILLING: Final = {
    "name": "first_name",
    "surname": "last_name",
    "company": "company",
    "phone": "phone",
    "street_address": "address_1",
    "additional_address_info": "address_2",
    "city": "city",
    "state": "state",
    "postal_code": "postcode",
    "country_code": "country",
}
"""The fields of a customer, and those of its billing address that they are."""
_ALIASES: Final = (("name", "first_name"), ("surname", "last_name"), ("country_code", "country"))
SENT: Final[dict[str, dict[str, Any]]] = {
    "email": {"type": "string", "format": "email"},
    **{name: {"type": ["string", "null"], "maxLength": TEXT_MAX} for name in _OF_BILLING},
    "active": FLAG,
}


class ShownCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer; `customer_balance` is below zero by what it owes for orders that are not paid yet.

    No order is taken down for one that is not `active`.
    """

    id: str
    uniqid: str
    shop_id: str
    email: str
    name: str | None
    surname: str | None
    company: str | None
    phone: str | None
    street_address: str | None
    additional_address_info: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country_code: str | None
    active: bool
    customer_balance: Decimal | None
    currency: str
    created_at: int | None


def routes() -> tuple[Route, ...]:
    """The routes of this file."""
    customer: dict[str, Any] = {"answer": ShownCustomer}
    return (
        Route(method="GET", covers="shop",
              path=PATH, name="listCustomers", summary="List customers", scope=READ,
              reads=_list, listed="cursor", query={"email": TEXT}, **customer),
        Route(method="POST", covers="shop",
              path=PATH, name="createCustomer", summary="Add a customer", scope=WRITE,
              writes=_create, status=201, body=SENT, required=("email",), **customer),
        Route(method="GET", covers="shop",
              path=ONE, name="getCustomer", summary="Read a customer", scope=READ,
              reads=_read, **customer),
        Route(method="PATCH", covers="shop",
              path=ONE, name="updateCustomer", summary="Change a customer",
              scope=WRITE, writes=_update, body=SENT, **customer),
        Route(method="DELETE", covers="shop",
              path=ONE, name="deleteCustomer", summary="Delete a customer",
              scope=WRITE, writes=_delete, status=204),
    )  # fmt: skip


async def _list(call: Call, tx: Transaction) -> Reply:
    filters = call.filters()
    email = filters.text("email", longest=TEXT_MAX)
    filters.check()
    page = call.place_page(Kind.CUSTOMER)
    found = await list_kept_customers(tx, shop_id=call.shop_id, page=page, email=email or "")
    return cursor_list(
        found,
        page=page,
        kind=Kind.CUSTOMER,
        ids=call.ids,
        place=_place,
        show=lambda customer: _shown(call, customer),
    )


async def _read(call: Call, tx: Transaction) -> Reply:
    return await _one(call, tx, call.number(Kind.CUSTOMER))


async def _create(call: Call, tx: Transaction) -> Reply:
    fields = _fields(call)
    email = fields.email("email", required=True)
    billing = _billing(fields)
    active = fields.flag("active", nullable=True)
    fields.check()
    customer_id = await add_customer(
        tx,
        shop_id=call.shop_id,
        email=email or "",
        billing=Address(email=email or "", **billing),
        shipping=Address(),
    )
    if active is False:
        await set_customer(
            tx,
            shop_id=call.shop_id,
            customer_id=customer_id,
            change=CustomerChange(active=False),
        )
    return await _one(call, tx, customer_id, status=201)


async def _update(call: Call, tx: Transaction) -> Reply:
    customer_id = call.number(Kind.CUSTOMER)
    fields = _fields(call)
    email = fields.email("email")
    billing = _billing(fields)
    active = fields.flag("active")
    fields.check()
    change = CustomerChange(
        email=msgspec.UNSET if email is None else email,
        active=msgspec.UNSET if active is None else active,
        billing=billing if email is None else {**billing, "email": email},
    )
    await set_customer(tx, shop_id=call.shop_id, customer_id=customer_id, change=change)
    return await _one(call, tx, customer_id)


async def _delete(call: Call, tx: Transaction) -> Reply:
    await remove_customer(
        tx, shop_id=call.shop_id, customer_id=call.number(Kind.CUSTOMER), now=call.now
    )
    return NO_CONTENT


async def _one(call: Call, tx: Transaction, customer_id: int, *, status: int = 200) -> Reply:
    found = await read_kept_customer(tx, shop_id=call.shop_id, customer_id=customer_id)
    return one(_shown(call, found), status=status)


def _fields(call: Call) -> Fields:
    return Fields(first_given(call.body, *_ALIASES))


def _billing(fields: Fields) -> dict[str, str]:
    """The fields of the billing address that are given; null empties one."""
    found = {
        kept: fields.text(name, nullable=True, longest=TEXT_MAX) or ""
        for name, kept in _OF_BILLING.items()
        if fields.given(name)
    }
    if found.get("country"):
        country = find_country(found["country"])
        if country is None:
            fields.refuse("country_code", no_country(found["country"]))
        else:
            found["country"] = country
    return found


def _shown(call: Call, customer: KeptCustomer) -> ShownCustomer:
    shown = call.ids.write(Kind.CUSTOMER, customer.id)
    address = {name: getattr(customer.billing, kept) or None for name, kept in _OF_BILLING.items()}
    return ShownCustomer(
        id=shown,
        uniqid=shown,
        shop_id=call.ids.write(Kind.SHOP, call.shop_id),
        email=customer.email,
        active=customer.active,
        customer_balance=number(customer.balance_minor, call.currency),
        currency=call.currency,
        created_at=seconds(customer.created_at),
        **address,
    )


def _place(customer: KeptCustomer) -> Place:
    return customer.created_at, customer.id
