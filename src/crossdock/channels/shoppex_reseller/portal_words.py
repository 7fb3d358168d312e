"""The words of the portal's pages for states, kinds of entries, and what was wrong with a form."""

from collections.abc import Mapping
from typing import Final

import msgspec

from crossdock.errors import CrossdockError
from crossdock.kit.display import money_text
from crossdock.kit.languages import gettext, lazy, spoken


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A state of a relationship: how its mark looks, its word, and what it means."""

    look: str
    word: str
    note: str = ""


STATES: Final[Mapping[str, State]] = {
    "invited": State(
        look="wait",
        word=lazy("Awaits approval"),
        note=lazy("You can begin when the shop has approved you."),
    ),
    "active": State(look="good", word=lazy("Active")),
    "suspended": State(
        look="bad",
        word=lazy("Suspended"),
        note=lazy("Your keys do not work until the shop makes you active again."),
    ),
    "terminated": State(
        look="bad",
        word=lazy("Ended"),
        note=lazy("Nothing new can be bought or earned; what happened stays readable."),
    ),
}
MODES: Final[Mapping[str, str]] = {
    "affiliate": lazy("Earn commission"),
    "stock": lazy("Buy at wholesale prices"),
    "both": lazy("Earn commission, and buy at wholesale prices"),
}
KINDS: Final[Mapping[str, str]] = {
    "top_up": lazy("Top-up"),
    "fulfilment": lazy("Fulfilment"),
    "adjustment": lazy("Adjustment by the shop"),
    "sale": lazy("Order"),
    "sale_taken_back": lazy("Sale taken back"),
    "stock_refund": lazy("Stock refunded"),
    "commission_earned": lazy("Commission earned"),
    "commission_reversed": lazy("Commission reversed"),
    "payout": lazy("Payout"),
}
"""What changed a balance. A kind that is not here is shown as the ledger calls it."""
CLAIM_STATES: Final[Mapping[str, State]] = {
    "pending": State(look="wait", word=lazy("Awaits a decision")),
    "approved": State(look="wait", word=lazy("Approved, to be paid")),
    "completed": State(look="good", word=lazy("Paid out")),
    "rejected": State(look="bad", word=lazy("Rejected")),
    "cancelled": State(look="bad", word=lazy("Cancelled")),
}
_BY_FIELD: Final[Mapping[str, str]] = {
    "amount": lazy("Enter an amount above zero, and not more than is available."),
    "asset": lazy("Say what you want to be paid in, such as EUR or USDT."),
    "address": lazy("Say where it is to be paid to."),
}
_BY_CODE: Final[Mapping[str, str]] = {
    "reseller_state": lazy("This is possible only while the relationship is active."),
    "quantity_out_of_range": lazy(
        "There are too many already: finish or revoke one of them first."
    ),
}
UNREADABLE: Final = lazy("Enter an amount in figures, such as 25.00.")


def kind_word(kind: str) -> str:
    """What changed a balance, in words."""
    return KINDS.get(kind, kind.replace("_", " "))


def wrong_words(error: CrossdockError, *, currency: str) -> str:
    """What was wrong with a form, for the person who sent it."""
    if error.code == "payout_below_threshold" and "threshold_minor" in error.data:
        least = money_text(error.data["threshold_minor"], currency, language=spoken())
        return gettext("Payouts begin at %(amount)s; less than that is available.") % {
            "amount": least
        }
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return _BY_FIELD.get(str(error.data.get("field", "")), error.message)
