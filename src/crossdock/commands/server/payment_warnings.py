"""What an operator is warned of: orders that nobody pays, and a trial with real money."""

from collections.abc import Collection
from typing import NamedTuple

from crossdock.channels.registry import payment_providers
from crossdock.settings import SANDBOX, STRIPE, Settings

_SANDBOX = "orders are paid by the sandbox, which takes test cards and moves no money"
_TEST_MODE = "orders are paid by Stripe's test mode, which takes test cards and moves no money"
_REAL_MONEY = (
    "the shop is for trying, and Stripe's key is live: an order of its staff charges a real card"
)


class Warned(NamedTuple):
    """A warning about a channel or a shop."""

    subject: str
    text: str


def warnings_of_channels(settings: Settings) -> list[Warned]:
    """Channels whose orders no money is paid for, also those of tokens that are no test tokens."""
    found = []
    for channel, provider in payment_providers(settings).items():
        if provider == SANDBOX:
            found.append(Warned(channel, _SANDBOX))
        if provider == STRIPE and settings.stripe.is_for_tests:
            found.append(Warned(channel, _TEST_MODE))
    return found


def warnings_of_trials(settings: Settings, *, slugs: Collection[str]) -> list[Warned]:
    """The demo shop, where real cards can be charged in it."""
    from crossdock.demo.access import SHOP

    return [Warned(SHOP, _REAL_MONEY)] if SHOP in slugs and settings.stripe.is_live else []
