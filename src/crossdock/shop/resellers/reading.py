"""Read relationships."""

from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.paging import PlacePage
from crossdock.shop.resellers.model import Mode, Reseller, Status

_SELECT = """
    select r.id, r.shop_id, r.partner_id, r.invitation_id, r.email, r.status, r.mode, r.commission_bp, r.discount_bp,
           r.limit_daily, r.limit_monthly,
           case when not r.all_products then coalesce((
               select jsonb_agg(to_jsonb(x) - 'shop_id' - 'reseller_id' order by x.product_id)
               from reseller_products x where x.shop_id = r.shop_id and x.reseller_id = r.id), '[]') end,
           r.attribution_code, r.verified_at, r.suspended_at, r.terminated_at, r.created_at, r.updated_at
    from resellers r
"""
_PAGE = f"""
    {_SELECT}
    where r.shop_id = %(shop)s and (%(status)s::text is null or r.status = %(status)s)
      and (%(mode)s::text is null or r.mode = %(mode)s)
      and (%(email)s::text is null or lower(r.email) = lower(%(email)s))
      and (r.created_at, r.id) < (%(after_time)s::timestamptz, %(after_id)s)
    order by r.created_at desc, r.id desc limit %(size)s
"""


async def read_reseller(tx: Transaction, *, shop_id: int, reseller_id: int) -> Reseller:
    """The shop's relationship. Raises NotFound `not_found`."""
    return _found(
        await tx.one(f"{_SELECT} where r.shop_id = %s and r.id = %s", (shop_id, reseller_id))
    )


async def read_reseller_of(tx: Transaction, *, shop_id: int, partner_id: int) -> Reseller:
    """The relationship that this partner calls for. Raises NotFound `not_found`."""
    return _found(
        await tx.one(f"{_SELECT} where r.shop_id = %s and r.partner_id = %s", (shop_id, partner_id))
    )


async def find_shop_of(tx: Transaction, *, reseller_id: int) -> int:
    """The shop of a relationship, for staff. Raises NotFound `not_found`."""
    shop_id = await tx.value("select shop_id from resellers where id = %s", (reseller_id,))
    if shop_id is None:
        raise NotFound("not_found", "There is no such reseller.")
    return int(shop_id)


async def list_resellers(
    tx: Transaction,
    *,
    shop_id: int,
    page: PlacePage,
    status: Status | None = None,
    mode: Mode | None = None,
    email: str | None = None,
) -> list[Reseller]:
    """A page of the shop's relationships of every status, newest first; one more if there are more."""
    chosen = {"shop": shop_id, "status": status, "mode": mode, "email": email}
    rows = await tx.all(_PAGE, page.bounds() | chosen)
    return [_reseller(row) for row in rows]


def _found(row: tuple[Any, ...] | None) -> Reseller:
    if row is None:
        raise NotFound("not_found", "There is no such reseller.")
    return _reseller(row)


def _reseller(row: tuple[Any, ...]) -> Reseller:
    return msgspec.convert(dict(zip(Reseller.__struct_fields__, row, strict=True)), Reseller)
