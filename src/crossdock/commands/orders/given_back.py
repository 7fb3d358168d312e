"""What is said of the money of an order that was cancelled, whole or in part."""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from crossdock.kit.money import format_minor

if TYPE_CHECKING:
    from crossdock.shop.orders import Cancelled, GivenBack

_TEXTS: "Final[dict[GivenBack, str]]" = {
    "refund": "{amount} of what was paid is refunded.",
    "by_hand": "It was paid; refund what is to be refunded.",
    "prepaid": "{amount} went back to the prepaid account.",
    "not_owed": "{amount} of it need not be paid.",
    "": "",
}


def told_of_money(amount_minor: int, *, currency: str, given_back: "GivenBack") -> str:
    """The amount, and how it is given back, as a sentence; '' where there is none."""
    if not amount_minor:
        return ""
    return _TEXTS[given_back].format(amount=f"{format_minor(amount_minor, currency)} {currency}")


def cancelled_facts(cancelled: "Cancelled", *, currency: str) -> dict[str, Any]:
    """The result of cancelling, for programs."""
    return {**msgspec.structs.asdict(cancelled), "currency": currency}


def cancelled_text(cancelled: "Cancelled", *, currency: str) -> str:
    """What became of the money, and where somebody has to look; '' for nothing."""
    text = told_of_money(cancelled.amount_minor, currency=currency, given_back=cancelled.given_back)
    if at := cancelled.may_be_at:
        text += f" An attempt that failed may have reached {at}: see that it is not there."
    return text.strip()
