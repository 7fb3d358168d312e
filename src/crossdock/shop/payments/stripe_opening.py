"""Opens Stripe where the settings have its key; the library is not loaded otherwise."""

from datetime import timedelta

from crossdock.kit.outbound import Outbound
from crossdock.shop.payments.contract import Provider


def create_stripe(
    outbound: Outbound, *, secret_key: str, api_url: str, timeout: timedelta
) -> Provider:
    """The provider `stripe`."""
    from crossdock.shop.payments.stripe_cards import StripeCards  # late: a large library

    return StripeCards(outbound, secret_key=secret_key, api_url=api_url, timeout=timeout)
