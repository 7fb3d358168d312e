"""Open a ticket of a partner."""

from collections.abc import Awaitable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.kit.email import is_email
from crossdock.shop.tickets.model import (
    IMAGES_MAX,
    LINES_MAX,
    NAME_MAX,
    REASON_MAX,
    TEXT_MAX,
    NewTicket,
)
from crossdock.shop.tickets.wording import checked_text, invalid

NO_LINE = "CD030"
_COLUMNS = (
    *("kind", "reason", "problem_type", "item_delivery", "first_name", "last_name", "email"),
    *("remark", "image_ids"),
)


class FindImages(Protocol):
    """Reads which of these images the partner has."""

    def __call__(
        self, tx: Transaction, *, shop_id: int, partner_id: int, image_ids: Sequence[int]
    ) -> Awaitable[AbstractSet[int]]: ...


async def open_ticket(
    tx: Transaction,
    *,
    shop_id: int,
    partner_id: int,
    ticket: NewTicket,
    images: FindImages,
    now: datetime,
) -> int:
    """Open the ticket; returns its id.

    Lines and images that are named twice count once. Raises Invalid `invalid_input` with the field,
    NotFound `not_found` for a line or an image that is not the partner's.
    """
    ticket = _checked(ticket)
    if ticket.image_ids:
        known = await images(tx, shop_id=shop_id, partner_id=partner_id, image_ids=ticket.image_ids)
        if not known >= set(ticket.image_ids):
            raise NotFound("not_found", "There is no such image.", {"field": "image_ids"})
    facts = {name: getattr(ticket, name) for name in _COLUMNS}
    lines = [[line.order_id, line.line_no] for line in ticket.lines]
    try:
        return int(
            await tx.value(
                "select open_ticket(%s, %s, %s, %s, %s)",
                (shop_id, partner_id, Jsonb(facts), Jsonb(lines), now),
            )
        )
    except psycopg.Error as error:
        if error.sqlstate == NO_LINE:
            raise NotFound(
                "not_found", "There is no such line of an order.", {"field": "lines"}
            ) from error
        raise


def _checked(ticket: NewTicket) -> NewTicket:
    if not is_email(ticket.email):
        raise invalid("email", "This is not an e-mail address.")
    lines = tuple(dict.fromkeys(ticket.lines))
    image_ids = tuple(dict.fromkeys(ticket.image_ids))
    if len(lines) > LINES_MAX:
        raise _too_many("lines", LINES_MAX)
    if len(image_ids) > IMAGES_MAX:
        raise _too_many("image_ids", IMAGES_MAX)
    return msgspec.structs.replace(
        ticket,
        first_name=checked_text(ticket.first_name, field="first_name", most=NAME_MAX),
        last_name=checked_text(ticket.last_name, field="last_name", most=NAME_MAX),
        reason=checked_text(
            ticket.reason, field="reason", most=REASON_MAX, may_be_empty=ticket.kind == "question"
        ),
        remark=checked_text(ticket.remark, field="remark", most=TEXT_MAX, may_be_empty=True),
        lines=lines,
        image_ids=image_ids,
    )


def _too_many(field: str, most: int) -> Invalid:
    return invalid(field, f"At most {most} can be named.")
