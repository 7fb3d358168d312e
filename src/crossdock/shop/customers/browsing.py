"""A shop's customers in pages, by what staff know of them."""

from typing import Any, Final

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.customers.managing import SELECT_CUSTOMER, Customer, customer_from_row

CUSTOMERS_SHOWN: Final = 50


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
    is_number = words.isascii() and words.isdigit() and len(words) < 19
    values: dict[str, Any] = {
        "shop": shop_id,
        "words": words,
        "like": f"%{_plain(words)}%",
        "id": int(words) if is_number else None,
        "before": before,
        "limit": limit + 1,
    }
    rows = await tx.all(_PAGE, values)
    return [customer_from_row(row) for row in rows[:limit]], len(rows) > limit


def _plain(words: str) -> str:
    """The words as a pattern that stands for themselves."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_PAGE: Final = f"""{SELECT_CUSTOMER}
    where shop_id = %(shop)s and deleted_at is null
      and (%(before)s::bigint is null or id < %(before)s)
      and (%(words)s = '' or id = %(id)s or email ilike %(like)s or company ilike %(like)s
           or first_name || ' ' || last_name ilike %(like)s)
    order by id desc limit %(limit)s
"""
