"""The settings of this channel."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from crossdock.settings import Count, Natural, Section


class ShoppexResellerSettings(Section, frozen=True, kw_only=True):
    """Shoppex Reseller: Developer API for merchants, and API for resellers."""

    table: ClassVar[str] = "shoppex_reseller"
    part: ClassVar[str] = "channels/shoppex_reseller"

    calls_per_minute: Annotated[
        Natural, Meta(description="Requests per key and minute; 0 is without limit.")
    ] = 120

    calls_at_once: Annotated[
        Count, Meta(description="How many requests a key may send at once after a pause.")
    ] = 60

    fulfillments_per_minute: Annotated[
        Natural,
        Meta(description="Fulfillments per reseller's key and minute; 0 is without limit."),
    ] = 60

    embed_calls_per_minute: Annotated[
        Natural,
        Meta(description="Calls of an embed campaign's addresses a minute; 0 is without limit."),
    ] = 600

    idempotency_hours: Annotated[
        Count, Meta(description="How long the answer to a call with an Idempotency-Key is kept.")
    ] = 24

    purchase_limit_unit: Annotated[
        Literal["units", "amount"],
        Meta(
            description="What `purchase_limit_daily` and `purchase_limit_monthly` count: units of goods, or "
            "an amount in major units of the shop's currency."
        ),
    ] = "units"
    pay_within_s: Annotated[
        Count, Meta(description="How long an order of `/dev/v1` awaits its payment, in seconds.")
    ] = 86_400
    oauth_refresh_days: Annotated[
        Count, Meta(description="How long an app's refresh token is good that is not used.")
    ] = 90
    page_cache_mb: Annotated[
        Natural,
        Meta(description="Memory per web process for rendered lists of products; 0 turns it off."),
    ] = 32
