"""How many of a variant a partner may buy, by where its stock comes from."""

from typing import Final

import msgspec

OWN: Final = "own"
SUPPLIER: Final = "supplier"

IN_STOCK: Final = "instock"
OUT_OF_STOCK: Final = "outofstock"
ON_BACKORDER: Final = "onbackorder"

ORIGIN_OWN: Final = "SC"
ORIGIN_BOTH: Final = "*"


class Availability(msgspec.Struct, frozen=True):
    """The input of `purchase_limit`. `own` and `supplier` are the pools' available quantities.

    `status` is the stock status set in the catalogue, or None to derive it from the quantities.
    """

    origin: str
    managed: bool
    status: str | None
    own: int
    supplier: int


class Limit(msgspec.Struct, frozen=True):
    """The result of `purchase_limit`; `quantity` None means no limit by this rule."""

    listed: bool
    allowed: bool
    quantity: int | None
    shown: int | None


def stock_status(stock: Availability) -> str:
    """instock, outofstock or onbackorder: as set in the catalogue, else derived from the quantities."""
    if stock.status is not None:
        return stock.status
    return IN_STOCK if not stock.managed or _total(stock) > 0 else OUT_OF_STOCK


def purchase_limit(
    stock: Availability, *, backorder: bool, own_requires_stock: bool = False
) -> Limit:
    """Apply the origin rule (spec shoppex_partner 3.1, seeds/000).

    S is the own pool's available quantity, W the whole stock quantity of the origin.

    | backorder | origin   | condition               | listed | allowed | quantity            | shown |
    |-----------|----------|-------------------------|--------|---------|---------------------|-------|
    | off       | SC       | -                       | yes*   | yes     | max(W, 0) if managed| W     |
    | off       | *        | in stock and S > 0      | yes    | yes     | S                   | S     |
    | off       | *        | other status, or S <= 0 | no     | no      | 0                   | -     |
    | off       | supplier | -                       | no     | no      | 0                   | -     |
    | on        | any      | -                       | yes    | yes     | none                | W     |

    Any origin but SC and * counts as the supplier's. W is None when stock is not managed.
    * with `own_requires_stock`, an SC variant without stock is not listed.

    `stock_limit` in limits.sql is the same in SQL; a property test compares the two.
    """
    total = _total(stock) if stock.managed else None
    if backorder:
        return Limit(listed=True, allowed=True, quantity=None, shown=total)
    if stock.origin == ORIGIN_OWN:
        limit = None if total is None else max(total, 0)
        listed = not own_requires_stock or limit is None or limit > 0
        return Limit(listed=listed, allowed=True, quantity=limit, shown=total)
    if stock.origin == ORIGIN_BOTH and stock_status(stock) == IN_STOCK and stock.own > 0:
        return Limit(listed=True, allowed=True, quantity=stock.own, shown=stock.own)
    return Limit(listed=False, allowed=False, quantity=0, shown=None)


def taking(stock: Availability, *, backorder: bool) -> str:
    """The pool that an order takes from: 'own', 'own_first', 'supplier', or 'none' if stock is not managed.

    Without backorder only own stock is ever taken. With it, own stock goes first where the
    origin has both, and the pool that the origin names may go below zero.
    """
    if stock.origin == ORIGIN_BOTH:
        return "own_first" if backorder else OWN
    if not stock.managed:
        return "none"
    return OWN if stock.origin == ORIGIN_OWN else SUPPLIER


def _total(stock: Availability) -> int:
    if stock.origin == ORIGIN_OWN:
        return stock.own
    if stock.origin == ORIGIN_BOTH:
        return stock.own + stock.supplier
    return stock.supplier
