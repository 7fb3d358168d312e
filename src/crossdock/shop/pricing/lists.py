"""Price lists: prices agreed with partners. A partner whose list has a variant pays that price."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.money import MINOR_MAX
from crossdock.kit.numbers import counted
from crossdock.kit.texts import visible
from crossdock.shop.events import PriceChanged, write_event


class PriceList(msgspec.Struct, frozen=True, kw_only=True):
    """A list in the shop's currency; `items` counts its prices."""

    id: int
    name: str
    currency: str
    items: int


class ListedPrice(msgspec.Struct, frozen=True, kw_only=True):
    """The price of one variant in the list."""

    variant_id: int
    sku: str
    merchant: str
    price_minor: int


class PriceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A price to be set; `price_minor` None removes the variant from the list.

    `merchant` is the merchant's slug, needed only where two of them use the sku.
    """

    sku: str
    price_minor: int | None
    merchant: str = ""


async def add_price_list(tx: Transaction, *, shop_id: int, name: str) -> int:
    """Add an empty list; returns its id. Raises Conflict `exists`, Invalid `invalid_input`."""
    if not visible(name) or name.strip().isdigit():
        raise Invalid("invalid_input", "A price list needs a name that is not only digits.")
    list_id = await tx.value(
        "insert into price_lists (shop_id, name, currency) select id, %s, currency from shops"
        " where id = %s on conflict do nothing returning id",
        (name.strip(), shop_id),
    )
    if list_id is None:
        raise Conflict("exists", f"There is a price list called {name!r} already.")
    return int(list_id)


async def read_price_list(tx: Transaction, *, shop_id: int, name: str) -> PriceList:
    """The list with this name or id. Raises NotFound `not_found`, naming those that exist."""
    lists = await list_price_lists(tx, shop_id=shop_id)
    for found in lists:
        if name.strip() in {found.name, str(found.id)}:
            return found
    known = ", ".join(found.name for found in lists) or "none"
    raise NotFound("not_found", f"There is no price list {name!r}; choose from {known}.")


async def list_price_lists(tx: Transaction, *, shop_id: int) -> list[PriceList]:
    """The shop's price lists by name."""
    rows = await tx.all(
        """select l.id, l.name, l.currency,
                  (select count(*) from price_list_items i
                   where i.shop_id = l.shop_id and i.price_list_id = l.id)
           from price_lists l where l.shop_id = %s order by l.name""",
        (shop_id,),
    )
    return [PriceList(id=row[0], name=row[1], currency=row[2], items=row[3]) for row in rows]


async def read_prices(tx: Transaction, *, shop_id: int, price_list_id: int) -> list[ListedPrice]:
    """The list's prices by sku."""
    rows = await tx.all(
        """select i.variant_id, v.sku, m.slug, i.price_minor
           from price_list_items i
           join variants v on v.shop_id = i.shop_id and v.id = i.variant_id
           join merchants m on m.shop_id = v.shop_id and m.id = v.merchant_id
           where i.shop_id = %s and i.price_list_id = %s order by v.sku, m.slug""",
        (shop_id, price_list_id),
    )
    return [
        ListedPrice(variant_id=row[0], sku=row[1], merchant=row[2], price_minor=row[3])
        for row in rows
    ]


async def set_prices(
    tx: Transaction, *, shop_id: int, price_list_id: int, rows: Sequence[PriceRow], now: datetime
) -> int:
    """Set the prices of the rows and keep the others; returns how many changed. All or nothing.

    Writes one `price.changed` event when something changed. Raises Invalid `invalid_input` for a
    price out of range, NotFound `not_found` for a sku that nobody or, without a merchant, more
    than one merchant has; the message names the first few.
    """
    prices = await _by_variant(tx, shop_id=shop_id, rows=rows)
    changed = await _write(tx, shop_id=shop_id, price_list_id=price_list_id, prices=prices)
    if changed:
        event = PriceChanged(variant_ids=sorted(changed))
        await write_event(tx, shop_id=shop_id, event=event, subject_id=price_list_id, now=now)
    return len(changed)


async def _by_variant(
    tx: Transaction, *, shop_id: int, rows: Sequence[PriceRow]
) -> dict[int, int | None]:
    found = await tx.all(
        """select v.sku, m.slug, v.id from variants v
           join merchants m on m.shop_id = v.shop_id and m.id = v.merchant_id
           where v.shop_id = %s and v.sku = any(%s)""",
        (shop_id, [row.sku for row in rows]),
    )
    ids: dict[str, dict[str, int]] = {}
    for sku, merchant, variant_id in found:
        ids.setdefault(sku, {})[merchant] = variant_id
    strange = [row.sku for row in rows if _id_of(row, ids=ids) is None]
    if strange:
        name = "names" if len(strange) == 1 else "name"
        shown = ", ".join(strange[:5]) + (" ..." if len(strange) > 5 else "")
        raise NotFound(
            "not_found",
            f"{len(strange)} of {counted(len(rows), 'row')} {name} no variant, or the sku of several "
            f"merchants without saying which: {shown}",
        )
    for row in rows:
        if row.price_minor is not None and not 0 <= row.price_minor <= MINOR_MAX:
            raise Invalid("invalid_input", f"The price of {row.sku} is out of range.")
    return {_id_of(row, ids=ids) or 0: row.price_minor for row in rows}


def _id_of(row: PriceRow, *, ids: Mapping[str, Mapping[str, int]]) -> int | None:
    sellers = ids.get(row.sku, {})
    if row.merchant:
        return sellers.get(row.merchant)
    return next(iter(sellers.values())) if len(sellers) == 1 else None


async def _write(
    tx: Transaction, *, shop_id: int, price_list_id: int, prices: Mapping[int, int | None]
) -> set[int]:
    kept = {variant: price for variant, price in prices.items() if price is not None}
    gone = [variant for variant, price in prices.items() if price is None]
    written = await tx.all(
        """insert into price_list_items as i (shop_id, price_list_id, variant_id, price_minor)
           select %s, %s, x.* from unnest(%s::bigint[], %s::bigint[]) as x order by 3
           on conflict (shop_id, price_list_id, variant_id) do update
           set price_minor = excluded.price_minor where i.price_minor <> excluded.price_minor
           returning variant_id""",
        (shop_id, price_list_id, list(kept), list(kept.values())),
    )
    removed = await tx.all(
        "delete from price_list_items where shop_id = %s and price_list_id = %s"
        " and variant_id = any(%s) returning variant_id",
        (shop_id, price_list_id, gone),
    )
    return {row[0] for row in (*written, *removed)}
