"""What to do about each error of this channel; shown in the docs."""

from typing import Final

from crossdock.channels.manifest import ErrorRow
from crossdock.channels.shoppex_reseller.errors import CODES

_ABOUT: Final = (
    "Written by `make docs`. `doc_url` of an error leads to its code on this page. A program looks at "
    "the code; the message is for people and may change."
)
_AGAIN: Final = "Call again after Retry-After."
_ADVICE: Final[dict[str, str]] = {
    "BAD_REQUEST": "See the message.",
    "RESELLER_PROGRAM_DISABLED": "The merchant enables it: `PATCH /dev/v1/reseller-program`.",
    "RESELLER_MODE_NOT_ALLOWED": "The merchant changes the reseller's `mode`.",
    "PRODUCT_NOT_ALLOWED": "Send a product of the reseller's `product_access`.",
    "QUANTITY_OUT_OF_RANGE": "See `min_quantity` and `max_quantity` of the product's access.",
    "PURCHASE_LIMIT_EXCEEDED": "Send fewer, or wait for the next day or month in UTC.",
    "PAYOUT_BELOW_THRESHOLD": "Ask again when more is available; see `min_payout_threshold`.",
    "PRODUCT_NOT_FULFILLABLE": "Only products of the type SERIALS have serials.",
    "UNAUTHORIZED": "Send `Authorization: Bearer <key>`, with a `shx_` key to `/dev/v1` and a `shr_` "
    "key to `/reseller/v1`; ask whether it was revoked.",
    "INSUFFICIENT_BALANCE": "Top up, then send the same call again, with the same key.",
    "FORBIDDEN": "Ask for a key with the scope that the API reference names.",
    "NOT_FOUND": "Check the address and the id; an id of another shop is not found either.",
    "METHOD_NOT_ALLOWED": "`Allow` names the right methods.",
    "STOCK_UNAVAILABLE": "Wait for stock, or send fewer.",
    "INVALID_STATE": "Read it again: it has moved on.",
    "IDEMPOTENCY_CONFLICT": "Use a new key for a new request; where the first call is still running, "
    "call again after Retry-After.",
    "CONFLICT": "See the message.",
    "PAYLOAD_TOO_LARGE": "Send less at once.",
    "VALIDATION_ERROR": "`details` names each field and what is wrong with it.",
    "RATE_LIMITED": _AGAIN + " `X-RateLimit-*` of every answer tell what is left.",
    "INTERNAL_ERROR": "Give the operator the X-Request-Id.",
    "SERVICE_UNAVAILABLE": _AGAIN,
}


def error_rows() -> list[ErrorRow]:
    """(status, code, text, what to do) for every error of this channel."""
    return [(status, code, text, _ADVICE[code]) for code, (status, text) in CODES.items()]


def errors_page() -> str:
    """The page that `doc_url` of an error leads to: a heading for each code."""
    lines = [
        "# Shoppex Reseller: errors",
        "",
        _ABOUT,
    ]
    for status, code, text, advice in error_rows():
        lines += ["", f"## {code}", "", f"Status {status}. {text.rstrip('.')}.", "", advice]
    return "\n".join(lines) + "\n"
