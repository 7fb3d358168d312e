"""A shop's customers in pages, by what staff know of them."""

from typing import Any, Final

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.numbers import read_number
from crossdock.kit.texts import as_part
from crossdock.shop.customers.managing import SELECT_CUSTOMER, Customer, customer_from_row

CUSTOMERS_SHOWN: Final = 50
_NEAR: Final = 1_000
"""So many of the newest are looked through before their words' index is asked."""


async def browse_customers(
    tx: Transaction,
    *,
    shop_id: int,
    search: str = "",
    before: int | None = None,
    limit: int = CUSTOMERS_SHOWN,
) -> tuple[list[Customer], bool]:
    """The shop's customers, newest first, before the number `before`; and whether more follow.

    `search` is a number, or a part of e-mail, name or company.
    """
    words = search.strip()
    values: dict[str, Any] = {
        "shop": shop_id,
        "words": words,
        "like": as_part(words),
        "id": read_number(words),
        "before": before,
        "size": limit + 1,
        "near": _NEAR,
    }
    rows = await tx.all(_FOUND if words else _PAGE, values)
    return [customer_from_row(row) for row in rows[:limit]], len(rows) > limit


_BEFORE: Final = """shop_id = %(shop)s and deleted_at is null
      and (%(before)s::bigint is null or id < %(before)s)"""
_ORDERED: Final = "order by id desc limit %(size)s"
_NAMES: Final = "email || ' ' || company || ' ' || first_name || ' ' || last_name"
_LIKE: Final = """(email ilike %(like)s or company ilike %(like)s
           or first_name || ' ' || last_name ilike %(like)s)"""
_PAGE: Final = f"{SELECT_CUSTOMER} where {_BEFORE} {_ORDERED}"
# A part that many have fills a page from the newest; one that few have is found by their words.
_FOUND: Final = f"""
    with near as materialized (
        select id from (
            select * from customers where {_BEFORE} order by id desc limit %(near)s) c
        where {_LIKE} {_ORDERED}),
    found as materialized (
        select id from near
        union select id from customers
         where (select count(*) from near) < %(size)s and shop_id = %(shop)s and deleted_at is null and {_LIKE}
           and word_ends(shop_id, {_NAMES}) @@ words_asked(%(shop)s, %(words)s)
        union select id from customers
         where (select count(*) from near) < %(size)s and shop_id = %(shop)s and deleted_at is null and {_LIKE}
           and words_asked(%(shop)s, %(words)s) is null
        union select %(id)s::bigint)
    {SELECT_CUSTOMER} where {_BEFORE} and id = any (array(select id from found)) {_ORDERED}
"""
