"""The settings of this channel."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from crossdock.settings import Natural, Section


class ShoppableSettings(Section, frozen=True, kw_only=True):
    """Shoppable: search over many merchants' goods."""

    table: ClassVar[str] = "shoppable"
    part: ClassVar[str] = "channels/shoppable"

    default_operator: Annotated[
        Literal["or", "and"],
        Meta(description="Whether words of a search that nothing joins are any of them or all."),
    ] = "or"

    payment_provider: Annotated[
        str, Meta(description="The payment provider that a checkout's card is given to.")
    ] = "sandbox"

    page_cache_mb: Annotated[
        Natural,
        Meta(
            description="Memory per web process for rendered pages of the catalogue and the products on "
            "them; 0 turns it off."
        ),
    ] = 32
