"""An invoice: an amount that is asked for without goods of an order behind it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.paging import PlacePage

Purpose = Literal["payment", "stock_transfer", "top_up"]
STOCK_TITLE: Final = "Stock: "
"""How the title of an invoice of stock begins; what it is of follows."""
InvoiceState = Literal[
    "pending", "confirming", "completed", "voided", "partially_refunded", "refunded"
]
VoidReason = Literal["", "by_hand", "expired"]

MOVES: frozenset[tuple[str, InvoiceState]] = frozenset(
    {
        ("", "pending"),
        ("pending", "confirming"),
        ("confirming", "pending"),
        ("pending", "completed"),
        ("confirming", "completed"),
        ("pending", "voided"),
        ("confirming", "voided"),
        ("completed", "partially_refunded"),
        ("completed", "refunded"),
        ("partially_refunded", "refunded"),
    }
)
"""Every move there is; the table `invoice_moves` refuses any other. '' is before the first."""
PAID: tuple[InvoiceState, ...] = ("completed", "partially_refunded", "refunded")


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice; amounts in minor units. `subject_id` is what its purpose is about, such as the stock transfer.

    `confirming`: a card's payment is authorised for it and about to be captured. `provider` is who took the
    payment, '' without one. `paid_late_at`: money came in after it was voided. Its repr hides the token.
    """

    shop_id: int
    id: int
    token: str
    purpose: Purpose
    subject_id: int | None
    title: str
    quantity: int
    unit_minor: int
    total_minor: int
    currency: str
    email: str
    state: InvoiceState
    void_reason: VoidReason
    payment_id: int | None
    provider: str
    note: str
    return_url: str
    cancel_url: str
    metadata: Mapping[str, Any]
    is_test: bool
    expires_at: datetime | None
    paid_at: datetime | None
    paid_late_at: datetime | None
    voided_at: datetime | None
    created_at: datetime
    updated_at: datetime

    def __repr__(self) -> str:
        return f"Invoice(id={self.id}, {self.state})"

    def is_open(self, *, now: datetime) -> bool:
        """Whether it can be paid now."""
        is_over = self.expires_at is not None and self.expires_at <= now
        return self.state == "pending" and not is_over


COLUMNS = (
    "i.shop_id, i.id, i.token, i.purpose, i.subject_id, i.title, i.quantity, i.unit_minor, i.total_minor,"
    " i.currency, i.email, i.state, i.void_reason, i.payment_id, coalesce(p.provider, ''), i.note,"
    " i.return_url, i.cancel_url, i.metadata, i.is_test, i.expires_at, i.paid_at, i.paid_late_at,"
    " i.voided_at, i.created_at, i.updated_at"
)
_FROM = "from invoices i left join payments p on p.shop_id = i.shop_id and p.id = i.payment_id"


def invoice_of(row: tuple[Any, ...]) -> Invoice:
    """The invoice in a row of COLUMNS."""
    return Invoice(**dict(zip(Invoice.__struct_fields__, row, strict=True)))


async def read_invoice(tx: Transaction, *, shop_id: int, invoice_id: int) -> Invoice:
    """One invoice. Raises NotFound `not_found`."""
    row = await tx.one(
        f"select {COLUMNS} {_FROM} where i.shop_id = %s and i.id = %s", (shop_id, invoice_id)
    )
    return _found(row)


async def find_invoice(
    tx: Transaction, *, shop_id: int, purpose: Purpose, subject_id: int
) -> Invoice | None:
    """The last invoice that was made for this subject; None without one."""
    row = await tx.one(
        f"select {COLUMNS} {_FROM} where i.shop_id = %s and i.purpose = %s and i.subject_id = %s"
        " order by i.id desc limit 1",
        (shop_id, purpose, subject_id),
    )
    return invoice_of(row) if row else None


async def read_invoices(
    tx: Transaction, *, shop_id: int, invoice_ids: list[int]
) -> dict[int, Invoice]:
    """Invoices by their ids, in one statement."""
    rows = await tx.all(
        f"select {COLUMNS} {_FROM} where i.shop_id = %s and i.id = any(%s)", (shop_id, invoice_ids)
    )
    found = [invoice_of(row) for row in rows]
    return {invoice.id: invoice for invoice in found}


async def read_by_token(tx: Transaction, *, token: str) -> Invoice:
    """The invoice with this token. Raises NotFound `not_found`."""
    return _found(await tx.one(f"select {COLUMNS} {_FROM} where i.token = %s", (token,)))


async def lock_invoice(tx: Transaction, *, shop_id: int, invoice_id: int) -> Invoice:
    """The invoice, its row locked. Raises NotFound `not_found`."""
    row = await tx.one(
        f"select {COLUMNS} {_FROM} where i.shop_id = %s and i.id = %s for no key update of i",
        (shop_id, invoice_id),
    )
    return _found(row)


def _found(row: tuple[Any, ...] | None) -> Invoice:
    if row is None:
        raise NotFound("not_found", "There is no such invoice.")
    return invoice_of(row)


async def page_invoices(
    tx: Transaction,
    *,
    shop_id: int,
    purpose: Purpose,
    page: PlacePage,
    states: Sequence[InvoiceState] | None = None,
) -> list[Invoice]:
    """A page of the shop's invoices for a purpose, the newest first, one more than its size if there are more."""
    values = {
        "shop": shop_id,
        "purpose": purpose,
        "states": None if states is None else list(states),
        **page.bounds(),
    }
    rows = await tx.all(
        f"select {COLUMNS} {_FROM} where i.shop_id = %(shop)s and i.purpose = %(purpose)s"
        " and (i.created_at, i.id) < (%(after_time)s::timestamptz, %(after_id)s)"
        " and (i.created_at, i.id) > (%(before_time)s::timestamptz, %(before_id)s)"
        " and (%(states)s::text[] is null or i.state = any(%(states)s))"
        " order by i.created_at desc, i.id desc limit %(size)s",
        values,
    )
    return [invoice_of(row) for row in rows]


async def list_invoices(
    tx: Transaction, *, shop_id: int, before: int | None = None, limit: int = 50
) -> list[Invoice]:
    """At most `limit` invoices, newest first; pass the last id as `before` for the next page."""
    rows = await tx.all(
        f"select {COLUMNS} {_FROM} where i.shop_id = %(shop)s"
        " and (%(before)s::bigint is null or i.id < %(before)s) order by i.id desc limit %(limit)s",
        {"shop": shop_id, "before": before, "limit": limit},
    )
    return [invoice_of(row) for row in rows]
