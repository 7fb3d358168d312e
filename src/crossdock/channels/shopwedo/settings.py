"""The settings of this channel."""

from typing import Annotated, ClassVar

from msgspec import Meta

from crossdock.settings import Natural, Section


class ShopwedoSettings(Section, frozen=True, kw_only=True):
    """ShopWeDo: fulfilment for web shops."""

    table: ClassVar[str] = "shopwedo"
    part: ClassVar[str] = "channels/shopwedo"

    skew_s: Annotated[
        Natural,
        Meta(description="How far a ShopWeDo timestamp may be ahead of the server's clock."),
    ] = 5
