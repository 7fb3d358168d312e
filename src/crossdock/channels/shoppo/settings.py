"""The settings of this channel."""

from typing import Annotated, ClassVar

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
