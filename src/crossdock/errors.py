"""Errors with stable codes, independent of HTTP.

CrossdockError                 every error of the core
├── NotFound                   the id does not exist, or belongs to another tenant
├── Refused                    a rule was violated; nothing was written
├── Invalid                    the input is malformed
├── Conflict                   already done, or being done
└── Unavailable                temporary; retry later
    ├── StorageFull            a disk is full
    └── DatabaseUnavailable    the database cannot be reached
        └── OutcomeUnknown     the commit may or may not have happened

Every code is in ERROR_CODES; each channel maps all of them (a test compares the sets).
"""

from collections.abc import Mapping
from typing import Any

ERROR_CODES: dict[str, str] = {
    "credential_unknown": "The key is unknown or disabled.",
    "credential_signature": "The signature does not match.",
    "credential_stale": "The credential changed while the request was being checked.",
    "shop_suspended": "The shop is suspended.",
    "nonce_reused": "The nonce was used before.",
    "rate_limited": "Too many requests in this minute.",
    "permission_denied": "The partner lacks the permission.",
    "idempotency_key_busy": "The same idempotency key is being used just now.",
    "partner_order_exists": "This partner already used this order number.",
    "customer_not_configured": "The partner has no customer.",
    "customer_not_found": "The configured customer no longer exists.",
    "customer_inactive": "The configured customer is inactive.",
    "billing_incomplete": "The customer's billing address lacks required fields.",
    "shipping_incomplete": "The customer's shipping address lacks required fields.",
    "variant_not_found": "One or more variants do not exist.",
    "backorder_not_allowed": "The goods could only come from the supplier.",
    "stock_limit_exceeded": "The quantity exceeds what is available.",
    "order_amount_not_allowed": "The order's amount violates the partner's amount rule.",
    "order_not_found": "The order does not exist.",
    "order_state": "The order's state does not allow this.",
    "order_expired": "The order was not paid in time.",
    "charge_used": "The charge has paid another order.",
    "variant_disabled": "One or more variants are not for sale.",
    "country_not_served": "One or more variants are not shipped to this country.",
    "coupon_refused": "The coupon cannot be used for this order.",
    "cart_not_found": "The cart does not exist.",
    "cart_ordered": "An order was made of the cart already.",
    "cart_empty": "The cart has nothing that can be bought.",
    "cart_changed": "The cart or its prices changed.",
    "hold_not_found": "The hold does not exist or is closed.",
    "stock_insufficient": "There is not enough stock for this change.",
    "balance_insufficient": "The balance is too low.",
    "payment_declined": "The payment was declined.",
    "payment_state": "The payment's state does not allow this.",
    "payment_not_found": "The payment does not exist.",
    "payment_unsettled": "The payment provider has not answered yet; its answer is being looked up.",
    "invoice_state": "The invoice's state does not allow this.",
    "refund_exceeds_capture": "More would be refunded than was captured.",
    "ticket_state": "The ticket's state does not allow this.",
    "ticket_closed": "The ticket is closed.",
    "program_disabled": "The shop has no reseller programme now.",
    "reseller_state": "The state of the invitation, the reseller, the campaign or the payout does not allow this.",
    "reseller_mode": "The reseller's mode does not allow this.",
    "product_not_allowed": "The reseller may not sell this product.",
    "product_not_fulfillable": "The product cannot be delivered at once.",
    "quantity_out_of_range": "The quantity is outside what was agreed for this product.",
    "purchase_limit_exceeded": "The reseller's limit of the day or month is reached.",
    "payout_below_threshold": "Less commission is available than a payout asks for.",
    "idempotency_key_used": "Another request was made with the same key or number.",
    "invalid_input": "The input is malformed.",
    "too_large": "The input is larger than the limit.",
    "not_found": "It does not exist.",
    "exists": "It already exists.",
    "database_unavailable": "The database cannot be reached.",
    "outcome_unknown": "The database's answer was lost: the change may or may not have been made.",
    "storage_full": "The disk is full, so nothing can be written now.",
    "busy": "Too many requests for the same rows; try again.",
    "image_invalid": "The file is not an image that can be used.",
    "image_too_large": "The image has too many bytes or pixels.",
    "video_invalid": "The file is not a video that can be used.",
    "video_too_large": "The video has too many bytes.",
    "media_unavailable": "The store of images cannot be reached.",
    "search_unavailable": "The search index is not ready yet.",
    "internal": "An internal error occurred.",
}


class CrossdockError(Exception):
    """A refusal with a stable `code` of ERROR_CODES, a message for people and `data` for programs."""

    def __init__(self, code: str, message: str = "", data: Mapping[str, Any] | None = None) -> None:
        self.code = code
        self.message = message or ERROR_CODES[code]
        self.data: dict[str, Any] = dict(data or {})
        super().__init__(f"{code}: {self.message}")


class NotFound(CrossdockError):
    """The id does not exist, or belongs to another tenant: the two cannot be told apart."""


class Refused(CrossdockError):
    """A rule was violated; nothing was written."""


class Invalid(CrossdockError):
    """The input is malformed; `data` names the field where there is one."""


class Conflict(CrossdockError):
    """The same thing was already done, or is being done now."""


class Unavailable(CrossdockError):
    """Temporary: retry later; `data['retry_after_s']` says when, if known."""


class StorageFull(Unavailable):
    """No room is left on the database's disk, or on the server's own."""

    def __init__(self) -> None:
        super().__init__("storage_full", data={"retry_after_s": 5})


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached, or the connection was lost."""

    code_of_kind = "database_unavailable"

    def __init__(self, message: str = "", data: Mapping[str, Any] | None = None) -> None:
        super().__init__(self.code_of_kind, message, data or {"retry_after_s": 2})


class OutcomeUnknown(DatabaseUnavailable):
    """The connection was lost during a commit, or no standby confirmed it: it may have happened or not."""

    code_of_kind = "outcome_unknown"


class SealBroken(Exception):
    """Encrypted bytes that no known master key decrypts: altered, truncated, moved, or the key is lost.

    Not an error of the caller, so it has no code: the operator has to act.
    """
