"""What to do about each error of this channel; shown in the docs."""

from crossdock.channels.manifest import ErrorRow
from crossdock.channels.shoppo.errors import CODES, WIRE

_SMALLER = "Ask for less at once; `extensions` has the limit."
_MEANINGS: dict[str, tuple[str, str]] = {
    "UNAUTHENTICATED": (
        "accesstoken or viewerid is missing or wrong.",
        "Send both headers; ask the operator whether the token was revoked.",
    ),
    "FORBIDDEN": (
        "The token belongs to another viewer, or lacks the right.",
        "Send the viewerid that came with the token.",
    ),
    "BAD_REQUEST": ("The request is no GraphQL request.", "See the message."),
    "GRAPHQL_PARSE_FAILED": ("The document is not GraphQL.", "`locations` says where."),
    "GRAPHQL_VALIDATION_FAILED": (
        "The document does not fit the schema.",
        "`locations` says where; introspection tells the schema.",
    ),
    "OPERATION_RESOLUTION_FAILURE": (
        "It is not clear which operation to run.",
        "Name one of the document's operations in operationName.",
    ),
    "BAD_USER_INPUT": ("An argument cannot be used.", "`extensions.field` names it."),
    "NOT_FOUND": ("There is no such object, or it is not the caller's.", "Check the id."),
    "SKU_NOT_FOUND": ("There is no such Sku.", "Send the id of a live Sku, its originalId."),
    "SKU_DISABLED": ("The Sku is out of sale.", "Read it again."),
    "OUT_OF_STOCK": ("There are too few.", "Read the inventory again."),
    "COUNTRY_NOT_SUPPORTED": ("The Sku is not shipped there.", "See its shippingConfig."),
    "PARTNER_ORDER_CODE_CONFLICT": (
        "Another order has this partnerOrderCode.",
        "A code is used once; only the same order may be sent again.",
    ),
    "ORDER_NOT_OPEN": ("The order is not to be paid.", "Read its status."),
    "ORDER_EXPIRED": ("The order was not paid in time.", "Create another one."),
    "CHARGE_ID_CONFLICT": ("Another order has this chargeId.", "Send the order's own."),
    "ORDER_NOT_CANCELLABLE": ("Not every item is paid and unshipped.", "Open a ticket."),
    "ORDER_ITEM_NOT_CANCELLABLE": ("The item is not paid, or on its way.", "Open a ticket."),
    "IMAGE_INVALID": ("The file is no picture in PNG or JPEG.", "Convert it."),
    "IMAGE_TOO_LARGE": ("The picture is too large.", "Make it smaller."),
    "TICKET_CLOSED": ("The ticket is closed for good.", "Open another one."),
    "QUERY_TOO_DEEP": ("The operation is nested too deeply.", _SMALLER),
    "QUERY_TOO_COMPLEX": ("The document is too large, or costs too much.", _SMALLER),
    "RATE_LIMITED": ("Too many requests.", "Call again after Retry-After."),
    "TIMEOUT": ("The operation took too long.", _SMALLER),
    "INTERNAL_SERVER_ERROR": (
        "Something failed on the server.",
        "With 503 call again after Retry-After; else give the operator the requestId.",
    ),
}
_STATUSES = {"TIMEOUT": 503, "BAD_REQUEST": 400, "NOT_FOUND": 200}


def error_rows() -> list[ErrorRow]:
    """(status, code, meaning, what to do) for every error of this channel.

    Errors of fields, and of documents, come with 200.
    """
    statuses = {code: status for status, code, _ in WIRE.values() if status not in {400, 413}}
    statuses |= _STATUSES
    return [(statuses.get(code, 200), code, *_MEANINGS[code]) for code in CODES]
