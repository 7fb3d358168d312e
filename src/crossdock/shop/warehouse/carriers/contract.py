"""What a carrier is: it takes a parcel, gives a number and a label, and tells where the parcel is.

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

    `key` names it for ever, so that a carrier that is asked twice books once; `reference` is for
    people. `service` '' is the carrier's usual one, `weight_g` 0 is unknown.
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
        """Its key in our data, for example 'demo'."""

    @property
    def services(self) -> tuple[str, ...]:
        """What may be booked, the usual one first."""

    @property
    def capabilities(self) -> Capabilities:
        """What else it can do."""

    async def book(self, parcel: Parcel) -> Consignment:
        """Its number, page and label for the parcel. Raises Invalid for an unknown service."""

    async def track(self, tracking_number: str, *, shipped_at: datetime) -> list[Checkpoint]:
        """Everything it has seen of a parcel that was handed over then, the oldest first."""

    async def cancel(self, tracking_number: str) -> None:
        """Take a booking back that will not be used."""


class Carriers:
    """The carriers that can be booked, by name; the first is the usual one."""

    def __init__(self, carriers: Iterable[Carrier]) -> None:
        self._carriers = {carrier.name: carrier for carrier in carriers}

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, the usual one first."""
        return tuple(self._carriers)

    def find(self, name: str) -> Carrier:
        """The carrier of that name, '' for the usual one. Raises Invalid `invalid_input`."""
        found = self._carriers.get(name or self.names[0])
        if found is None:
            message = f"There is no carrier {name!r}; there is {', '.join(self.names)}."
            raise Invalid("invalid_input", message, {"field": "carrier"})
        return found

    def trackable(self) -> tuple[str, ...]:
        """The names of those that tell where a parcel is."""
        return tuple(
            name for name, carrier in self._carriers.items() if carrier.capabilities.tracks
        )
