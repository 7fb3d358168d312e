"""`/dev/v1/resellers/{id}/stock-purchases` and `/stock-transfers`: resellers buy stock (spec sections 6.9, 8.4)."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.invoice_happenings import STATUSES
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.routes import DEV, Route, Writes
from crossdock.channels.shoppex_reseller.wire import Reply, iso, number, one, percent
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.ids import Ids
from crossdock.shop.invoices import Invoice, read_invoice, read_invoices
from crossdock.shop.resellers import (
    LimitUnit,
    StockRequest,
    StockTransfer,
    TransferState,
    allocate_transfer,
    invoice_transfer,
    list_transfers,
    mark_transfer_paid,
    read_reseller,
    read_transfer,
    request_stock,
    revoke_transfer,
)

READ, WRITE = "reseller_stock.read", "reseller_stock.write"
QUANTITY_MAX: Final = 10_000
STATES: Final[dict[str, TransferState]] = {
    "REQUESTED": "requested",
    "INVOICED": "invoiced",
    "PAID": "paid",
    "ALLOCATED": "allocated",
    "REVOKED": "revoked",
}
COIN_MAX: Final = 40
_PAYABLE: Final = ("pending", "confirming")
Move = Callable[..., Awaitable[StockTransfer]]
ONE: Final = f"{DEV}/resellers/{{id}}"
_NOTHING: Final = -1
"""Stands for an id that is none, which names no product and no variant."""


class ShownStockInvoice(msgspec.Struct, kw_only=True):
    """The last invoice of a purchase; `checkout_url` is the page where it is paid."""

    id: str
    uniqid: str
    status: str
    total: Decimal | None
    currency: str
    checkout_url: str | None
    expires_at: str | None


class ShownTransfer(msgspec.Struct, kw_only=True):
    """A purchase of stock at the price of its request."""

    id: str
    reseller_relationship_id: str
    shop_id: str
    status: str
    product_id: str
    product_title: str
    variant_id: str | None
    variant_title: str | None
    quantity: int
    unit_price: Decimal | None
    wholesale_discount_percent: Decimal | None
    unit_wholesale_price: Decimal | None
    total: Decimal | None
    currency: str
    invoice: ShownStockInvoice | None
    allocated_count: int
    delivered_count: int
    payment_source: str | None
    requested_at: str | None
    invoiced_at: str | None
    paid_at: str | None
    allocated_at: str | None
    revoked_at: str | None
    created_at: str | None
    updated_at: str | None


class Purchases:
    """Purchases of stock; `limits` is what purchase limits count, `pay_url` where an invoice is paid."""

    def __init__(self, *, limits: LimitUnit, ids: Ids, pay_url: Callable[[str], str]) -> None:
        self._limits: LimitUnit = limits
        self._ids = ids
        self._pay_url = pay_url

    async def request(self, call: Call, tx: Transaction) -> Reply:
        """A new transfer."""
        reseller_id = call.number(Kind.RELATIONSHIP)
        fields = call.fields()
        product = fields.text("product_id", required=True)
        variant = fields.text("variant_id", nullable=True)
        quantity = fields.whole("quantity", least=1, most=QUANTITY_MAX, required=True)
        fields.check()
        request = StockRequest(
            product_id=number_of(call, Kind.PRODUCT, product),
            variant_id=number_of(call, Kind.VARIANT, variant) if variant else None,
            quantity=quantity or 0,
        )
        made = await request_stock(
            tx,
            shop_id=call.shop_id,
            reseller_id=reseller_id,
            request=request,
            now=call.now,
            limits=self._limits,
        )
        return one(self._show(call, made, None), status=201)

    async def list(self, call: Call, tx: Transaction) -> Reply:
        """The relationship's transfers, newest first."""
        page, filters = call.place_page(Kind.TRANSFER), call.filters()
        state = filters.choice("status", STATES)
        product = filters.text("product_id")
        filters.check()
        reseller_id = call.number(Kind.RELATIONSHIP)
        await read_reseller(tx, shop_id=call.shop_id, reseller_id=reseller_id)  # or 404
        found = await list_transfers(
            tx,
            shop_id=call.shop_id,
            reseller_id=reseller_id,
            page=page,
            state=state,
            product_id=number_of(call, Kind.PRODUCT, product) if product else None,
        )
        wanted = [each.invoice_id for each in found if each.invoice_id is not None]
        invoices = await read_invoices(tx, shop_id=call.shop_id, invoice_ids=wanted)
        return cursor_list(
            found,
            page=page,
            kind=Kind.TRANSFER,
            ids=call.ids,
            place=lambda each: (each.requested_at, each.id),
            show=lambda each: self._show(call, each, invoices.get(each.invoice_id or 0)),
        )

    async def get(self, call: Call, tx: Transaction) -> Reply:
        """One transfer of the relationship's."""
        found = await read_transfer(tx, **_names(call))
        return await self._answer(call, tx, found)

    async def invoice(self, call: Call, tx: Transaction) -> Reply:
        """The invoice of a transfer: 201 if it was made now."""
        fields = call.fields()
        coin = fields.text("coin", nullable=True, longest=COIN_MAX)
        fields.check()
        made = await invoice_transfer(
            tx, **_names(call), ids=self._ids, now=call.now, coin=coin or ""
        )
        shown = self._show(call, made.transfer, made.invoice)
        return one(shown, status=201 if made.is_new else 200)

    def move(self, act: Move) -> Writes:
        """Answers the route of an action on a transfer."""

        async def move(call: Call, tx: Transaction) -> Reply:
            return await self._answer(call, tx, await act(tx, **_names(call), now=call.now))

        return move

    async def _answer(self, call: Call, tx: Transaction, transfer: StockTransfer) -> Reply:
        invoice = None
        if transfer.invoice_id is not None:
            invoice = await read_invoice(tx, shop_id=call.shop_id, invoice_id=transfer.invoice_id)
        return one(self._show(call, transfer, invoice))

    def _show(self, call: Call, transfer: StockTransfer, invoice: Invoice | None) -> ShownTransfer:
        variant_id, currency = transfer.variant_id, transfer.currency
        source = transfer.payment_source
        return ShownTransfer(
            id=call.ids.write(Kind.TRANSFER, transfer.id),
            reseller_relationship_id=call.ids.write(Kind.RELATIONSHIP, transfer.reseller_id),
            shop_id=call.ids.write(Kind.SHOP, transfer.shop_id),
            status=transfer.state.upper(),
            product_id=call.ids.write(Kind.PRODUCT, transfer.product_id),
            product_title=transfer.product_name,
            variant_id=None if variant_id is None else call.ids.write(Kind.VARIANT, variant_id),
            variant_title=None if variant_id is None else transfer.variant_name,
            quantity=transfer.quantity,
            unit_price=number(transfer.base_minor, currency),
            wholesale_discount_percent=percent(transfer.discount_bp),
            unit_wholesale_price=number(transfer.unit_minor, currency),
            total=number(transfer.total_minor, currency),
            currency=currency,
            invoice=self._show_invoice(call, invoice) if invoice else None,
            allocated_count=transfer.allocated_count,
            delivered_count=transfer.delivered_count,
            payment_source=source.upper() if source else None,
            requested_at=iso(transfer.requested_at),
            invoiced_at=iso(transfer.invoiced_at),
            paid_at=iso(transfer.paid_at),
            allocated_at=iso(transfer.allocated_at),
            revoked_at=iso(transfer.revoked_at),
            created_at=iso(transfer.requested_at),
            updated_at=iso(transfer.updated_at),
        )

    def _show_invoice(self, call: Call, invoice: Invoice) -> ShownStockInvoice:
        shown = call.ids.write(Kind.INVOICE, invoice.id)
        return ShownStockInvoice(
            id=shown,
            uniqid=shown,
            status=STATUSES[invoice.state],
            total=number(invoice.total_minor, invoice.currency),
            currency=invoice.currency,
            checkout_url=self._pay_url(invoice.token) if invoice.state in _PAYABLE else None,
            expires_at=iso(invoice.expires_at),
        )


