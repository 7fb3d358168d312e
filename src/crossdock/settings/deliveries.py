"""The section of deliveries."""

from typing import Annotated, ClassVar

from msgspec import Meta

from crossdock.settings.section import Natural, Section


class DeliveriesSection(Section, frozen=True, kw_only=True):
    """What goes out to other servers."""

    table: ClassVar[str] = "deliveries"
    part: ClassVar[str] = "shop/deliveries"

    history_days: Annotated[
        Natural,
        Meta(
            description="How many days sent deliveries and the log of their attempts are kept; 0 is for ever."
        ),
    ] = 90
