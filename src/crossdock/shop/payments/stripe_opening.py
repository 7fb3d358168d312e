"""Opens Stripe where the settings have its key; the library is not loaded otherwise."""

from datetime import timedelta

from crossdock.kit.outbound import Outbound
from crossdock.shop.payments.contract import Provider


def create_stripe(
    outbound: Outbound, *, secret_key: str, is_live: bool, api_url: str, timeout: timedelta
) -> Provider:
    """The provider `stripe`; `is_live` says whether the key moves real money."""
    from crossdock.shop.payments.stripe_cards import StripeCards  # late: a large library

    return StripeCards(
        outbound, secret_key=secret_key, is_live=is_live, api_url=api_url, timeout=timeout
    )
