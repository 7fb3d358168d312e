"""Correct where an order goes, until something of it has left."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, Refused
from crossdock.kit.countries import read_country
from crossdock.kit.email import is_email
from crossdock.kit.texts import visible
from crossdock.shop.customers import Address, missing_fields
from crossdock.shop.deliveries import who_has
from crossdock.shop.events import OrderAddressChanged, write_event
from crossdock.shop.orders.moving import lock_order, touch_order

ADDRESS_FIELDS = tuple(name for name in Address.__struct_fields__ if name != "vat")
TEXT_MAX = 255
_NOT_SHIPPED = ("waiting_for_release", "reserved", "processing", "in_fulfilment")
_NAMES = {"first_name", "last_name"}
_STREET = ("street", "house_number", "box")


async def correct_address(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    changes: Mapping[str, str],
    now: datetime,
) -> tuple[Address, tuple[str, ...]]:
    """Change fields of the order's shipping address; returns the address and the names of the changed fields.

    Idempotent. Raises NotFound `order_not_found`, Refused `order_state` once a package is packed or shipped
    or an outside system has the order, Refused `shipping_incomplete` with the `fields` that post to the
    country needs, and Invalid `invalid_input` for an invalid country, e-mail address or text.
    """
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    if state not in _NOT_SHIPPED:
        raise Refused("order_state", f"The address of an order that is {state} cannot be changed.")
    target = await who_has(tx, shop_id=shop_id, kind="dispatch", subject_id=order_id)
    if target:
        raise Refused("order_state", f"The order is with {target}; correct the address there.")
    before = await _read_unpacked(tx, shop_id=shop_id, order_id=order_id)
    after = corrected(before, changes=changes)
    changed = tuple(
        name for name in ADDRESS_FIELDS if getattr(before, name) != getattr(after, name)
    )
    if not changed:
        return after, ()
    await tx.run(
        "update orders set shipping = %s where shop_id = %s and id = %s",
        (Jsonb(msgspec.to_builtins(after)), shop_id, order_id),
    )
    await touch_order(tx, shop_id=shop_id, order_id=order_id, now=now)
    event = OrderAddressChanged(fields=list(changed))
    await write_event(tx, shop_id=shop_id, event=event, subject_id=order_id, now=now)
    return after, changed


async def _read_unpacked(tx: Transaction, *, shop_id: int, order_id: int) -> Address:
    """The address, if no package may be on its way to a carrier with it."""
    row = await tx.one(
        "select o.shipping, (select min(k.id) from packages k where k.shop_id = o.shop_id"
        " and k.order_id = o.id and k.state = 'packed') from orders o"
        " where o.shop_id = %s and o.id = %s",
        (shop_id, order_id),
    )
    assert row is not None  # its row is locked
    if row[1] is not None:
        message = f"Package {row[1]} is packed, and a carrier may know of it; unpack it first."
        raise Refused("order_state", message, {"package_id": row[1]})
    return msgspec.convert(row[0], Address)


def corrected(before: Address, *, changes: Mapping[str, str]) -> Address:
    """The address with the changes. Raises as `correct_address` does.

    `street`, `house_number` and `box` are joined in `address_1` and `address_2`: a change of a part joins
    them again, and a change of the joined lines empties the parts. Fields that the address lacked before may
    still be missing, unless the country changes: then only names may.
    """
    values = {name: _read(name, text) for name, text in changes.items()}
    if values.keys() & set(_STREET):
        parts = {name: values.get(name, getattr(before, name)) for name in _STREET}
        joined = f"{parts['street']} {parts['house_number']}".strip()
        second = parts["box"] if "box" in values or before.box else before.address_2
        values = {"address_1": joined, "address_2": second, **values}
    elif values.keys() & {"address_1", "address_2"}:
        values = {**dict.fromkeys(_STREET, ""), **values}
    after = msgspec.structs.replace(before, **values)
    may_lack = set(missing_fields(before, contact=False))
    if after.country != before.country:
        may_lack &= _NAMES
    lacking = [name for name in missing_fields(after, contact=False) if name not in may_lack]
    if lacking:
        message = f"The address would lack {', '.join(lacking)}."
        raise Refused("shipping_incomplete", message, {"fields": lacking})
    return after


def _read(name: str, text: str) -> str:
    if name not in ADDRESS_FIELDS:
        raise Invalid("invalid_input", f"An address has no {name!r}.", {"field": name})
    text = visible(text)
    if name == "country":
        return read_country(text)
    if len(text) > TEXT_MAX or not text.isprintable():
        message = f"{name} is at most {TEXT_MAX} characters that can be printed."
        raise Invalid("invalid_input", message, {"field": name})
    if name == "email" and text and not is_email(text):
        raise Invalid("invalid_input", f"{text!r} is no e-mail address.", {"field": name})
    return text
