"""`/dev/v1/resellers/{id}/sales` (spec section 6.6)."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.periods import PERIOD, read_period
from crossdock.channels.shoppex_reseller.routes import DEV, Route
from crossdock.channels.shoppex_reseller.wire import Reply, iso, number, percent
from crossdock.db.unit_of_work import Transaction
from crossdock.shop.resellers import Sale, SaleFilter, SaleStatus, list_sales, read_reseller

STATUSES: Final[dict[str, SaleStatus]] = {
    "PENDING": "pending",
    "APPROVED": "approved",
    "REVERSED": "reversed",
}
_NONE: Final = -1


class ShownSale(msgspec.Struct, kw_only=True):
    """A line that a reseller sold. Of its commission refunds took `reversed_amount` back."""

    id: str
    reseller_relationship_id: str
    order_id: str
    invoice_uniqid: str
    product_id: str
    variant_id: str | None
    quantity: int
    gross_amount: Decimal | None
    commission_base: Decimal | None
    commission_percent: Decimal | None
    commission_amount: Decimal | None
    reversed_amount: Decimal | None
    currency: str
    channel: str
    embed_campaign_id: str | None
    customer_email: str
    status: str
    available_at: str | None
    created_at: str | None


async def list_(call: Call, tx: Transaction) -> Reply:
    """The relationship's sales, newest first."""
    reseller_id, page = call.number(Kind.RELATIONSHIP), call.place_page(Kind.SALE)
    filters = call.filters()
    status, period = filters.choice("status", STATUSES), read_period(filters)
    wanted = filters.text("campaign_id")
    filters.check()
    campaign_id = call.ids.find(Kind.CAMPAIGN, wanted) if wanted else None
    await read_reseller(tx, shop_id=call.shop_id, reseller_id=reseller_id)  # 404 for another shop's
    found = await list_sales(
        tx,
        shop_id=call.shop_id,
        reseller_id=reseller_id,
        page=page,
        chosen=SaleFilter(
            status=status,
            campaign_id=_NONE if wanted and campaign_id is None else campaign_id,
            since=period.since,
            until=period.until,
        ),
    )
    return cursor_list(
        found,
        page=page,
        kind=Kind.SALE,
        ids=call.ids,
        place=lambda each: (each.created_at, each.id),
        show=lambda each: show(call, each),
    )


def show(call: Call, sale: Sale) -> ShownSale:
    """A sale as it is told."""
    order, campaign = call.ids.write(Kind.ORDER, sale.order_id), sale.campaign_id
    return ShownSale(
        id=call.ids.write(Kind.SALE, sale.id),
        reseller_relationship_id=call.ids.write(Kind.RELATIONSHIP, sale.reseller_id),
        order_id=order,
        invoice_uniqid=order,
        product_id=call.ids.write(Kind.PRODUCT, sale.product_id),
        variant_id=None
        if sale.variant_id is None
        else call.ids.write(Kind.VARIANT, sale.variant_id),
        quantity=sale.quantity,
        gross_amount=number(sale.gross_minor, sale.currency),
        commission_base=number(sale.base_minor, sale.currency),
        commission_percent=percent(sale.commission_bp),
        commission_amount=number(sale.commission_minor, sale.currency),
        reversed_amount=number(sale.reversed_minor, sale.currency),
        currency=sale.currency,
        channel="LINK" if campaign is None else "EMBED",
        embed_campaign_id=None if campaign is None else call.ids.write(Kind.CAMPAIGN, campaign),
        customer_email=sale.customer_email,
        status=sale.status.upper(),
        available_at=iso(sale.available_at),
        created_at=iso(sale.created_at),
    )


_QUERY: Final[dict[str, dict[str, Any]]] = {
    "status": {"type": "string", "enum": [*STATUSES]},
    "campaign_id": {"type": "string"},
    **PERIOD,
}
ROUTES: Final = (
    Route(
        method="GET", covers="shop", path=f"{DEV}/resellers/{{id}}/sales", name="listResellerSales",
        summary="What a reseller sold, a line each, newest first.",
        scope="reseller_sales.read", reads=list_, answer=ShownSale, listed="cursor", query=_QUERY,
    ),
)  # fmt: skip
