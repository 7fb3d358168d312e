"""The settings of this channel."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from crossdock.settings import Section


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
