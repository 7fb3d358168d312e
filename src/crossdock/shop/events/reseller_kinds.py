"""The kinds of events of the reseller programme."""

from datetime import datetime

import msgspec

from crossdock.shop.events.payloads import Payload


class ResellerInvited(Payload, frozen=True, kw_only=True):
    """Somebody was invited to become a reseller; the subject is the invitation."""

    kind = "reseller.invited"
    topic = "resellers"
    email: str
    mode: str
    expires_at: datetime


class ResellerAccepted(Payload, frozen=True, kw_only=True):
    """An invitation was accepted; the subject is the relationship that began."""

    kind = "reseller.accepted"
    topic = "resellers"
    invitation_id: int
    email: str
    status: str
    mode: str


class ResellerFulfilmentDelivered(Payload, frozen=True, kw_only=True):
    """Goods of a reseller's own shop were delivered to it; the subject is the fulfilment.

    `variant_id` is None where the product alone was asked for.
    """

    kind = "reseller.api_fulfilment_delivered"
    topic = "resellers"
    reseller_id: int
    email: str
    external_order_id: str
    product_id: int
    variant_id: int | None
    quantity: int
    customer_email: str
    total_minor: int
    currency: str


class DeliveredLine(msgspec.Struct, frozen=True, kw_only=True):
    """So many of a product, at wholesale prices; `variant_id` is None where the product alone was asked for."""

    product_id: int
    variant_id: int | None
    quantity: int
    total_minor: int


class ResellerOrderDelivered(Payload, frozen=True, kw_only=True):
    """Several goods of a reseller's own shop were delivered to it in one order, which is the subject."""

    kind = "reseller.order_delivered"
    topic = "resellers"
    reseller_id: int
    email: str
    currency: str
    lines: list[DeliveredLine]


class _OfTransfer(Payload, frozen=True, kw_only=True):
    """A purchase of stock in its state at that time; the subject is the transfer.

    `variant_id` is None where the product alone was asked for.
    """

    topic = "resellers"
    reseller_id: int
    email: str
    product_id: int
    variant_id: int | None
    quantity: int
    total_minor: int
    currency: str
    state: str
    invoice_id: int | None
    allocated_count: int


class ResellerStockRequested(_OfTransfer, frozen=True, kw_only=True):
    """A reseller asked for stock."""

    kind = "reseller.stock_requested"


class ResellerStockPaid(_OfTransfer, frozen=True, kw_only=True):
    """Stock that a reseller asked for was paid."""

    kind = "reseller.stock_paid"


class ResellerStockAllocated(_OfTransfer, frozen=True, kw_only=True):
    """A reseller got the serials that it bought."""

    kind = "reseller.stock_allocated"


class ResellerStockItemDelivered(Payload, frozen=True, kw_only=True):
    """A unit of a reseller's stock was delivered to a customer of it; the subject is the item."""

    kind = "reseller.stock_item_delivered"
    topic = "resellers"
    reseller_id: int
    email: str
    transfer_id: int
    product_id: int
    variant_id: int | None
    customer_email: str


class ResellerCampaignCreated(Payload, frozen=True, kw_only=True):
    """A relationship began an embed campaign; the subject is the campaign.

    Without products and variants it is for all that the relationship may sell.
    """

    kind = "reseller.embed_campaign_created"
    topic = "resellers"
    reseller_id: int
    email: str
    name: str
    status: str
    product_ids: tuple[int, ...]
    variant_ids: tuple[int, ...]


class ResellerSale(Payload, frozen=True, kw_only=True):
    """A line that a relationship brought was paid; the subject is the sale. `variant_id` is None without variants."""

    kind = "reseller.sale"
    topic = "resellers"
    reseller_id: int
    email: str
    order_id: int
    product_id: int
    variant_id: int | None
    quantity: int
    gross_minor: int
    commission_bp: int
    commission_minor: int
    currency: str
    campaign_id: int | None


class ResellerPayoutRequested(Payload, frozen=True, kw_only=True):
    """A relationship claimed commission; the subject is the claim."""

    kind = "reseller.payout_requested"
    topic = "resellers"
    reseller_id: int
    email: str
    amount_minor: int
    currency: str
    asset: str
    network: str
    status: str


RESELLER_KINDS: tuple[type[Payload], ...] = (
    ResellerInvited,
    ResellerAccepted,
    ResellerFulfilmentDelivered,
    ResellerOrderDelivered,
    ResellerStockRequested,
    ResellerStockPaid,
    ResellerStockAllocated,
    ResellerStockItemDelivered,
    ResellerCampaignCreated,
    ResellerSale,
    ResellerPayoutRequested,
)
