"""What happened in the reseller programme, in this protocol's words (spec section 11.3)."""

from typing import Any, Final

from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.channels.shoppex_reseller.wire import iso, number, percent
from crossdock.shop.events import (
    Event,
    Payload,
    ResellerAccepted,
    ResellerCampaignCreated,
    ResellerFulfilmentDelivered,
    ResellerInvited,
    ResellerOrderDelivered,
    ResellerPayoutRequested,
    ResellerSale,
    ResellerStockAllocated,
    ResellerStockItemDelivered,
    ResellerStockPaid,
    ResellerStockRequested,
)

INVITED, ACCEPTED = "reseller:invited", "reseller:accepted"
FULFILLED: Final = "reseller:api_fulfillment_delivered"
REQUESTED: Final = "reseller:stock_purchase_requested"
CAMPAIGN_CREATED: Final = "reseller:embed_campaign_created"
SOLD, PAYOUT_REQUESTED = "reseller:sale", "reseller:payout_requested"
RESELLER_NAMES: Final = {
    ResellerInvited.kind: INVITED,
    ResellerAccepted.kind: ACCEPTED,
    ResellerFulfilmentDelivered.kind: FULFILLED,
    ResellerOrderDelivered.kind: FULFILLED,
    ResellerStockRequested.kind: REQUESTED,
    ResellerStockPaid.kind: "reseller:stock_purchase_paid",
    ResellerStockAllocated.kind: "reseller:stock_allocated",
    ResellerStockItemDelivered.kind: "reseller:stock_item_delivered",
    ResellerCampaignCreated.kind: CAMPAIGN_CREATED,
    ResellerSale.kind: SOLD,
    ResellerPayoutRequested.kind: PAYOUT_REQUESTED,
}
"""The name of each kind of event about resellers."""


def reseller_data(event: Event, ids: WireIds, *, shop_id: int) -> list[dict[str, Any]]:
    """What is told of an event of RESELLER_NAMES, a message each; no serial, token or key is in it."""
    beside = {"shop_id": ids.write(Kind.SHOP, shop_id), "created_at": iso(event.created_at)}
    payload, subject = event.decode(), event.subject_id or 0
    if isinstance(payload, ResellerOrderDelivered):
        return [facts | beside for facts in _delivered_lines(payload, ids, subject=subject)]
    return [_facts(payload, ids, subject=subject) | beside]


def _facts(payload: Payload, ids: WireIds, *, subject: int) -> dict[str, Any]:
    match payload:
        case ResellerInvited() as invited:
            facts = _invited(invited, ids, subject=subject)
        case ResellerAccepted() as accepted:
            facts = _accepted(accepted, ids, subject=subject)
        case ResellerFulfilmentDelivered() as delivered:
            facts = _delivered(delivered, ids, subject=subject)
        case ResellerStockRequested() | ResellerStockPaid() | ResellerStockAllocated() as transfer:
            facts = _of_transfer(transfer, ids, subject=subject)
        case ResellerStockItemDelivered() as item:
            facts = _of_item(item, ids, subject=subject)
        case ResellerCampaignCreated() as created:
            facts = _created(created, ids, subject=subject)
        case ResellerSale() as sold:
            facts = _sold(sold, ids, subject=subject)
        case ResellerPayoutRequested() as requested:
            facts = _requested(requested, ids, subject=subject)
        case other:
            raise ValueError(f"{other.kind} is not told")
    return facts


def _invited(invited: ResellerInvited, ids: WireIds, *, subject: int) -> dict[str, Any]:
    invitation = ids.write(Kind.INVITATION, subject)
    return {
        "id": invitation,
        "reseller_relationship_id": None,
        "reseller_email": invited.email,
        "invitation_id": invitation,
        "email": invited.email,
        "mode": invited.mode.upper(),
        "expires_at": iso(invited.expires_at),
    }


def _accepted(accepted: ResellerAccepted, ids: WireIds, *, subject: int) -> dict[str, Any]:
    relationship = ids.write(Kind.RELATIONSHIP, subject)
    return {
        "id": relationship,
        "reseller_relationship_id": relationship,
        "reseller_email": accepted.email,
        "invitation_id": ids.write(Kind.INVITATION, accepted.invitation_id),
        "status": accepted.status.upper(),
        "mode": accepted.mode.upper(),
    }


def _delivered(
    delivered: ResellerFulfilmentDelivered, ids: WireIds, *, subject: int
) -> dict[str, Any]:
    fulfilment = ids.write(Kind.FULFILLMENT, subject)
    variant_id = delivered.variant_id
    return {
        "id": fulfilment,
        "reseller_relationship_id": ids.write(Kind.RELATIONSHIP, delivered.reseller_id),
        "reseller_email": delivered.email,
        "fulfillment_id": fulfilment,
        "external_order_id": delivered.external_order_id,
        "product_id": ids.write(Kind.PRODUCT, delivered.product_id),
        "variant_id": None if variant_id is None else ids.write(Kind.VARIANT, variant_id),
        "quantity": delivered.quantity,
        "customer_email": delivered.customer_email,
        "total": number(delivered.total_minor, delivered.currency),
        "currency": delivered.currency,
    }


