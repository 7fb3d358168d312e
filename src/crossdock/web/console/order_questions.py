"""What is asked before an order's goods leave, or its money moves."""

from crossdock.kit.languages import gettext, ngettext
from crossdock.shop.orders import Delivery, OrderView, Rehearsed
from crossdock.web.console.confirming import Effect, Question
from crossdock.web.console.effect_words import money_effect, stock_effect
from crossdock.web.console.order_words import FULFILMENT


def sending_question(told: Rehearsed[int], *, order_id: int, back: str) -> Question:
    """Before packages are shipped: the carrier is booked with that."""
    packages = ngettext("One package leaves.", "%(num)s packages leave.", told.result) % {
        "num": told.result
    }
    return Question(
        title=gettext("Ship order %(id)s?") % {"id": order_id},
        effects=[
            Effect(gettext("Carrier"), f"{packages} {gettext('Each is booked with the carrier.')}"),
            stock_effect(told.stock),
            Effect(gettext("Money"), gettext("Nothing is charged or refunded by this.")),
            becomes(told),
        ],
        button=gettext("Ship now"),
        back=back,
    )


def delivery_question(told: Rehearsed[Delivery], *, order_id: int, back: str) -> Question:
    """Before what no warehouse sends is delivered."""
    return Question(
        title=gettext("Deliver order %(id)s?") % {"id": order_id},
        effects=[
            Effect(gettext("Buyer"), gettext("The buyer gets a mail with what was bought.")),
            stock_effect(told.stock),
            Effect(gettext("Money"), gettext("Nothing is charged or refunded by this.")),
            becomes(told),
        ],
        button=gettext("Deliver now"),
        back=back,
    )


def payment_question(told: Rehearsed[int], order: OrderView, *, back: str) -> Question:
    """Before a card is captured, or a bank transfer recorded."""
    is_card = told.before.payment == "authorised"
    if is_card:
        title = gettext("Capture the card of order %(id)s?")
        text = gettext("%(amount)s is charged to the buyer's card.")
    else:
        title = gettext("Record the transfer for order %(id)s?")
        text = gettext("%(amount)s is recorded as received by bank transfer.")
    return Question(
        title=title % {"id": order.id},
        effects=[
            money_effect(told.result, order.currency, text=text),
            stock_effect(told.stock),
            becomes(told),
        ],
        button=gettext("Capture now") if is_card else gettext("Record it"),
        back=back,
    )


def refund_question(told: Rehearsed[int], order: OrderView, *, back: str) -> Question:
    """Before money is refunded, with the goods or without."""
    return Question(
        title=gettext("Refund order %(id)s?") % {"id": order.id},
        effects=[
            money_effect(told.result, order.currency, text=gettext("%(amount)s is refunded.")),
            stock_effect(told.stock),
            becomes(told),
        ],
        button=gettext("Refund now"),
        back=back,
    )


def becomes(told: Rehearsed[object]) -> Effect:
    """The order's state afterwards."""
    name = str(FULFILMENT[told.after.fulfilment].text)
    if told.after.fulfilment == told.before.fulfilment:
        return Effect(gettext("Order"), gettext("It stays: %(state)s.") % {"state": name})
    return Effect(gettext("Order"), gettext("It becomes: %(state)s.") % {"state": name})
