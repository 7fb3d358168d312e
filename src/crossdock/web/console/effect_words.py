"""What a move does to an order's stock and money, in words."""

from collections.abc import Sequence

from crossdock.kit.display import money_text
from crossdock.kit.languages import gettext, ngettext, spoken
from crossdock.shop.orders import (
    Cancelled,
    CancelPart,
    Closed,
    OrderState,
    Rehearsed,
    StockChange,
)
from crossdock.web.console.code_words import word
from crossdock.web.console.confirming import Effect


def stock_effect(changes: Sequence[StockChange]) -> Effect:
    """Every level that changes, as a sentence each."""
    told = " ".join(_of_level(each) for each in changes)
    return Effect(gettext("Stock"), told or gettext("No level changes."))


def money_effect(amount_minor: int, currency: str, *, text: str) -> Effect:
    """A text with the amount in it as %(amount)s."""
    return Effect(gettext("Money"), text % {"amount": _money(amount_minor, currency)})


def cancelling_effects(told: Rehearsed[Cancelled | Closed], *, currency: str) -> list[Effect]:
    """What cancelling an order, or a part of it, does."""
    return [
        stock_effect(told.stock),
        _given_back(told, currency=currency),
        _to_partner(told),
        *_at_connector(told),
    ]


def sum_effects(part: CancelPart) -> list[Effect]:
    """What cancelling several orders does, added up."""
    nothing = Effect(gettext("Money"), gettext("Nothing was paid, so nothing is refunded."))
    return [Effect(gettext("Stock"), _units_text(part)), *(_sum_money(part) or [nothing])]


def part_texts(state: OrderState, part: CancelPart) -> tuple[str, str]:
    """What cancelling the orders of one state does to stock, and to money."""
    nothing = gettext("Nothing was paid, so nothing is refunded.")
    if state.payment == "authorised":
        return _units_text(part), gettext("The card is not charged.")
    return _units_text(part), " ".join(each.text for each in _sum_money(part)) or nothing


def _units_text(part: CancelPart) -> str:
    text = ngettext("One unit can be sold again.", "%(num)s units can be sold again.", part.units)
    return text % {"num": part.units}


def _sum_money(part: CancelPart) -> list[Effect]:
    texts = _money_texts()
    return [
        money_effect(minor, currency, text=texts[how])
        for (how, currency), minor in part.money.items()
        if minor
    ]


def _money_texts() -> dict[str, str]:
    return {
        "refund": gettext("%(amount)s is refunded."),
        "prepaid": gettext("%(amount)s goes back to the prepaid account."),
        "by_hand": gettext("%(amount)s is to be refunded by hand: no payment of it is known here."),
        "not_owed": gettext("%(amount)s less is owed."),
    }


def _given_back(told: Rehearsed[Cancelled | Closed], *, currency: str) -> Effect:
    """What becomes of the money of what is cancelled, as `give_back` does it."""
    done, paid_by = told.result, told.before.payment
    texts = {
        **_money_texts(),
        "not_owed": _not_owed(paid_by, is_over=told.after.fulfilment == "cancelled"),
    }
    text = texts.get(done.given_back) or gettext("Nothing was paid, so nothing is refunded.")
    return money_effect(done.amount_minor, currency, text=text)


def _at_connector(told: Rehearsed[Cancelled | Closed]) -> list[Effect]:
    """Where a failed attempt may have brought the order all the same."""
    if not told.result.may_be_at:
        return []
    text = gettext("An attempt that failed may have reached it: look there, and cancel it there.")
    return [Effect(told.result.may_be_at, text)]


def _to_partner(told: Rehearsed[Cancelled | Closed]) -> Effect:
    """What the partner reads."""
    if told.after.fulfilment == "cancelled":
        text = gettext("The partner reads the order as cancelled. Its number stays used.")
    else:
        text = gettext("The partner reads that the rest is cancelled.")
    return Effect(gettext("Partner"), text)


def _not_owed(payment: str, *, is_over: bool) -> str:
    if payment == "authorised":
        return (
            gettext("The card is not charged.")
            if is_over
            else gettext("%(amount)s less is charged to the card.")
        )
    owed = gettext("%(amount)s less is owed.")
    return f"{owed} {gettext('Nothing was paid, so nothing is refunded.')}" if is_over else owed


def _of_level(change: StockChange) -> str:
    many = {"sku": change.sku, "pool": word(change.pool, "pool")}
    if change.on_hand < 0:
        text = gettext("%(count)s × %(sku)s leaves stock (%(pool)s).")
        return text % {**many, "count": -change.on_hand}
    if change.on_hand > 0:
        text = gettext("%(count)s × %(sku)s goes back on the shelf (%(pool)s).")
        return text % {**many, "count": change.on_hand}
    if change.available > 0:
        text = gettext("%(count)s × %(sku)s can be sold again.")
        return text % {**many, "count": change.available}
    text = gettext("%(count)s × %(sku)s is taken for it (%(pool)s).")
    return text % {**many, "count": -change.available}


def _money(amount_minor: int, currency: str) -> str:
    return money_text(amount_minor, currency, language=spoken())
