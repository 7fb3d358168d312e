"""A packed package as a carrier's parcel."""

from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.shop.customers import Address
from crossdock.shop.warehouse.carriers import Parcel
from crossdock.shop.warehouse.shipping import Consignment


class PackedParcel(msgspec.Struct, frozen=True, kw_only=True):
    """A package as a parcel, with its consignment if it was shipped already, or announced with a number."""

    order_id: int
    state: str
    parcel: Parcel
    consignment: Consignment | None
    announced: Consignment | None


async def read_parcel(
    tx: Transaction, *, shop_id: int, package_id: int, service: str = ""
) -> PackedParcel:
    """The package's parcel; without a weight, the sum of its variants'. Raises NotFound `not_found`."""
    row = await tx.one(_PARCEL, (shop_id, package_id))
    if row is None:
        raise NotFound("not_found", "There is no such package.")
    order_id, state, reference, language, weight_g, receiver, sender, name, country = row[:9]
    parcel = Parcel(
        key=f"{shop_id}-{package_id}",
        sender=sender_address(sender, name=name, country=country),
        receiver=msgspec.convert(receiver, Address),
        reference=reference,
        service=service,
        weight_g=weight_g,
        language=language or "en",
    )
    is_gone = state in {"shipped", "delivered"}
    values = dict(zip(Consignment.__struct_fields__, row[9:], strict=True))
    given = Consignment(**values) if values["tracking_number"] else None
    return PackedParcel(
        order_id=order_id,
        state=state,
        parcel=parcel,
        consignment=Consignment(**values) if is_gone else None,
        announced=None if is_gone else given,
    )


async def read_label(tx: Transaction, *, shop_id: int, package_id: int, kind: str) -> bytes:
    """The label of a shipped package, of the kind '.pdf' or '.zpl'. Raises NotFound `not_found` if there is none."""
    packed = await read_parcel(tx, shop_id=shop_id, package_id=package_id)
    given = packed.consignment
    if given is not None and kind == ".pdf" and given.label_pdf:
        return bytes(given.label_pdf)
    if given is not None and kind == ".zpl" and given.label_zpl:
        return given.label_zpl.encode()
    raise NotFound("not_found", f"Package {package_id} has no such label.")


async def read_planned_parcel(
    tx: Transaction, *, shop_id: int, order_id: int, service: str = ""
) -> Parcel:
    """A parcel as the order would be sent in, before anything is packed; its weight is not known.

    Raises NotFound `not_found`.
    """
    row = await tx.one(_PLANNED, (shop_id, order_id))
    if row is None:
        raise NotFound("not_found", f"There is no order {order_id}.")
    reference, language, receiver, sender, name, country = row
    return Parcel(
        key=f"{shop_id}-o{order_id}",
        sender=sender_address(sender, name=name, country=country),
        receiver=msgspec.convert(receiver, Address),
        reference=reference,
        service=service,
        language=language or "en",
    )


async def read_sender(tx: Transaction, *, shop_id: int) -> Address:
    """Where the shop's parcels come from."""
    row = await tx.one("select sender, name, country from shops where id = %s", (shop_id,))
    if row is None:
        raise NotFound("not_found", "There is no such shop.")
    return sender_address(row[0], name=row[1], country=row[2])


def sender_address(stored: dict[str, Any], *, name: str, country: str) -> Address:
    """The stored sender; before one is set, the shop's name and country."""
    return msgspec.convert({"company": name, "country": country, **stored}, Address)


# The last columns are Consignment's fields, in its order.
_PARCEL = """
    select p.order_id, p.state, o.partner_order_id, o.language,
           case when p.weight_g > 0 then p.weight_g else least(2147483647, coalesce((
               select sum(pl.quantity * v.weight_g) from package_lines pl
               join order_lines l on l.shop_id = pl.shop_id and l.order_id = p.order_id and l.line_no = pl.line_no
               join variants v on v.shop_id = l.shop_id and v.id = l.variant_id
               where pl.shop_id = p.shop_id and pl.package_id = p.id), 0))::integer end,
           o.shipping, s.sender, s.name, s.country,
           p.carrier, p.tracking_number, p.tracking_url, p.service, p.label_pdf, p.label_zpl
    from packages p
    join orders o on o.shop_id = p.shop_id and o.id = p.order_id
    join shops s on s.id = p.shop_id
    where p.shop_id = %s and p.id = %s
"""

_PLANNED = """
    select o.partner_order_id, o.language, o.shipping, s.sender, s.name, s.country
    from orders o join shops s on s.id = o.shop_id
    where o.shop_id = %s and o.id = %s
"""
