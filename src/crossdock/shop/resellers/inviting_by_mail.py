"""Invite a reseller, and mail the invitation with the address where it is accepted."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.ids import Ids
from crossdock.kit.languages import language_for
from crossdock.shop.mailing import Mailing
from crossdock.shop.resellers.inviting import EXPIRES_DAYS, invite
from crossdock.shop.resellers.model import NewInvitation, ResellerTerms
from crossdock.shop.shops import read_shop_by_id


class MailedInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation, the address where it is accepted, and its mail in the mailbox, whose address is another."""

    invited: NewInvitation
    accept_url: str
    mail_id: int

    def __repr__(self) -> str:
        return f"MailedInvitation({self.invited!r})"


async def invite_by_mail(
    tx: Transaction,
    *,
    shop_id: int,
    email: str,
    terms: ResellerTerms,
    accept_url: Callable[[str], str],
    mailing: Mailing,
    ids: Ids,
    now: datetime,
    expires_in_days: int = EXPIRES_DAYS,
) -> MailedInvitation:
    """Invite somebody, and write the mail in the same transaction; `accept_url` makes an address of a token.

    Raises as `invite` does, and Invalid `invalid_input` for an address that no mail is sent to.
    """
    invited = await invite(
        tx,
        shop_id=shop_id,
        email=email,
        terms=terms,
        ids=ids,
        now=now,
        expires_in_days=expires_in_days,
    )
    shop = await read_shop_by_id(tx, shop_id=shop_id)
    mail_id = await mailing.queue_mail(
        tx,
        shop_id=shop_id,
        template="reseller_invitation",
        to=invited.invitation.email,
        values={
            "shop": shop.name,
            "accept_url": accept_url(invited.mailed_token),
            "expires_at": invited.invitation.expires_at,
        },
        language=language_for(of_shop=shop.languages),
        key=f"reseller invitation {invited.invitation.id}",
        now=now,
    )
    return MailedInvitation(invited=invited, accept_url=accept_url(invited.token), mail_id=mail_id)
