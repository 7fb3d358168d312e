"""The settings of this channel."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from crossdock.settings import Count, Natural, Section, SettingsError


class ShoppexPartnerSettings(Section, frozen=True, kw_only=True):
    """Shoppex Partner: signed REST for wholesale partners."""

    table: ClassVar[str] = "shoppex_partner"
    part: ClassVar[str] = "channels/shoppex_partner"
    short: ClassVar[tuple[str, ...]] = (
        "signature_window_s",
        "nonce_ttl_s",
        "items_per_order_max",
        "create_status",
        "catalogue_cache_mb",
    )

    signature_window_s: Annotated[
        Count, Meta(description="How far a request's timestamp may differ from the server's clock.")
    ] = 300
    nonce_ttl_s: Annotated[
        Count,
        Meta(
            description="How long a used nonce is remembered; must be more than twice the window."
        ),
    ] = 900
    items_per_order_max: Annotated[
        Count, Meta(description="Maximum number of items in one order.")
    ] = 200
    create_status: Annotated[
        Literal[200, 201], Meta(description="HTTP status of the answer to a new order.")
    ] = 201
    catalogue_cache_mb: Annotated[
        Natural,
        Meta(
            description="Memory per web process for the cache of rendered catalogue answers; 0 turns it off."
        ),
    ] = 32

    def check(self) -> None:
        """A nonce must be remembered for as long as its signature is accepted."""
        # Times are compared in whole seconds, so a request from the future is valid for up to one second more.
        if self.nonce_ttl_s <= 2 * self.signature_window_s:
            raise SettingsError("nonce_ttl_s must be more than twice signature_window_s")
