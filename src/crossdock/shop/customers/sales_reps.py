"""Sales reps: the operator's staff who look after customers."""

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.email import is_email
from crossdock.kit.texts import visible


class SalesRep(msgspec.Struct, frozen=True, kw_only=True):
    """A sales rep; an inactive one gets no new customers and keeps the current ones."""

    id: int
    name: str
    email: str | None
    active: bool
    customers: int


async def add_sales_rep(
    tx: Transaction, *, shop_id: int, name: str, email: str | None = None
) -> int:
    """The new sales rep's id.

    Raises Invalid `invalid_input` for no name or an invalid e-mail, Conflict `exists` if the shop has it already.
    """
    if not visible(name):
        raise Invalid("invalid_input", "A sales rep needs a name.", {"field": "name"})
    if email and not is_email(email.strip()):
        raise Invalid("invalid_input", f"{email!r} is not an e-mail address.", {"field": "email"})
    sales_rep_id = await tx.value(
        "insert into sales_reps (shop_id, name, email) values (%s, %s, %s) on conflict do nothing returning id",
        (shop_id, name.strip(), email.strip().lower() if email else None),
    )
    if sales_rep_id is None:
        raise Conflict("exists", f"There is a sales rep with the e-mail {email} already.")
    return int(sales_rep_id)


async def list_sales_reps(tx: Transaction, *, shop_id: int) -> list[SalesRep]:
    """The shop's sales reps by id, with the number of their customers."""
    rows = await tx.all(
        "select s.id, s.name, s.email, s.active, (select count(*) from customers c"
        " where c.shop_id = s.shop_id and c.sales_rep_id = s.id and c.deleted_at is null)"
        " from sales_reps s where s.shop_id = %s order by s.id",
        (shop_id,),
    )
    names = SalesRep.__struct_fields__
    return [SalesRep(**dict(zip(names, row, strict=True))) for row in rows]


async def set_sales_rep_active(
    tx: Transaction, *, shop_id: int, sales_rep_id: int, active: bool
) -> None:
    """Exclude a sales rep from new assignments, or include it again. Raises NotFound `not_found`."""
    if not await tx.run(
        "update sales_reps set active = %s where shop_id = %s and id = %s",
        (active, shop_id, sales_rep_id),
    ):
        raise NotFound("not_found", f"There is no sales rep {sales_rep_id}.")
