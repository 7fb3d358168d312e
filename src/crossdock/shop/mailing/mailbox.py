"""Read the mailbox, and delete from it what is old."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.crypto import SecretBox
from crossdock.settings import Smtp
from crossdock.shop.mailing.posting import MAIL, open_content

BATCH = 2_000


class MailView(msgspec.Struct, frozen=True, kw_only=True):
    """A mail of the mailbox without its content.

    `status` is kept (there was no SMTP server: it stays here), or that of its delivery: queued, sending,
    sent, failed or withdrawn.
    """

    id: int
    template: str
    to: str
    subject: str
    status: str
    last_error: str
    created_at: datetime
    sent_at: datetime | None


class MailContent(MailView, frozen=True, kw_only=True):
    """A mail of the mailbox with its content; `is_hidden`: without links that open something, and without goods."""

    text: str
    html: str
    is_hidden: bool


def kept_days_of(section: Smtp) -> timedelta | None:
    """How long mails are kept; None for ever."""
    return timedelta(days=section.mailbox_days) if section.mailbox_days else None


async def list_mails(
    tx: Transaction,
    *,
    shop_id: int,
    to: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[MailView]:
    """The shop's mails, newest first, all of them or those before the mail with this id."""
    rows = await tx.all(
        f"{_MAIL} and (%(to)s::text is null or lower(m.recipient) = lower(%(to)s))"
        " and (%(before)s::bigint is null or m.id < %(before)s) order by m.id desc limit %(limit)s",
        {"shop": shop_id, "kind": MAIL, "to": to, "before": before, "limit": limit},
    )
    return [MailView(**_facts(row)) for row in rows]


async def read_mail(
    tx: Transaction, *, shop_id: int, mail_id: int, box: SecretBox, reveals: Collection[str] = ()
) -> MailContent:
    """One mail with its content, whole where it is of one of the templates in `reveals`.

    Raises NotFound `not_found`.
    """
    row = await tx.one(f"{_MAIL} and m.id = %(id)s", {"shop": shop_id, "kind": MAIL, "id": mail_id})
    if row is None:
        raise NotFound("not_found", f"There is no mail {mail_id}.")
    key, sealed = row[-2:]
    content = open_content(box, shop_id=shop_id, key=key, sealed=sealed)
    facts = _facts(row)
    is_hidden = facts["template"] not in reveals
    text = content.hidden_text if is_hidden else content.text
    html = content.hidden_html if is_hidden else content.html
    return MailContent(**facts, text=text, html=html, is_hidden=is_hidden)


async def purge_mails(tx: Transaction, *, kept: timedelta | None, now: datetime) -> int:
    """Delete mails that were written more than `kept` ago, in batches; how many.

    By `now` and by the database's clock, so that a clock set ahead deletes nothing. A mail that is still
    to be sent, or failed, stays.
    """
    if kept is None:
        return 0
    total = 0
    while count := await tx.run(_PURGE, {"kept": kept, "now": now, "kind": MAIL, "limit": BATCH}):
        total += count
    return total


def _facts(row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(MailView.__struct_fields__, row[:-2], strict=True))


_MAIL = """
    select m.id, m.template, m.recipient, m.subject,
           case when m.is_posted then coalesce(d.status, 'sent') else 'kept' end, coalesce(d.last_error, ''),
           m.created_at, d.sent_at, m.dedupe_key, m.sealed
    from mails m
    left join deliveries d on d.shop_id = m.shop_id and d.kind = %(kind)s and d.subject_id = m.id
    where m.shop_id = %(shop)s
"""
_PURGE = """
    delete from mails where (shop_id, id) in (
        select m.shop_id, m.id from mails m
        where m.created_at < least(%(now)s, clock_timestamp()) - %(kept)s and not exists (
            select 1 from deliveries d
            where d.shop_id = m.shop_id and d.kind = %(kind)s and d.subject_id = m.id
              and d.status in ('queued', 'sending', 'failed'))
        order by m.created_at limit %(limit)s for update skip locked)
"""
