"""`/dev/v1/invoices`: what a shop asks money for, orders and payments alike (spec section 13).

Where goods are sold the invoice is the order, under its id. Invoices without goods have ids of their own.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from crossdock.channels.plumbing import Unreadable, read_json
from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.errors import invalid
from crossdock.channels.shoppex_reseller.fields import Fields
from crossdock.channels.shoppex_reseller.happenings import order_status
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.invoice_fields import (
    BY_HAND,
    ShownInvoice,
    shown_invoice,
    shown_order_invoice,
)
from crossdock.channels.shoppex_reseller.invoice_happenings import ORDER_TYPE, STATUSES, TYPES
from crossdock.channels.shoppex_reseller.openapi import FLAG, TEXT
from crossdock.channels.shoppex_reseller.order_fields import read_action, states_by_word
from crossdock.channels.shoppex_reseller.orders import read_seen
from crossdock.channels.shoppex_reseller.paging import limit_of, read_pair, write_pair
from crossdock.channels.shoppex_reseller.payments import complete_by_hand
from crossdock.channels.shoppex_reseller.routes import DEV, Route
from crossdock.channels.shoppex_reseller.wire import Reply, one, seconds
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound, Refused
from crossdock.shop.invoices import (
    NEWEST,
    Bill,
    BillFilters,
    Invoice,
    InvoiceState,
    Purpose,
    browse_bills,
    place_after,
    read_invoice,
)
from crossdock.shop.mailing import Mailing
from crossdock.shop.orders import OrderView, annotate_order, complete_order, replace_bought_serials

PATH: Final = f"{DEV}/invoices"
ONE: Final = f"{PATH}/{{uniqid}}"
READ, WRITE = "invoices.read", "invoices.write"
REASON_MAX: Final = 500
QUANTITY_MAX: Final = 10_000
_SORTS: Final = dict.fromkeys(
    ("-CREATED_AT", "CREATED_AT:DESC", "CREATED_AT DESC", "-CREATEDAT", "CREATEDAT:DESC"), True
)
_FULL: Final = {"TRUE": True, "FALSE": False}
_INVOICE_STATES: Final[dict[str, list[InvoiceState]]] = {}
for _state, _word in STATUSES.items():
    _INVOICE_STATES.setdefault(_word, []).append(_state)
_PURPOSES: Final[dict[str, Purpose]] = {word: purpose for purpose, word in TYPES.items()}
_KINDS: Final = {word: word for word in (ORDER_TYPE, *_PURPOSES)}


class ShownReplacement(msgspec.Struct, frozen=True, kw_only=True):
    """Serials of an invoice that were replaced; the buyer is mailed the new ones."""

    id: str
    invoice_id: str
    product_id: str
    quantity: int
    message: str
    created_at: int | None


_QUERY: Final[dict[str, dict[str, Any]]] = {
    "status": {"type": "string", "enum": sorted({*STATUSES.values()})},
    "customerEmail": {"type": "string", "format": "email"},
    "filters": {"type": "string", "description": "A JSON object with status, customerEmail, type."},
    "sorts": {"type": "string", "enum": ["-created_at"]},
}
_COMPLETED: Final = {"note": TEXT, "suppress_emails": FLAG}
_REPLACED: Final[dict[str, dict[str, Any]]] = {
    "full": {"type": ["string", "null"], "enum": ["true", "false", None]},
    "quantity": {"type": ["integer", "null"], "minimum": 1, "maximum": QUANTITY_MAX},
    "product_id": {"type": ["string", "null"], "maxLength": 50},
    "reason": {"type": ["string", "null"], "maxLength": REASON_MAX},
    "override_remaining_quantity": FLAG,
}


class Invoices:
    """The calls of invoices."""

    def __init__(self, mailing: Callable[[], Mailing]) -> None:
        self._mailing = mailing

    def routes(self) -> tuple[Route, ...]:
        """The routes of this file."""
        invoice: dict[str, Any] = {"answer": ShownInvoice}
        return (
            Route(method="GET", covers="merchants",
                  path=PATH, name="listInvoices",
                  summary="List orders and payments, the newest first", scope=READ,
                  reads=self._list, listed="cursor", query=_QUERY, **invoice),
            Route(method="GET", covers="merchants",
                  path=ONE, name="getInvoice", summary="Read an invoice", scope=READ,
                  reads=self._get, **invoice),
            Route(method="POST", covers="merchants",
                  path=f"{ONE}/complete", name="completeInvoice",
                  summary="Note that an invoice was paid outside", scope=WRITE,
                  writes=self._complete, body=_COMPLETED, **invoice),
            Route(method="POST", covers="merchants",
                  path=f"{ONE}/replacements", name="replaceInvoiceSerials",
                  summary="Replace serials that do not work by others", scope=WRITE,
                  writes=self._replace, status=201, body=_REPLACED, answer=ShownReplacement),
        )  # fmt: skip

    async def _list(self, call: Call, tx: Transaction) -> Reply:
        filters = _read_filters(call)
        fields = call.filters()
        size = limit_of(fields)
        after = read_pair(fields, ids=call.ids, kinds=(Kind.ORDER, Kind.INVOICE)) or NEWEST
        fields.check()
        found = await browse_bills(
            tx, shop_id=call.shop_id, filters=filters, size=size, after=after
        )
        page, has_more = found[:size], len(found) > size
        following = None
        if has_more:
            place = place_after(page, after=after)
            following = write_pair(place, ids=call.ids, kinds=(Kind.ORDER, Kind.INVOICE))
        data = [_shown(call, bill) for bill in page]
        pagination = {"next_cursor": following, "has_more": has_more}
        return Reply(body={"data": data, "pagination": pagination})

    async def _get(self, call: Call, tx: Transaction) -> Reply:
        return one(_shown(call, await _read_bill(call, tx)))

    async def _complete(self, call: Call, tx: Transaction) -> Reply:
        note, mails = read_action(call)
        bill = await _read_bill(call, tx)
        if isinstance(bill, Invoice):
            await complete_by_hand(call, tx, bill, note=note)
        else:
            await self._complete_order(call, tx, bill, note=note, mails=mails)
        return one(_shown(call, await _read_bill(call, tx)))

    async def _complete_order(
        self, call: Call, tx: Transaction, order: OrderView, *, note: str, mails: bool
    ) -> None:
        try:
            await complete_order(
                tx,
                shop_id=call.shop_id,
                order_id=order.id,
                mailing=self._mailing(),
                note=note,
                mails=mails,
                now=call.now,
            )
        except Refused as refused:
            if refused.code not in {"order_state", "order_expired"}:
                raise
            text = f"is {order_status(order)}, which cannot be completed"
            raise invalid(("status", text)) from refused
        await annotate_order(
            tx,
            shop_id=call.shop_id,
            order_id=order.id,
            changes={"gateway": BY_HAND},
            now=call.now,
        )

    async def _replace(self, call: Call, tx: Transaction) -> Reply:
        fields = call.fields()
        is_full = fields.choice("full", _FULL, nullable=True) is True
        quantity = fields.whole("quantity", least=1, most=QUANTITY_MAX, nullable=True)
        product = fields.text("product_id", nullable=True, longest=50)
        reason = fields.text("reason", nullable=True, longest=REASON_MAX)
        overrides = fields.flag("override_remaining_quantity", nullable=True) is True
        product_id = call.ids.find(Kind.PRODUCT, product) if product else None
        if product and product_id is None:
            fields.refuse("product_id", "is not a product of this invoice")
        if is_full and quantity is not None:
            fields.refuse("quantity", "must not be given with full")
        fields.check()
        bill = await _read_bill(call, tx)
        if isinstance(bill, Invoice):
            raise invalid(("product_id", "no goods were sold with this invoice"))
        done = await replace_bought_serials(
            tx,
            shop_id=call.shop_id,
            order_id=bill.id,
            product_id=product_id,
            quantity=None if is_full else quantity or 1,
            overrides=overrides,
            reason=reason or "",
            mailing=self._mailing(),
            now=call.now,
        )
        shown = ShownReplacement(
            id=call.ids.write(Kind.REPLACEMENT, done.id),
            invoice_id=call.ids.write(Kind.ORDER, bill.id),
            product_id=call.ids.write(Kind.PRODUCT, done.product_id),
            quantity=done.quantity,
            message=f"{done.quantity} replaced; the buyer was mailed the new ones."
            if done.is_mailed
            else f"{done.quantity} replaced.",
            created_at=seconds(call.now),
        )
        return one(shown, status=201)


def _shown(call: Call, bill: Bill) -> ShownInvoice:
    if isinstance(bill, Invoice):
        return shown_invoice(bill, call.ids, pay_url=call.pay_url)
    return shown_order_invoice(call, bill)


async def _read_bill(call: Call, tx: Transaction) -> Bill:
    """The order or the invoice with the path's id, for a key of some merchants an order of theirs.

    Raises NotFound for any other text.
    """
    shown = call.path["uniqid"]
    order_id = call.ids.find(Kind.ORDER, shown)
    if order_id is not None:
        return await read_seen(call, tx, order_id)
    invoice_id = call.ids.find(Kind.INVOICE, shown)
    if invoice_id is None or call.partner.visible_merchants is not None:
        raise NotFound("not_found")
    return await read_invoice(tx, shop_id=call.shop_id, invoice_id=invoice_id)


def _read_filters(call: Call) -> BillFilters:
    """The filters of a query, and of the JSON object in `filters`, which goes behind them."""
    given: dict[str, Any] = {}
    fields = call.filters()
    if text := call.query.get("filters"):
        found = _object(text)
        if found is None:
            fields.refuse("filters", "must be a JSON object")
        given = found or {}
        if strange := sorted(given.keys() - {"status", "customerEmail", "customer_email", "type"}):
            fields.refuse("filters", f"has no {strange[0]!r:.40}")
    if sorts := call.query.get("sorts"):
        _check_sorts(fields, sorts)
    own = {name: value for name, value in call.query.items() if name in {"status", "customerEmail"}}
    wanted = Fields({**_renamed(given), **own})
    word = wanted.choice("status", {each: each for each in _words()})
    email = wanted.email("customerEmail")
    kind = wanted.choice("type", _KINDS)
    fields.wrong += wanted.wrong
    fields.check()
    merchants = call.partner.merchant_ids
    return BillFilters(
        merchant_ids=None if merchants is None else tuple(merchants),
        order_states=None if word is None else tuple(states_by_word().get(word, ())),
        invoice_states=None if word is None else tuple(_INVOICE_STATES.get(word, ())),
        purposes=_purposes(kind),
        orders=kind in {None, ORDER_TYPE},
        email=email,
    )


def _purposes(kind: str | None) -> tuple[Purpose, ...] | None:
    if kind is None:
        return None
    return (_PURPOSES[kind],) if kind in _PURPOSES else ()


def _words() -> Sequence[str]:
    """Every status that an invoice may have in this protocol; nothing has some of them here."""
    others = ("PENDING_PAYMENT", "PARTIAL", "CUSTOMER_DISPUTE_ONGOING", "REVERSED")
    return (*sorted({*STATUSES.values(), *states_by_word()}), *others)


def _check_sorts(fields: Fields, text: str) -> None:
    if text.strip().upper() not in _SORTS:
        fields.refuse("sorts", "must be -created_at: the newest is first")


def _renamed(given: dict[str, Any]) -> dict[str, Any]:
    if "customer_email" not in given:
        return given
    rest = {name: value for name, value in given.items() if name != "customer_email"}
    return {"customerEmail": given["customer_email"], **rest}


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = read_json(text.encode("utf-8", "replace"))
    except Unreadable:
        return None
    return found if isinstance(found, dict) else None
