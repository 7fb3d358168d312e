"""Which provider takes an order's card."""

from crossdock.errors import Invalid
from crossdock.settings import SANDBOX
from crossdock.shop.payments.contract import Providers


def provider_for(providers: Providers, wanted: str, *, is_test: bool) -> str:
    """The provider's name: of a test, which never moves money, the sandbox in place of one that does.

    Raises Invalid `invalid_input` for a provider that there is not.
    """
    if wanted not in providers:
        raise Invalid("invalid_input", "There is no such payment provider.", {"field": "provider"})
    return SANDBOX if is_test and providers[wanted].moves_money else wanted
