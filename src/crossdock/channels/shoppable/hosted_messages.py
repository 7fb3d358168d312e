"""What the hosted checkout says where it has no form to show."""

from typing import Final

import msgspec

from crossdock.errors import CrossdockError
from crossdock.kit.languages import lazy


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A title and a text for a shopper."""

    title: str
    text: str


EMPTY: Final = Message(
    title=lazy("Your cart is empty"),
    text=lazy("There is nothing in it that can be bought now."),
)
ORDERED: Final = Message(
    title=lazy("This cart was ordered"),
    text=lazy("There is nothing left to do. Keep the number of your order."),
)
GONE: Final = Message(
    title=lazy("Thank you for your order"),
    text=lazy("Its confirmation is no longer shown here. Keep the number of your order."),
)
_LINK: Final = Message(
    title=lazy("This checkout cannot be opened"),
    text=lazy(
        "The link to it is not valid any more. Go back to the shop and open your cart again."
    ),
)
_FORM: Final = Message(
    title=lazy("This form cannot be used"),
    text=lazy(
        "Nothing was ordered. Go back to the shop and open the checkout from your cart again."
    ),
)
_CART: Final = Message(
    title=lazy("There is no such cart"),
    text=lazy("It may have been deleted. Go back to the shop and fill a new one."),
)
_MANY: Final = Message(
    title=lazy("Too many visitors at once"),
    text=lazy("Nothing was ordered by this request. Wait a minute, then load the page again."),
)
_LATER: Final = Message(
    title=lazy("Something went wrong"),
    text=lazy(
        "Wait a moment, then load the page again. If your order was placed meanwhile, the page tells "
        "you so; nothing is charged twice."
    ),
)
_BY_CODE: Final = {
    "credential_unknown": _LINK,
    "credential_stale": _LINK,
    "shop_suspended": _LINK,
    "permission_denied": _FORM,
    "invalid_input": _FORM,
    "cart_not_found": _CART,
    "rate_limited": _MANY,
}


def message_of(error: CrossdockError) -> Message:
    """What a shopper is told of an error."""
    return _BY_CODE.get(error.code, _LATER)
