"""Codes of the core in people's words: states, kinds and reasons, which templates show by `| word`."""

from collections.abc import Mapping
from typing import Final

from crossdock.kit.languages import lazy
from crossdock.web.console.area_words import AREA_WORDS

WORDS: Final[Mapping[str, str]] = {
    # tickets
    "exchange": lazy("Exchange"),
    "refund": lazy("Refund"),
    "question": lazy("Question"),
    "new": lazy("New"),
    "open": lazy("Open"),
    "pending": lazy("Waits for the partner"),
    "waiting": lazy("Waiting"),
    "hold": lazy("On hold"),
    "solved": lazy("Solved"),
    "closed": lazy("Closed"),
    "all": lazy("All"),
    "men": lazy("Men"),
    "women": lazy("Women"),
    "unknown": lazy("Not known"),
    # what buyers fill in
    "text": lazy("A line of text"),
    "textarea": lazy("Several lines of text"),
    "number": lazy("A number"),
    "checkbox": lazy("A box to tick"),
    # of complaints
    "not_arrived": lazy("Not arrived"),
    "other": lazy("Other"),
    "received": lazy("Received"),
    "not_received": lazy("Not received"),
    # deliveries and mails
    "queued": lazy("Queued"),
    "sending": lazy("Being sent"),
    "sent": lazy("Sent"),
    "failed": lazy("Failed"),
    "withdrawn": lazy("Withdrawn"),
    "kept": lazy("Kept here"),
    "stopped": lazy("Stopped"),
    "lost": lazy("Without an answer"),
    # roles
    "owner": lazy("Owner"),
    "manager": lazy("Manager"),
    "warehouse": lazy("Warehouse"),
    "viewer": lazy("Viewer"),
    "partner": lazy("Partner"),
    "reseller": lazy("Reseller"),
    # of packages, and of returns
    "packed": lazy("Packed"),
    "shipped": lazy("Shipped"),
    "delivered": lazy("Delivered"),
    "cancelled": lazy("Cancelled"),
    "announced": lazy("Announced"),
    # payments
    "created": lazy("Begun"),
    "authorised": lazy("Authorised"),
    "captured": lazy("Paid"),
    "partially_refunded": lazy("Partly refunded"),
    "refunded": lazy("Refunded"),
    "voided": lazy("Not charged"),
    "declined": lazy("Declined"),
    "expired": lazy("Ran out"),
    # why something is refunded
    "customer_cancelled": lazy("The customer cancelled"),
    "out_of_stock": lazy("Out of stock"),
    "bad_address": lazy("The address is wrong"),
    "agreement": lazy("Agreed with the customer"),
    "fraud": lazy("Fraud"),
    "not_shipped": lazy("Not shipped"),
}


def word(code: str, of: str = "") -> str:
    """A code of that area in the reader's language; one that is not known is shown without underscores."""
    known = AREA_WORDS.get(of, {}).get(code) or WORDS.get(code)
    return str(known or code.replace("_", " ").capitalize())
