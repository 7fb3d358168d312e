"""A shop's invitations: listed, withdrawn, and sent again with a new link."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound
from crossdock.kit.ids import Ids
from crossdock.kit.paging import PlacePage
from crossdock.shop.mailing import Mailing
from crossdock.shop.resellers.inviting_by_mail import MailedInvitation, invite_by_mail
from crossdock.shop.resellers.model import Invitation, ProductTerms, ResellerTerms

_COLUMNS = ", ".join(Invitation.__struct_fields__)
_LOCK = (
    f"select {_COLUMNS} from reseller_invitations where shop_id = %s and id = %s for no key update"
)
_PAGE = f"""
    select {_COLUMNS} from reseller_invitations
    where shop_id = %(shop)s and (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s)
    order by created_at desc, id desc limit %(size)s
"""
_TERMS = """
    select mode, commission_bp, discount_bp, limit_daily, limit_monthly, products
    from reseller_invitations where shop_id = %s and id = %s
"""


async def list_invitations(tx: Transaction, *, shop_id: int, page: PlacePage) -> list[Invitation]:
    """A page of the shop's invitations in every state, newest first; one more if there are more."""
    rows = await tx.all(_PAGE, page.bounds() | {"shop": shop_id})
    return [_invitation(row) for row in rows]


async def withdraw_invitation(
    tx: Transaction, *, shop_id: int, invitation_id: int, now: datetime
) -> Invitation:
    """Make an invitation's link useless; the same again changes nothing. Returns the invitation.

    Raises NotFound `not_found`, Conflict `reseller_state` for one that was accepted.
    """
    before = await _lock_unaccepted(tx, shop_id=shop_id, invitation_id=invitation_id)
    if before.revoked_at is not None:
        return before
    await tx.run(
        "update reseller_invitations set revoked_at = %s where shop_id = %s and id = %s",
        (now, shop_id, invitation_id),
    )
    return msgspec.structs.replace(before, revoked_at=now)


async def invite_again(
    tx: Transaction,
    *,
    shop_id: int,
    invitation_id: int,
    accept_url: Callable[[str], str],
    mailing: Mailing,
    ids: Ids,
    now: datetime,
) -> MailedInvitation:
    """Invite the same address on the same terms by a new link; one that is pending is revoked.

    A link is stored as a hash, so that the old one cannot be mailed again. Raises NotFound `not_found`, Conflict
    `reseller_state` for one that was accepted, and as `invite_by_mail` does.
    """
    before = await _lock_unaccepted(tx, shop_id=shop_id, invitation_id=invitation_id)
    row = await tx.one(_TERMS, (shop_id, invitation_id))
    assert row is not None  # it is locked
    *terms, products = row
    names = ("mode", "commission_bp", "discount_bp", "limit_daily", "limit_monthly")
    return await invite_by_mail(
        tx,
        shop_id=shop_id,
        email=before.email,
        terms=ResellerTerms(
            **dict(zip(names, terms, strict=True)),
            products=msgspec.convert(products, tuple[ProductTerms, ...] | None),
        ),
        accept_url=accept_url,
        mailing=mailing,
        ids=ids,
        now=now,
        expires_in_days=(before.expires_at - before.created_at).days,
    )


async def _lock_unaccepted(tx: Transaction, *, shop_id: int, invitation_id: int) -> Invitation:
    row = await tx.one(_LOCK, (shop_id, invitation_id))
    if row is None:
        raise NotFound("not_found", "There is no such invitation.")
    invitation = _invitation(row)
    if invitation.accepted_at is not None:
        raise Conflict("reseller_state", "The invitation is accepted.", {"state": "accepted"})
    return invitation


def _invitation(row: tuple[Any, ...]) -> Invitation:
    return Invitation(**dict(zip(Invitation.__struct_fields__, row, strict=True)))
