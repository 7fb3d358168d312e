"""How one product is shipped, whom it is for and what speaks for it, as a shop's back office sets them."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.shop.catalogue.bulk import lock_catalogue
from crossdock.shop.catalogue.changes import tell_changed
from crossdock.shop.catalogue.records import (
    Amount,
    Country,
    DayRange,
    Feature,
    ShippingTerm,
    TargetUsers,
)


class ProductTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a `ProductRecord` with these names."""

    shipping_minor: Amount = 0
    free_shipping: bool = False
    shipping_days: DayRange | None = None
    shipping_terms: Annotated[tuple[ShippingTerm, ...], Meta(max_length=300)] = ()
    ships_to: Annotated[tuple[Country, ...], Meta(max_length=300)] = ()
    target_users: TargetUsers = "unknown"
    features: Annotated[tuple[Feature, ...], Meta(max_length=5)] = ()


async def read_terms(tx: Transaction, *, shop_id: int, product_id: int) -> ProductTerms:
    """The product's. Raises NotFound `not_found`."""
    row = await tx.one(_READ, (shop_id, product_id))
    if row is None:
        raise NotFound("not_found")
    named = dict(zip(ProductTerms.__struct_fields__, row, strict=True))
    return msgspec.convert(named, ProductTerms)


async def set_terms(
    tx: Transaction, *, shop_id: int, product_id: int, terms: ProductTerms, now: datetime
) -> None:
    """Write all of them; a later import of the product writes it whole again.

    Raises NotFound `not_found`, and Invalid `invalid_input` for one out of the bounds of a record.
    """
    try:
        checked = msgspec.convert(msgspec.to_builtins(terms), ProductTerms)
    except msgspec.ValidationError as error:
        raise Invalid("invalid_input", str(error)) from error
    await lock_catalogue(tx, shop_id=shop_id)
    values = msgspec.structs.asdict(checked) | {
        "shipping_days": list(checked.shipping_days) if checked.shipping_days else None,
        "shipping_terms": msgspec.json.encode(checked.shipping_terms).decode(),
        "ships_to": list(checked.ships_to),
        "features": list(checked.features),
    }
    found = await tx.value(_SET, values | {"shop": shop_id, "product": product_id, "now": now})
    if found is None:
        raise NotFound("not_found")
    await tell_changed(tx, shop_id=shop_id, product_ids=[product_id], now=now)


_READ: Final = """
select shipping_minor, free_shipping, shipping_days, shipping_terms, ships_to, target_users, features
from products where shop_id = %s and id = %s
"""
_SET: Final = """
update products set shipping_minor = %(shipping_minor)s, free_shipping = %(free_shipping)s,
       shipping_days = %(shipping_days)s::integer[], shipping_terms = %(shipping_terms)s::jsonb,
       ships_to = %(ships_to)s::text[], target_users = %(target_users)s, features = %(features)s::text[],
       source_hash = null, updated_at = %(now)s
where shop_id = %(shop)s and id = %(product)s
returning id
"""
