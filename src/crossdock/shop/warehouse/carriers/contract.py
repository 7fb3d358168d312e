"""The interface of carriers: book a parcel, get its number and label, track it.

A carrier is called between transactions, never inside one.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

import msgspec

from crossdock.errors import Invalid
from crossdock.shop.customers import Address
from crossdock.shop.warehouse.shipping import Consignment
from crossdock.shop.warehouse.tracking import Checkpoint

LANGUAGES = ("nl", "fr", "en", "de")


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel to be booked.

    `key` is the idempotency key: a carrier that is called twice with it books once. `reference` is
    for people. `service` '' is the carrier's default, `weight_g` 0 means unknown.
    """

    key: str
    sender: Address
    receiver: Address
    reference: str = ""
    service: str = ""
    weight_g: int = 0
    language: str = "en"


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a carrier can do beyond booking."""

    tracks: bool = False
    cancels: bool = False
    labels_pdf: bool = False
    labels_zpl: bool = False


class Carrier(Protocol):
    """One carrier, or one account with it."""

    @property
    def name(self) -> str:
        """Its key in our data, such as 'demo'."""

    @property
    def services(self) -> tuple[str, ...]:
        """The services that can be booked, the default first."""

    @property
    def capabilities(self) -> Capabilities:
        """Its optional features."""

    async def check(self, parcel: Parcel) -> None:
        """Books nothing. Raises Invalid for what `book` would refuse, such as a label that cannot be printed."""

    async def book(self, parcel: Parcel) -> Consignment:
        """Book the parcel: tracking number, tracking page and label. Raises Invalid as `check`."""

    async def track(self, tracking_number: str, *, shipped_at: datetime) -> list[Checkpoint]:
        """All checkpoints of a parcel handed over at that time, oldest first."""

    async def cancel(self, tracking_number: str) -> None:
        """Cancel a booking that will not be used."""


class Carriers:
    """The carriers that can be booked, by name; the first is the default."""

    def __init__(self, carriers: Iterable[Carrier]) -> None:
        self._carriers = {carrier.name: carrier for carrier in carriers}

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, the default first."""
        return tuple(self._carriers)

    def find(self, name: str) -> Carrier:
        """The carrier of that name, '' for the default. Raises Invalid `invalid_input`."""
        found = self._carriers.get(name or self.names[0])
        if found is None:
            message = f"There is no carrier {name!r}; there is {', '.join(self.names)}."
            raise Invalid("invalid_input", message, {"field": "carrier"})
        return found

    def trackable(self) -> tuple[str, ...]:
        """The names of the carriers that support tracking."""
        return tuple(
            name for name, carrier in self._carriers.items() if carrier.capabilities.tracks
        )
