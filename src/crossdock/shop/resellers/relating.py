"""Change a relationship: its terms, and its status (spec shoppex_reseller 6.4, 8.1).

| from | action | to |
|---|---|---|
| invited | approve | active |
| active, invited | suspend | suspended |
| suspended | reactivate | active |
| any | terminate | terminated, for ever |

Only while it is active do its keys work, because its partner is active then.
"""

from datetime import datetime
from typing import Literal, get_args

from msgspec import UNSET

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound
from crossdock.shop.partners import (
    Terms,
    disable_credential,
    list_partners,
    set_terms,
    touch_partner,
)
from crossdock.shop.resellers.commission.campaigns import revoke_campaigns
from crossdock.shop.resellers.inviting import revoke_pending
from crossdock.shop.resellers.model import Reseller, ResellerTerms, Status
from crossdock.shop.resellers.reading import read_reseller
from crossdock.shop.resellers.selling import check_products, set_products

Action = Literal["approve", "suspend", "reactivate", "terminate"]
ACTIONS: tuple[Action, ...] = get_args(Action)

_FROM: dict[Action, tuple[Status, ...]] = {
    "approve": ("invited",),
    "suspend": ("active", "invited"),
    "reactivate": ("suspended",),
    "terminate": ("invited", "active", "suspended"),
}
_TO: dict[Action, Status] = {
    "approve": "active",
    "suspend": "suspended",
    "reactivate": "active",
    "terminate": "terminated",
}
_TERMS = ("mode", "commission_bp", "discount_bp", "limit_daily", "limit_monthly")


async def move_reseller(
    tx: Transaction, *, shop_id: int, reseller_id: int, action: Action, now: datetime
) -> Reseller:
    """Change the status; the same again changes nothing. Returns the relationship.

    Whoever terminates it also disables its keys, revokes its campaigns and what invitation of its address is pending.
    Raises NotFound `not_found`, Conflict `reseller_state`.
    """
    before = await _lock(tx, shop_id=shop_id, reseller_id=reseller_id)
    status = _TO[action]
    if before.status == status:
        return before
    if before.status not in _FROM[action]:
        raise _not_now(before)
    await tx.run(
        """update resellers set status = %(to)s, updated_at = %(now)s,
                  verified_at = case when %(to)s = 'active' then coalesce(verified_at, %(now)s) else verified_at end,
                  suspended_at = case %(to)s when 'suspended' then %(now)s when 'active' then null
                                 else suspended_at end,
                  terminated_at = case when %(to)s = 'terminated' then %(now)s end
           where shop_id = %(shop)s and id = %(id)s""",
        {"to": status, "now": now, "shop": shop_id, "id": reseller_id},
    )
    await set_terms(tx, partner_id=before.partner_id, terms=Terms(active=status == "active"))
    if action == "terminate":
        await _end_keys(tx, partner_id=before.partner_id, now=now)
        await revoke_campaigns(tx, shop_id=shop_id, reseller_id=reseller_id, now=now)
        await revoke_pending(tx, shop_id=shop_id, email=before.email, now=now)
    return await read_reseller(tx, shop_id=shop_id, reseller_id=reseller_id)


async def change_terms(
    tx: Transaction, *, shop_id: int, reseller_id: int, terms: ResellerTerms, now: datetime
) -> Reseller:
    """Change what is given; a list of products replaces the whole list. Returns the relationship.

    Raises NotFound `not_found`, Conflict `reseller_state` for a terminated one, Invalid `invalid_input`
    for products that are not the shop's.
    """
    before = await _lock(tx, shop_id=shop_id, reseller_id=reseller_id)
    if before.status == "terminated":
        raise _not_now(before)
    given = {name: value for name in _TERMS if (value := getattr(terms, name)) is not UNSET}
    if terms.products is not UNSET:
        await check_products(tx, shop_id=shop_id, products=terms.products)
        await set_products(tx, shop_id=shop_id, reseller_id=reseller_id, products=terms.products)
        given["all_products"] = terms.products is None
    columns = "".join(f"{name} = %({name})s, " for name in given)
    await tx.run(
        "update resellers set "  # nosec B608
        + columns
        + "updated_at = %(now)s where shop_id = %(shop)s and id = %(id)s",
        given | {"now": now, "shop": shop_id, "id": reseller_id},
    )
    await touch_partner(tx, partner_id=before.partner_id)
    return await read_reseller(tx, shop_id=shop_id, reseller_id=reseller_id)


async def _lock(tx: Transaction, *, shop_id: int, reseller_id: int) -> Reseller:
    found = await tx.value(
        "select true from resellers where shop_id = %s and id = %s for no key update",
        (shop_id, reseller_id),
    )
    if not found:
        raise NotFound("not_found", "There is no such reseller.")
    return await read_reseller(tx, shop_id=shop_id, reseller_id=reseller_id)


async def _end_keys(tx: Transaction, *, partner_id: int, now: datetime) -> None:
    for partner in await list_partners(tx, partner_id=partner_id):
        for credential in partner.credentials:
            await disable_credential(tx, key=credential.key, channel=partner.channel, now=now)


def _not_now(reseller: Reseller) -> Conflict:
    message = f"The reseller is {reseller.status}."
    return Conflict("reseller_state", message, {"status": reseller.status})
