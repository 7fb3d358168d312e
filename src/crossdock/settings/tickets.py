"""The section of tickets."""

from typing import Annotated, ClassVar

from msgspec import Meta

from crossdock.settings.section import Count, Section


class TicketsSection(Section, frozen=True, kw_only=True):
    """Tickets of partners' buyers."""

    table: ClassVar[str] = "tickets"
    part: ClassVar[str] = "shop/tickets"

    close_after_days: Annotated[
        Count,
        Meta(description="Days without a comment after which a solved ticket is closed for good."),
    ] = 4
