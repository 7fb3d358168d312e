"""Facts that stop an operation, with stable codes and without HTTP.

CrossdockError                 anything the core refuses
├── NotFound                   an id that does not exist, or belongs to somebody else
├── Refused                    a rule says no; nothing was written
├── Invalid                    the input is malformed
├── Conflict                   the same thing was already done, or is being done
└── Unavailable                try again later
    ├── StorageFull            a disk is full
    └── DatabaseUnavailable    the database cannot be reached
        └── OutcomeUnknown     what was asked for may have been committed, or not

Every code is in ERROR_CODES; each channel maps all of them (a test compares the sets).
"""

from collections.abc import Mapping
from typing import Any

ERROR_CODES: dict[str, str] = {
    "credential_unknown": "The key is unknown or disabled.",
    "credential_signature": "The signature does not match.",
    "credential_stale": "The credential changed while the request was checked.",
    "nonce_reused": "The nonce was used before.",
    "rate_limited": "Too many requests in this minute.",
    "permission_denied": "The partner lacks the permission.",
    "partner_order_exists": "This partner already used this order number.",
    "customer_not_configured": "The partner has no customer.",
    "customer_not_found": "The configured customer does not exist any more.",
    "customer_inactive": "The configured customer is inactive.",
    "billing_incomplete": "The customer's billing address lacks required fields.",
    "shipping_incomplete": "The customer's shipping address lacks required fields.",
    "variant_not_found": "One or more variants do not exist.",
    "backorder_not_allowed": "The goods could only come from the supplier.",
    "stock_limit_exceeded": "More was asked for than can be promised.",
    "order_amount_not_allowed": "The order's amount breaks the partner's amount rule.",
    "order_not_found": "The order does not exist.",
    "order_state": "The order's state does not allow this.",
    "hold_not_found": "The hold does not exist or is closed.",
    "stock_insufficient": "The level does not cover this change.",
    "balance_insufficient": "The balance does not cover this.",
    "payment_declined": "The payment was declined.",
    "payment_state": "The payment's state does not allow this.",
    "payment_not_found": "The payment does not exist.",
    "payment_unsettled": "The provider's answer is not known yet; it is being asked for.",
    "refund_exceeds_capture": "More would be refunded than was captured.",
    "invalid_input": "The input is malformed.",
    "too_large": "The input is larger than the limit.",
    "not_found": "There is no such thing.",
    "exists": "There is one already.",
    "database_unavailable": "The database cannot be reached.",
    "outcome_unknown": "The database's answer was lost: this was done, or it was not.",
    "storage_full": "The disk is full, so nothing can be written now.",
    "busy": "Too many others want the same rows; try again.",
    "internal": "Something failed inside the server.",
}


class CrossdockError(Exception):
    """A refusal with a stable `code` of ERROR_CODES, a message for people and `data` for programs."""

    def __init__(self, code: str, message: str = "", data: Mapping[str, Any] | None = None) -> None:
        self.code = code
        self.message = message or ERROR_CODES[code]
        self.data: dict[str, Any] = dict(data or {})
        super().__init__(f"{code}: {self.message}")


class NotFound(CrossdockError):
    """An id that does not exist, or that belongs to another tenant: the two look the same."""


class Refused(CrossdockError):
    """A rule says no; nothing was written."""


class Invalid(CrossdockError):
    """The input is malformed; `data` names the field where there is one."""


class Conflict(CrossdockError):
    """The same thing was already done, or is being done now."""


class Unavailable(CrossdockError):
    """Try again later; `data['retry_after_s']` says when, where it is known."""


class StorageFull(Unavailable):
    """No room is left on the database's disk, or on the server's own."""

    def __init__(self) -> None:
        super().__init__("storage_full", data={"retry_after_s": 5})


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached, or broke the connection."""

    code_of_kind = "database_unavailable"

    def __init__(self, message: str = "", data: Mapping[str, Any] | None = None) -> None:
        super().__init__(self.code_of_kind, message, data or {"retry_after_s": 2})


class OutcomeUnknown(DatabaseUnavailable):
    """The connection was lost during a commit, or no standby vouches for it: done, or not done."""

    code_of_kind = "outcome_unknown"


class SealBroken(Exception):
    """Sealed bytes that no known master key opens: changed, cut, of another place, or of a lost key.

    No refusal of a caller's wish, so it has no code: the operator has to act.
    """