def _names(call: Call) -> dict[str, int]:
    """What names a transfer of the path."""
    return {
        "shop_id": call.shop_id,
        "reseller_id": call.number(Kind.RELATIONSHIP),
        "transfer_id": call.number(Kind.TRANSFER, "transferId"),
    }


def number_of(call: Call, kind: Kind, shown: str | None) -> int:
    """The number behind an id of a body or a query; one that is none names nothing."""
    found = call.ids.find(kind, shown or "")
    return _NOTHING if found is None else found


_BODY: Final[dict[str, dict[str, Any]]] = {
    "product_id": {"type": "string"},
    "variant_id": {"type": ["string", "null"]},
    "quantity": {"type": "integer", "minimum": 1, "maximum": QUANTITY_MAX},
}
_COIN: Final[dict[str, dict[str, Any]]] = {
    "coin": {"type": ["string", "null"], "maxLength": COIN_MAX},
}
_FILTERS: Final[dict[str, dict[str, Any]]] = {
    "status": {"type": "string", "enum": [*STATES]},
    "product_id": {"type": "string"},
}
_TRANSFERS: Final = f"{ONE}/stock-transfers"
_TRANSFER: Final = f"{_TRANSFERS}/{{transferId}}"


def create_routes(
    *, limits: LimitUnit, ids: Ids, pay_url: Callable[[str], str]
) -> tuple[Route, ...]:
    """The routes of purchases and transfers."""
    purchases = Purchases(limits=limits, ids=ids, pay_url=pay_url)
    return (
        Route(
            method="POST", covers="shop", path=f"{ONE}/stock-purchases", name="requestStockPurchase",
            summary="Ask for stock at the reseller's price; nothing is reserved until it is paid.",
            scope=WRITE, writes=purchases.request, status=201, answer=ShownTransfer,
            body=_BODY, required=("product_id", "quantity"),
        ),
        Route(
            method="GET", covers="shop", path=_TRANSFERS, name="listStockTransfers",
            summary="The reseller's purchases of stock, newest first.",
            scope=READ, reads=purchases.list, answer=ShownTransfer, listed="cursor", query=_FILTERS,
        ),
        Route(
            method="GET", covers="shop", path=_TRANSFER, name="getStockTransfer",
            summary="One purchase of stock.", scope=READ, reads=purchases.get, answer=ShownTransfer,
        ),
        Route(
            method="POST", covers="shop", path=f"{_TRANSFER}/invoice", name="createStockPurchaseInvoice",
            summary="The invoice of a purchase; made if there is none that can be paid.",
            scope=WRITE, writes=purchases.invoice, status=201, answer=ShownTransfer, body=_COIN,
        ),
        Route(
            method="POST", covers="shop", path=f"{_TRANSFER}/mark-paid", name="markStockTransferPaid",
            summary="Record a payment outside of the checkout; it allocates nothing.",
            scope=WRITE, writes=purchases.move(mark_transfer_paid), answer=ShownTransfer,
        ),
        Route(
            method="POST", covers="shop", path=f"{_TRANSFER}/allocate", name="allocateStockTransfer",
            summary="Give the reseller the serials of a paid purchase, all or none, once.",
            scope=WRITE, writes=purchases.move(allocate_transfer), answer=ShownTransfer,
        ),
        Route(
            method="POST", covers="shop", path=f"{_TRANSFER}/revoke", name="revokeStockTransfer",
            summary="Take back what was not delivered; nothing is refunded.",
            scope=WRITE, writes=purchases.move(revoke_transfer), answer=ShownTransfer,
        ),
    )  # fmt: skip
