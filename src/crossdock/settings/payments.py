"""Settings of payment providers."""

import re
from typing import Annotated, ClassVar

from msgspec import Meta

from crossdock.settings.section import Section, SettingsError

_KEY = re.compile(r"[sr]k_(test|live)_[A-Za-z0-9_]+")


class StripeSection(Section, frozen=True, kw_only=True):
    """Stripe, for channels whose payment_provider is stripe."""

    table: ClassVar[str] = "stripe"
    part: ClassVar[str] = "shop/payments"
    secret: ClassVar[tuple[str, ...]] = ("secret_key",)

    secret_key: Annotated[
        str,
        Meta(
            description="Secret key of the Stripe account, for tests sk_test_..., else sk_live_...; empty: no Stripe."
        ),
    ] = ""
    api_url: Annotated[
        str, Meta(description="Where Stripe's API is called; another address only for tests.")
    ] = "https://api.stripe.com"
    timeout_s: Annotated[
        float,
        Meta(gt=0, le=15, description="How long one call to Stripe may take."),
    ] = 15.0

    @property
    def is_live(self) -> bool:
        """Whether the key moves real money."""
        return "k_live_" in self.secret_key

    @property
    def is_for_tests(self) -> bool:
        """Whether the key is one of Stripe's test mode."""
        return "k_test_" in self.secret_key

    def check(self) -> None:
        """A key of Stripe's form, and an address of the web."""
        if self.secret_key and not _KEY.fullmatch(self.secret_key):
            raise SettingsError(
                "stripe_secret_key must be a key that starts with sk_test_, sk_live_, rk_test_ or rk_live_"
            )
        if not self.api_url.startswith(("https://", "http://")):
            raise SettingsError("stripe_api_url must start with https://")
