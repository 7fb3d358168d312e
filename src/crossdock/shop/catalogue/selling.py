"""Merchants as staff and callers see them: who they are, and the terms on which they sell."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.texts import as_part, visible
from crossdock.shop.catalogue.merchants import insert_merchant, upsert_merchants
from crossdock.shop.catalogue.records import MerchantRecord
from crossdock.shop.catalogue.texts import slug_of


class MerchantTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How a merchant sells; amounts are minor units of the shop's currency.

    An order's part costs `shipping_flat_minor` of shipping, and nothing from goods of
    `free_shipping_from_minor` on (None: never by value). The shop's share of the goods is
    `commission_bp`. `connector` names where its parts of orders go, '' the shop's default.
    """

    shipping_flat_minor: int = 0
    free_shipping_from_minor: int | None = None
    commission_bp: int = 0
    customer_service_url: str = ""
    return_policy_url: str = ""
    connector: str = ""


class MerchantView(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant with its terms; `products` counts those that it has, enabled or not."""

    id: int
    slug: str
    name: str
    email: str | None
    country: str | None
    enabled: bool
    terms: MerchantTerms
    products: int


class MerchantName(msgspec.Struct, frozen=True):
    """What a merchant is called."""

    id: int
    name: str


async def list_merchants(tx: Transaction, *, shop_id: int) -> list[MerchantView]:
    """The shop's merchants by name."""
    return [_view(row) for row in await tx.all(f"{_VIEW} order by m.name, m.id", (shop_id,))]


async def browse_merchants(
    tx: Transaction,
    *,
    shop_id: int,
    search: str = "",
    enabled: bool | None = None,
    after: int | None = None,
    limit: int = 50,
) -> list[MerchantView]:
    """Merchants by name, from the one behind the merchant `after`: all, or those whose name has this part."""
    rows = await tx.all(
        f"""{_VIEW} and m.name ilike %s and m.enabled = coalesce(%s::boolean, m.enabled)
            and (%s::bigint is null or (m.name, m.id) > (
                select x.name, x.id from merchants x where x.shop_id = m.shop_id and x.id = %s))
            order by m.name, m.id limit %s""",
        (shop_id, as_part(search), enabled, after, after, limit),
    )
    return [_view(row) for row in rows]


async def merchant_of(tx: Transaction, *, shop_id: int, product_id: int) -> MerchantName:
    """Whose product it is. Raises NotFound `not_found`."""
    row = await tx.one(
        "select m.id, m.name from products p join merchants m on m.shop_id = p.shop_id"
        " and m.id = p.merchant_id where p.shop_id = %s and p.id = %s",
        (shop_id, product_id),
    )
    if row is None:
        raise NotFound("not_found")
    return MerchantName(*row)


async def which_sell(
    tx: Transaction, *, shop_id: int, merchant_ids: Sequence[int]
) -> dict[int, bool]:
    """Whether each of these merchants sells now; those that are not there are left out."""
    rows = await tx.all(
        "select id, enabled from merchants where shop_id = %s and id = any(%s) order by id",
        (shop_id, list(merchant_ids)),
    )
    return dict(rows)


async def read_merchant(tx: Transaction, *, shop_id: int, who: str) -> MerchantView:
    """The merchant with this name, slug or id. Raises NotFound `not_found`, naming those that exist."""
    merchants = await list_merchants(tx, shop_id=shop_id)
    wanted = who.strip()
    # A merchant may be called by the number of another.
    named = [each for each in merchants if wanted in {each.name, each.slug}]
    for merchant in named or [each for each in merchants if wanted == str(each.id)]:
        return merchant
    known = ", ".join(merchant.slug for merchant in merchants[:10]) or "none"
    raise NotFound("not_found", f"There is no merchant {who!r}; known are {known}.")


async def read_merchant_by_id(tx: Transaction, *, shop_id: int, merchant_id: int) -> MerchantView:
    """The merchant. Raises NotFound `not_found`."""
    row = await tx.one(f"{_VIEW} and m.id = %s", (shop_id, merchant_id))
    if row is None:
        raise NotFound("not_found", "The shop has no such merchant.")
    return _view(row)


async def merchants_in_sight(
    tx: Transaction, *, shop_id: int, merchant_ids: list[int] | None
) -> list[MerchantName]:
    """The enabled merchants that a caller sees (None: all), by name."""
    rows = await tx.all(
        "select id, name from merchants where shop_id = %s and enabled"
        " and sees_merchant(%s::bigint[], id) order by name, id",
        (shop_id, merchant_ids),
    )
    return [MerchantName(*row) for row in rows]


async def add_merchant(
    tx: Transaction, *, shop_id: int, record: MerchantRecord, now: datetime
) -> MerchantView:
    """A new merchant. Raises Conflict `exists`, Invalid `invalid_input` for a name that cannot be seen."""
    _require_name(record)
    slug = slug_of(record.name)
    if not await insert_merchant(tx, shop_id=shop_id, record=record, now=now):
        raise Conflict("exists", f"There is a merchant called {slug!r} already.")
    return await read_merchant(tx, shop_id=shop_id, who=slug)


async def set_merchant(
    tx: Transaction, *, shop_id: int, who: str, changes: Mapping[str, Any], now: datetime
) -> MerchantView:
    """Change fields of a merchant, named as in MerchantRecord; its name is its key and stays.

    Raises NotFound `not_found`, Invalid `invalid_input` with the `field`.
    """
    found = await read_merchant(tx, shop_id=shop_id, who=who)
    stored = await tx.value(
        "select terms from merchants where shop_id = %s and id = %s for no key update",
        (shop_id, found.id),
    )
    merchant = await read_merchant(tx, shop_id=shop_id, who=found.slug)
    values = {
        "name": merchant.name,
        "email": merchant.email,
        "country": merchant.country,
        "enabled": merchant.enabled,
        "terms": stored,
        **msgspec.to_builtins(merchant.terms),
    }
    record = merchant_record(values | dict(changes))
    _require_name(record)
    await upsert_merchants(tx, shop_id=shop_id, records=[record], now=now)
    return await read_merchant(tx, shop_id=shop_id, who=merchant.slug)


def merchant_record(values: Mapping[str, Any]) -> MerchantRecord:
    """The record of these fields. Raises Invalid `invalid_input` for one that cannot be."""
    try:
        return msgspec.convert(dict(values), MerchantRecord)
    except msgspec.ValidationError as error:
        raise Invalid("invalid_input", f"A merchant cannot be so: {error}") from error


def _require_name(record: MerchantRecord) -> None:
    if not visible(record.name):
        raise Invalid(
            "invalid_input", "A merchant needs a name that can be seen.", {"field": "name"}
        )


def _view(row: tuple[Any, ...]) -> MerchantView:
    values = dict(zip(MerchantView.__struct_fields__, row, strict=True))
    return msgspec.convert(values, MerchantView)


_VIEW = """
    select m.id, m.slug, m.name, m.email, m.country, m.enabled, merchant_terms(m),
           (select count(*) from products p where p.shop_id = m.shop_id and p.merchant_id = m.id)
    from merchants m where m.shop_id = %s
"""
