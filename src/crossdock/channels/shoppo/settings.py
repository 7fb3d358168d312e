"""The settings of this channel."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from crossdock.settings import Count, Natural, Section


class ShoppoSettings(Section, frozen=True, kw_only=True):
    """SHOPPO: drop-shipping over GraphQL."""

    table: ClassVar[str] = "shoppo"
    part: ClassVar[str] = "channels/shoppo"

    rate_limit_per_second: Annotated[
        Natural, Meta(description="Requests per viewer and second; 0 is without limit.")
    ] = 10

    rate_limit_burst: Annotated[
        Count, Meta(description="How many requests a viewer may send at once after a pause.")
    ] = 50

    allow_variable_auth: Annotated[
        bool,
        Meta(
            description="Whether `test_access_token` and `test_viewer_id` among the variables stand for "
            "the headers, as a console needs them; for trying out only."
        ),
    ] = False

    console: Annotated[
        bool, Meta(description="Whether there is a page at `/console/partner` to try documents on.")
    ] = True

    page_cache_mb: Annotated[
        Natural,
        Meta(
            description="Memory per web process for rendered pages of the list of products; 0 turns it off."
        ),
    ] = 32

    pay_within_s: Annotated[
        Count, Meta(description="How long an order may await its payment, in seconds.")
    ] = 86_400
    free_cancel_s: Annotated[
        Natural,
        Meta(
            description="How long after its payment a partner may cancel an order, in seconds; then it is"
            " released. With 0 staff release it, or announce its first package."
        ),
    ] = 7_200
    shipping_per: Annotated[
        Literal["unit", "line"],
        Meta(description="Whether shipping is charged for each unit of an item or once for it."),
    ] = "unit"
    allow_cancel_open: Annotated[
        bool, Meta(description="Whether a partner may cancel an order that is not paid yet.")
    ] = False
