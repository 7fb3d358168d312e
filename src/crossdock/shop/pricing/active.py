"""The effective price of a variant at a given time."""

from datetime import datetime


def active_price(
    *,
    listed: int | None,
    promotion: int | None,
    sale: int | None,
    sale_starts_at: datetime | None,
    sale_ends_at: datetime | None,
    retail: int | None,
    moment: datetime,
) -> int | None:
    """The unit price in minor units, or None when there is none (spec shoppex_partner 3, 8.9).

    The first that exists: the partner's price list, the lowest running promotion, the sale
    price while it runs (start inclusive, end exclusive), the retail price. `active_price` in
    active.sql is the same in SQL; listings, the amount rule and order lines use it.
    """
    if listed is not None:
        return listed
    if promotion is not None:
        return promotion
    starts = sale_starts_at is None or sale_starts_at <= moment
    ends = sale_ends_at is None or moment < sale_ends_at
    return sale if sale is not None and starts and ends else retail
