"""For which relationships a person acts in the portal."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.resellers.model import Mode, Status


class Relationship(msgspec.Struct, frozen=True, kw_only=True):
    """A relationship as its reseller sees it in a list: of which shop, in which state.

    The prepaid balance is in minor units of the shop's currency.
    """

    id: int
    shop_id: int
    partner_id: int
    shop_name: str
    currency: str
    email: str
    status: Status
    mode: Mode
    attribution_code: str
    balance_minor: int
    created_at: datetime


async def add_member(
    tx: Transaction, *, shop_id: int, reseller_id: int, person_id: int, now: datetime
) -> None:
    """Let a person act for a relationship; the same again changes nothing."""
    await tx.run(
        "insert into reseller_people (shop_id, reseller_id, person_id, created_at)"
        " values (%s, %s, %s, %s) on conflict do nothing",
        (shop_id, reseller_id, person_id, now),
    )


async def list_relationships(tx: Transaction, *, person_id: int) -> list[Relationship]:
    """The relationships of every status that the person acts for, the newest first."""
    rows = await tx.all(_OF_PERSON, (person_id,))
    names = Relationship.__struct_fields__
    return [msgspec.convert(dict(zip(names, row, strict=True)), Relationship) for row in rows]


_OF_PERSON = """
    select r.id, r.shop_id, r.partner_id, s.name, s.currency, r.email, r.status, r.mode, r.attribution_code,
           coalesce((select a.balance_minor from accounts a
                     where a.shop_id = r.shop_id and a.kind = 'prepaid' and a.owner = 'reseller:' || r.id
                       and a.currency = s.currency), 0),
           r.created_at
    from reseller_people m
    join resellers r on r.shop_id = m.shop_id and r.id = m.reseller_id
    join shops s on s.id = r.shop_id
    where m.person_id = %s
    order by r.created_at desc, r.id desc
"""
