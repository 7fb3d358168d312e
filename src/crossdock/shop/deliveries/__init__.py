"""Deliveries: the one engine for all outgoing calls to other servers."""

from crossdock.shop.deliveries.claiming import claim_deliveries, requeue_lost
from crossdock.shop.deliveries.contract import (
    CALLS_PER_TARGET,
    RETRY_WAITS_S,
    Call,
    Claim,
    DeliveryFailed,
    DeliveryKind,
    DeliveryKinds,
    Failure,
    Headers,
    NoteSent,
    Ordering,
    Permanent,
    Retryable,
    Sent,
)
from crossdock.shop.deliveries.delivering import (
    Delivering,
    Together,
    claim_due,
    deliver,
    deliver_due,
)
from crossdock.shop.deliveries.listing import (
    STATUSES,
    Delivery,
    DeliveryAttempt,
    count_failed,
    list_deliveries,
    show_delivery,
)
from crossdock.shop.deliveries.paging import LoggedDelivery, page_deliveries
from crossdock.shop.deliveries.purging import history_of, purge_deliveries
from crossdock.shop.deliveries.queueing import (
    newest_payload,
    queue_deliveries,
    queue_delivery,
)
from crossdock.shop.deliveries.resending import repeat_delivery, resend_delivery, resend_failed
from crossdock.shop.deliveries.withdrawing import (
    BY_HAND,
    Withdrawal,
    keep_here,
    who_has,
    withdraw_by_id,
    withdraw_delivery,
)

__all__ = [
    "BY_HAND",
    "CALLS_PER_TARGET",
    "RETRY_WAITS_S",
    "STATUSES",
    "Call",
    "Claim",
    "Delivering",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryFailed",
    "DeliveryKind",
    "DeliveryKinds",
    "Failure",
    "Headers",
    "LoggedDelivery",
    "NoteSent",
    "Ordering",
    "Permanent",
    "Retryable",
    "Sent",
    "Together",
    "Withdrawal",
    "claim_deliveries",
    "claim_due",
    "count_failed",
    "deliver",
    "deliver_due",
    "history_of",
    "keep_here",
    "list_deliveries",
    "newest_payload",
    "page_deliveries",
    "purge_deliveries",
    "queue_deliveries",
    "queue_delivery",
    "repeat_delivery",
    "requeue_lost",
    "resend_delivery",
    "resend_failed",
    "show_delivery",
    "who_has",
    "withdraw_by_id",
    "withdraw_delivery",
]
