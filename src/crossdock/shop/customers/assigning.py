"""Assign a sales rep to a customer: the stored one, an outside directory's, the rotation's, or none.

| the customer has | the directory says | the rotation has | sales rep, source |
|---|---|---|---|
| a sales rep | - | - | that one, also if excluded: stored |
| none | an active sales rep's e-mail or name | - | that one, kept from now on: external |
| none | nothing, an unknown one, or no answer in time | somebody not excluded | the next, kept: rotation |
| none | as above | nobody | none, and an alert for staff |

The rotation cycles through the active sales reps by id. Its pointer moves under a row lock, after the
customer's row is locked, so that concurrent orders of a customer agree and no sales rep is skipped. The
exclusion list affects only new assignments by the rotation (spec shoppex_partner 4.3).
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import structlog

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError
from crossdock.kit.clock import Clock
from crossdock.kit.outbound import Outbound, OutboundError
from crossdock.shop.alerts import raise_alert

_ANSWER_LIMIT_BYTES = 65_536

_log = structlog.get_logger(__name__)


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """The sales rep of an order; `source` is stored, external, rotation or none."""

    sales_rep_id: int | None
    source: str


NOBODY = Assignment(sales_rep_id=None, source="none")


class Assigning(msgspec.Struct, frozen=True, kw_only=True):
    """The dependencies of assigning; an empty `directory_url` means no directory.

    `excluded` names sales reps by id, e-mail or name, in any case.
    """

    db: Database
    clock: Clock
    outbound: Outbound
    directory_url: str = ""
    directory_timeout: timedelta = timedelta(seconds=3)
    excluded: tuple[str, ...] = ()


async def assign_sales_rep(
    service: Assigning,
    *,
    shop_id: int,
    customer_id: int,
    email: str,
    sales_rep_id: int | None = None,
) -> Assignment:
    """The sales rep for a customer's next order; a new one is stored on the customer.

    `sales_rep_id` is what the caller has just read from the customer; if set, it is used.
    May call the directory, so no transaction may be open. Never raises for a missing sales rep: an order without
    one is better than no order.
    """
    if sales_rep_id is not None:
        return Assignment(sales_rep_id=sales_rep_id, source="stored")
    try:
        if named := await _ask_directory(service, customer_id=customer_id, email=email):
            async with service.db.begin() as tx:
                assignment = await _store_named(
                    tx, shop_id=shop_id, customer_id=customer_id, named=named
                )
            if assignment:
                return assignment
            _log.warning("assignment.directory_unknown_sales_rep", customer_id=customer_id)
        async with service.db.begin() as tx:
            return await _rotate(service, tx, shop_id=shop_id, customer_id=customer_id)
    except CrossdockError as error:
        _log.warning("assignment.unresolved", customer_id=customer_id, code=error.code)
        return NOBODY


async def _ask_directory(service: Assigning, *, customer_id: int, email: str) -> str:
    """The directory's answer, or '' for no hit, no directory, a timeout, or an invalid answer."""
    if not service.directory_url or not email:
        return ""
    separator = "&" if "?" in service.directory_url else "?"
    try:
        answer = await service.outbound.request(
            "GET",
            service.directory_url + separator + urlencode({"email": email}),
            deadline_s=service.directory_timeout.total_seconds(),
            limit_bytes=_ANSWER_LIMIT_BYTES,
        )
    except OutboundError as error:
        _log.warning("assignment.directory_failed", customer_id=customer_id, error=str(error))
        return ""
    if answer.status == 404:
        return ""
    found = answer.json() if answer.is_success else None
    if not isinstance(found, dict):
        _log.warning("assignment.directory_failed", customer_id=customer_id, status=answer.status)
        return ""
    named = found.get("sales_rep")
    return named.strip() if isinstance(named, str) and "\0" not in named else ""


async def _store_named(
    tx: Transaction, *, shop_id: int, customer_id: int, named: str
) -> Assignment | None:
    """Store the active sales rep with this e-mail or name on the customer; None if there is none."""
    if stored := await _stored(tx, shop_id=shop_id, customer_id=customer_id):
        return stored
    sales_rep_id = await tx.value(
        "select id from sales_reps where shop_id = %(shop)s and active"
        " and (lower(email) = lower(%(named)s) or lower(name) = lower(%(named)s))"
        " order by lower(email) = lower(%(named)s) desc nulls last, id limit 1",
        {"shop": shop_id, "named": named},
    )
    if sales_rep_id is None:
        return None
    return await _store(
        tx, shop_id=shop_id, customer_id=customer_id, sales_rep_id=sales_rep_id, source="external"
    )


async def _rotate(
    service: Assigning, tx: Transaction, *, shop_id: int, customer_id: int
) -> Assignment:
    if stored := await _stored(tx, shop_id=shop_id, customer_id=customer_id):
        return stored
    await tx.run(
        "insert into sales_rep_rotation (shop_id) values (%s) on conflict do nothing", (shop_id,)
    )
    last = await tx.value(
        "select last_sales_rep_id from sales_rep_rotation where shop_id = %s for no key update",
        (shop_id,),
    )
    sales_reps = await tx.all(
        "select id, email, name from sales_reps where shop_id = %s and active order by id",
        (shop_id,),
    )
    sales_rep_id = next_sales_rep(sales_reps, last=last, excluded=service.excluded)
    if sales_rep_id is None:
        await _alert(tx, shop_id=shop_id, customer_id=customer_id, service=service)
        return NOBODY
    await tx.run(
        "update sales_rep_rotation set last_sales_rep_id = %s where shop_id = %s",
        (sales_rep_id, shop_id),
    )
    return await _store(
        tx, shop_id=shop_id, customer_id=customer_id, sales_rep_id=sales_rep_id, source="rotation"
    )


def next_sales_rep(
    sales_reps: list[tuple[Any, ...]], *, last: int, excluded: tuple[str, ...]
) -> int | None:
    """The next eligible sales rep after `last`, cyclically; `sales_reps` are (id, email, name) by id."""
    barred = {entry.strip().casefold() for entry in excluded}
    eligible = [
        row[0]
        for row in sales_reps
        if barred.isdisjoint(str(value or "").casefold() for value in row)
    ]
    return next(
        (sales_rep_id for sales_rep_id in eligible if sales_rep_id > last),
        next(iter(eligible), None),
    )


async def _stored(tx: Transaction, *, shop_id: int, customer_id: int) -> Assignment | None:
    """The sales rep that a concurrent order has stored on the customer; locks the customer."""
    row = await tx.one(
        "select sales_rep_id from customers where shop_id = %s and id = %s for no key update",
        (shop_id, customer_id),
    )
    if row is None:
        return NOBODY
    return None if row[0] is None else Assignment(sales_rep_id=row[0], source="stored")


async def _store(
    tx: Transaction, *, shop_id: int, customer_id: int, sales_rep_id: int, source: str
) -> Assignment:
    await tx.run(
        "update customers set sales_rep_id = %s, sales_rep_source = %s"
        " where shop_id = %s and id = %s and sales_rep_id is null",
        (sales_rep_id, source, shop_id, customer_id),
    )
    return Assignment(sales_rep_id=sales_rep_id, source=source)


async def _alert(tx: Transaction, *, shop_id: int, customer_id: int, service: Assigning) -> None:
    """Raise the alert; it is raised once until it is seen, for any number of orders."""
    await raise_alert(
        tx,
        shop_id=shop_id,
        kind="sales_rep_missing",
        message=f"No sales rep is eligible for customer {customer_id}; orders come without one.",
        now=service.clock.now(),
    )
