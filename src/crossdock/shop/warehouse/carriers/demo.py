"""The demo carrier: real labels, simulated tracking, no outside calls.

Its parcels are collected two hours after they were shipped and delivered a day later.
"""

import asyncio
from datetime import datetime, timedelta

from crossdock.errors import Invalid
from crossdock.kit.clock import Clock
from crossdock.kit.ids import Ids
from crossdock.shop.warehouse.carriers.contract import Capabilities, Parcel
from crossdock.shop.warehouse.carriers.fonts import LabelFonts
from crossdock.shop.warehouse.carriers.numbers import new_tracking_number
from crossdock.shop.warehouse.carriers.rendering import render_label
from crossdock.shop.warehouse.shipping import Consignment
from crossdock.shop.warehouse.tracking import DELIVERED, Checkpoint

JOURNEY = (
    (timedelta(), "booked", "The label was made.", "Mechelen"),
    (timedelta(hours=2), "collected", "The parcel was collected.", "Mechelen"),
    (timedelta(hours=8), "in_transit", "The parcel is on its way.", "Antwerp hub"),
    (timedelta(hours=20), "out_for_delivery", "The parcel is on the van.", "Local depot"),
    (timedelta(hours=24), DELIVERED, "The parcel was delivered.", ""),
)


class DemoCarrier:
    """Stores nothing; its tracking page is on this server."""

    name = "demo"
    services = ("standard", "express")
    capabilities = Capabilities(tracks=True, cancels=True, labels_pdf=True, labels_zpl=True)

    def __init__(self, *, ids: Ids, clock: Clock, follow_url: str, fonts: LabelFonts) -> None:
        self._ids = ids
        self._clock = clock
        self._follow_url = follow_url
        self._fonts = fonts

    async def check(self, parcel: Parcel) -> None:
        """Raises Invalid `invalid_input` for an unknown service or a label that cannot be printed."""
        await self._booked(parcel)

    async def book(self, parcel: Parcel) -> Consignment:
        """A number and its labels. Raises as `check`."""
        return await self._booked(parcel)

    async def _booked(self, parcel: Parcel) -> Consignment:
        service = parcel.service or self.services[0]
        if service not in self.services:
            message = f"The demo carrier has {' and '.join(self.services)}, not {service!r}."
            raise Invalid("invalid_input", message, {"field": "service"})
        number = new_tracking_number(self._ids)
        pdf, zpl = await asyncio.to_thread(
            render_label,
            parcel,
            carrier="DEMO CARRIER",
            service=service.upper(),
            number=number,
            fonts=self._fonts,
        )
        return Consignment(
            carrier=self.name,
            service=service,
            tracking_number=number,
            tracking_url=f"{self._follow_url}{number}",
            label_pdf=pdf,
            label_zpl=zpl,
        )

    async def track(self, tracking_number: str, *, shipped_at: datetime) -> list[Checkpoint]:
        """The simulated checkpoints up to now; the same on every call."""
        now = self._clock.now()
        return [
            Checkpoint(code=code, message=message, place=place, happened_at=shipped_at + after)
            for after, code, message, place in JOURNEY
            if shipped_at + after <= now
        ]

    async def cancel(self, tracking_number: str) -> None:
        """Does nothing: it stores no bookings."""
