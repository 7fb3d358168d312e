"""Sellers: the operator's own sales people."""

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound


class Seller(msgspec.Struct, frozen=True, kw_only=True):
    """A sales person; an inactive one gets no new customers and keeps the old ones."""

    id: int
    name: str
    email: str | None
    active: bool
    customers: int


async def add_seller(tx: Transaction, *, shop_id: int, name: str, email: str | None = None) -> int:
    """The new seller's id. Raises Conflict `exists` when the shop knows the e-mail."""
    seller_id = await tx.value(
        "insert into sellers (shop_id, name, email) values (%s, %s, %s) on conflict do nothing returning id",
        (shop_id, name.strip(), email.strip().lower() if email else None),
    )
    if seller_id is None:
        raise Conflict("exists", f"There is a seller with the e-mail {email} already.")
    return int(seller_id)


async def list_sellers(tx: Transaction, *, shop_id: int) -> list[Seller]:
    """The shop's sellers by id, with how many customers each looks after."""
    rows = await tx.all(
        "select s.id, s.name, s.email, s.active, (select count(*) from customers c"
        " where c.shop_id = s.shop_id and c.seller_id = s.id and c.deleted_at is null)"
        " from sellers s where s.shop_id = %s order by s.id",
        (shop_id,),
    )
    names = Seller.__struct_fields__
    return [Seller(**dict(zip(names, row, strict=True))) for row in rows]


async def set_seller_active(tx: Transaction, *, shop_id: int, seller_id: int, active: bool) -> None:
    """Take a seller out of new assignments, or back in. Raises NotFound `not_found`."""
    if not await tx.run(
        "update sellers set active = %s where shop_id = %s and id = %s",
        (active, shop_id, seller_id),
    ):
        raise NotFound("not_found", f"There is no seller {seller_id}.")