def _delivered_lines(
    delivered: ResellerOrderDelivered, ids: WireIds, *, subject: int
) -> list[dict[str, Any]]:
    """A message for each item of an order; the order stands for the fulfillment."""
    order = ids.write(Kind.ORDER, subject)
    return [
        {
            "id": order,
            "reseller_relationship_id": ids.write(Kind.RELATIONSHIP, delivered.reseller_id),
            "reseller_email": delivered.email,
            "fulfillment_id": order,
            "external_order_id": order,
            "product_id": ids.write(Kind.PRODUCT, line.product_id),
            "variant_id": None
            if line.variant_id is None
            else ids.write(Kind.VARIANT, line.variant_id),
            "quantity": line.quantity,
            "customer_email": None,
            "total": number(line.total_minor, delivered.currency),
            "currency": delivered.currency,
        }
        for line in delivered.lines
    ]


def _of_transfer(
    transfer: ResellerStockRequested | ResellerStockPaid | ResellerStockAllocated,
    ids: WireIds,
    *,
    subject: int,
) -> dict[str, Any]:
    shown = ids.write(Kind.TRANSFER, subject)
    variant_id, invoice_id = transfer.variant_id, transfer.invoice_id
    return {
        "id": shown,
        "reseller_relationship_id": ids.write(Kind.RELATIONSHIP, transfer.reseller_id),
        "reseller_email": transfer.email,
        "transfer_id": shown,
        "product_id": ids.write(Kind.PRODUCT, transfer.product_id),
        "variant_id": None if variant_id is None else ids.write(Kind.VARIANT, variant_id),
        "quantity": transfer.quantity,
        "total": number(transfer.total_minor, transfer.currency),
        "currency": transfer.currency,
        "status": transfer.state.upper(),
        "invoice_uniqid": None if invoice_id is None else ids.write(Kind.INVOICE, invoice_id),
        "allocated_count": transfer.allocated_count,
    }


def _of_item(item: ResellerStockItemDelivered, ids: WireIds, *, subject: int) -> dict[str, Any]:
    shown = ids.write(Kind.ITEM, subject)
    variant_id = item.variant_id
    return {
        "id": shown,
        "reseller_relationship_id": ids.write(Kind.RELATIONSHIP, item.reseller_id),
        "reseller_email": item.email,
        "item_id": shown,
        "transfer_id": ids.write(Kind.TRANSFER, item.transfer_id),
        "product_id": ids.write(Kind.PRODUCT, item.product_id),
        "variant_id": None if variant_id is None else ids.write(Kind.VARIANT, variant_id),
        "customer_email": item.customer_email,
    }


def _created(created: ResellerCampaignCreated, ids: WireIds, *, subject: int) -> dict[str, Any]:
    campaign = ids.write(Kind.CAMPAIGN, subject)
    return {
        "id": campaign,
        "reseller_relationship_id": ids.write(Kind.RELATIONSHIP, created.reseller_id),
        "reseller_email": created.email,
        "campaign_id": campaign,
        "name": created.name,
        "status": created.status.upper(),
        "product_ids": [ids.write(Kind.PRODUCT, number) for number in created.product_ids],
        "variant_ids": [ids.write(Kind.VARIANT, number) for number in created.variant_ids],
    }


def _sold(sold: ResellerSale, ids: WireIds, *, subject: int) -> dict[str, Any]:
    order = ids.write(Kind.ORDER, sold.order_id)
    campaign = sold.campaign_id
    return {
        "id": ids.write(Kind.SALE, subject),
        "reseller_relationship_id": ids.write(Kind.RELATIONSHIP, sold.reseller_id),
        "reseller_email": sold.email,
        "order_id": order,
        "invoice_uniqid": order,
        "product_id": ids.write(Kind.PRODUCT, sold.product_id),
        "variant_id": None if sold.variant_id is None else ids.write(Kind.VARIANT, sold.variant_id),
        "quantity": sold.quantity,
        "gross_amount": number(sold.gross_minor, sold.currency),
        "commission_percent": percent(sold.commission_bp),
        "commission_amount": number(sold.commission_minor, sold.currency),
        "currency": sold.currency,
        "embed_campaign_id": None if campaign is None else ids.write(Kind.CAMPAIGN, campaign),
    }


def _requested(requested: ResellerPayoutRequested, ids: WireIds, *, subject: int) -> dict[str, Any]:
    claim = ids.write(Kind.CLAIM, subject)
    return {
        "id": claim,
        "reseller_relationship_id": ids.write(Kind.RELATIONSHIP, requested.reseller_id),
        "reseller_email": requested.email,
        "claim_id": claim,
        "amount": number(requested.amount_minor, requested.currency),
        "currency": requested.currency,
        "payout_asset": requested.asset,
        "payout_network": requested.network,
        "status": requested.status,
    }
