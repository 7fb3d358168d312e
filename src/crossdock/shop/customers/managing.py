"""Add, list and change customers: the buyers that partners' orders are for."""

from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.countries import read_country
from crossdock.kit.email import is_email
from crossdock.kit.numbers import read_number
from crossdock.shop.customers.addresses import Address, missing_fields
from crossdock.shop.customers.vat import check_vat


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer; with `missing` fields or `active` false no order can be placed."""

    id: int
    email: str
    active: bool
    billing: Address
    shipping: Address
    sales_rep_id: int | None

    @property
    def missing(self) -> tuple[str, ...]:
        """The missing address fields, such as 'billing.city'."""
        billing = missing_fields(self.billing, contact=True)
        shipping = missing_fields(self.shipping, contact=False)
        return (*(f"billing.{name}" for name in billing), *(f"shipping.{n}" for n in shipping))


class CustomerChange(msgspec.Struct, frozen=True, kw_only=True):
    """The changes; address fields that are not named stay, UNSET keeps a column."""

    email: str | msgspec.UnsetType = msgspec.UNSET
    active: bool | msgspec.UnsetType = msgspec.UNSET
    sales_rep_id: int | msgspec.UnsetType | None = msgspec.UNSET
    billing: dict[str, str] = {}
    shipping: dict[str, str] = {}


async def add_customer(
    tx: Transaction, *, shop_id: int, email: str, billing: Address, shipping: Address
) -> int:
    """The new customer's id. Raises Conflict `exists` for an e-mail in use, Invalid `invalid_input`."""
    _check_email(email)
    billing, shipping = (_with_country(address) for address in (billing, shipping))
    for address in (billing, shipping):
        check_vat(address.vat, country=address.country)
    customer_id = await tx.value(
        """insert into customers (shop_id, email, first_name, last_name, company, billing, shipping)
           values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing returning id""",
        (
            shop_id,
            email.strip().lower(),
            billing.first_name,
            billing.last_name,
            billing.company,
            _json(billing),
            _json(shipping),
        ),
    )
    if customer_id is None:
        raise _email_taken(email)
    return int(customer_id)


async def find_customer(tx: Transaction, *, shop_id: int, who: str) -> Customer | None:
    """The customer with this id or e-mail, or None."""
    column = "id = %s::bigint" if read_number(who) is not None else "lower(email) = lower(%s)"
    row = await tx.one(
        _SELECT + " and " + column,
        (shop_id, who.strip()),
    )
    return customer_from_row(row) if row else None


async def read_customer(tx: Transaction, *, shop_id: int, who: str) -> Customer:
    """`find_customer` that raises NotFound `not_found` instead."""
    found = await find_customer(tx, shop_id=shop_id, who=who)
    if found is None:
        raise NotFound("not_found", f"There is no customer {who!r} in this shop.")
    return found


async def list_customers(tx: Transaction, *, shop_id: int) -> list[Customer]:
    """The shop's customers by id."""
    return [customer_from_row(row) for row in await tx.all(_SELECT + " order by id", (shop_id,))]


async def set_customer(
    tx: Transaction, *, shop_id: int, customer_id: int, change: CustomerChange
) -> None:
    """Apply the changes. Raises NotFound `not_found`, Conflict `exists`, Invalid `invalid_input`."""
    columns: dict[str, Any] = {
        name: value
        for name in ("email", "active", "sales_rep_id")
        if (value := getattr(change, name)) is not msgspec.UNSET
    }
    if "email" in columns:
        _check_email(columns["email"])
        columns["email"] = columns["email"].strip().lower()
    billing, shipping = (_with_code(fields) for fields in (change.billing, change.shipping))
    for address in (billing, shipping):
        check_vat(address.get("vat", ""), country=address.get("country", ""))
    assignments = "".join(f", {name} = %({name})s" for name in columns)
    if "sales_rep_id" in columns:
        columns["sales_rep_source"] = None if columns["sales_rep_id"] is None else "stored"
        assignments += ", sales_rep_source = %(sales_rep_source)s"
    columns |= {"shop": shop_id, "id": customer_id}
    columns |= {"billing": Jsonb(billing), "shipping": Jsonb(shipping)}
    if not await _update(tx, assignments=assignments, columns=columns):
        raise NotFound("not_found", f"There is no customer {customer_id} in this shop.")


async def _update(tx: Transaction, *, assignments: str, columns: dict[str, Any]) -> int:
    statement = (
        "update customers set billing = billing || %(billing)s, shipping = shipping || %(shipping)s"
        + assignments
        + " where shop_id = %(shop)s and id = %(id)s and deleted_at is null"
    )
    try:
        return await tx.run(statement, columns)
    except psycopg.errors.UniqueViolation as error:
        raise _email_taken(columns["email"]) from error
    except psycopg.errors.ForeignKeyViolation as error:
        raise NotFound("not_found", f"There is no sales rep {columns['sales_rep_id']}.") from error


SELECT_CUSTOMER = "select id, email, active, billing, shipping, sales_rep_id from customers"
_SELECT = f"{SELECT_CUSTOMER} where shop_id = %s and deleted_at is null"


def customer_from_row(row: tuple[Any, ...]) -> Customer:
    """The customer in a row of SELECT_CUSTOMER."""
    return Customer(
        id=row[0],
        email=row[1],
        active=row[2],
        billing=msgspec.convert(row[3], Address),
        shipping=msgspec.convert(row[4], Address),
        sales_rep_id=row[5],
    )


def _json(address: Address) -> Jsonb:
    fields = msgspec.to_builtins(address)
    return Jsonb({name: value for name, value in fields.items() if value})


def _check_email(email: str) -> None:
    if not is_email(email.strip()):
        raise Invalid("invalid_input", f"{email!r} is not an e-mail address.", {"field": "email"})


def _with_country(address: Address) -> Address:
    """The address with its country's code in capitals, or without one as it was."""
    if not address.country:
        return address
    return msgspec.structs.replace(address, country=read_country(address.country))


def _with_code(fields: dict[str, str]) -> dict[str, str]:
    country = fields.get("country")
    return fields | {"country": read_country(country)} if country else fields


def _email_taken(email: str) -> Conflict:
    return Conflict("exists", f"There is a customer with the e-mail {email} already.")
