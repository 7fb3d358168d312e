"""The section of the reseller programme."""

from typing import Annotated, ClassVar

from msgspec import Meta

from crossdock.settings.section import Count, Natural, Section


class ResellersSection(Section, frozen=True, kw_only=True):
    """Commission of resellers."""

    table: ClassVar[str] = "resellers"
    part: ClassVar[str] = "shop/resellers"
    short: ClassVar[tuple[str, ...]] = ("commission_hold_days", "payout_overdue_days")

    commission_hold_days: Annotated[
        Natural,
        Meta(
            description="How long commission is held after its order was paid before it may be claimed."
        ),
    ] = 0
    payout_overdue_days: Annotated[
        Count,
        Meta(description="How long a payout may be pending or approved before an alert is raised."),
    ] = 7
