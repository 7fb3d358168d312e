"""Data of the parcel tracking page: the status, and the carrier's checkpoints."""

from datetime import UTC, datetime

import msgspec

from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound
from crossdock.gate import Seller, seller_named
from crossdock.kit.languages import lazy
from crossdock.shop.warehouse import (
    Checkpoint,
    FollowedParcel,
    follow_parcel,
    is_tracking_number,
)

_ROAD = {
    "booked": lazy("Label made"),
    "collected": lazy("Collected"),
    "in_transit": lazy("On its way"),
    "out_for_delivery": lazy("Out for delivery"),
    "delivered": lazy("Delivered"),
}
_STATIONS = tuple(_ROAD)
_START = {"labelled": 0, "shipped": 0, "delivered": len(_STATIONS) - 1}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the progress bar; `phase` is done, current or coming."""

    name: str
    phase: str


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that the carrier reported."""

    at: datetime
    text: str
    place: str


class ParcelView(msgspec.Struct, frozen=True, kw_only=True):
    """The page's data; `languages` are the seller's. `sights` are the checkpoints in the order of time."""

    seller: Seller
    languages: tuple[str, ...]
    language: str
    number: str
    carrier: str
    service: str
    city: str
    country: str
    since: datetime
    is_sent: bool
    is_delivered: bool
    delivered_at: datetime | None
    status: str
    steps: tuple[Step, ...]
    sights: tuple[Sight, ...]


class Tracking:
    """Looks parcels up for the page."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, number: str) -> ParcelView | None:
        """The parcel with that number, or None; malformed numbers need no database connection."""
        if not is_tracking_number(number):
            return None
        try:
            async with self._db.statement() as tx:
                parcel = await follow_parcel(tx, tracking_number=number)
        except NotFound:
            return None
        return view_of(parcel, number=number)


def view_of(parcel: FollowedParcel, *, number: str) -> ParcelView:
    """The page's texts for a parcel; times are in UTC."""
    place = _place_on_the_road(parcel)
    is_delivered = place == len(_STATIONS) - 1
    return ParcelView(
        seller=seller_named(parcel.shop_name, logo=parcel.shop_logo),
        languages=parcel.shop_languages,
        language=parcel.language,
        number=number,
        carrier=_in_words(parcel.carrier),
        service=_in_words(parcel.service),
        city=parcel.city,
        country=parcel.country,
        since=parcel.since.astimezone(UTC),
        is_sent=parcel.state != "labelled",
        is_delivered=is_delivered,
        delivered_at=_delivered_at(parcel),
        status=_ROAD[_STATIONS[place]],
        steps=tuple(
            Step(name=name, phase=_phase(number, place=place, is_over=is_delivered))
            for number, name in enumerate(_ROAD.values())
        ),
        sights=tuple(_sight(checkpoint) for checkpoint in parcel.checkpoints),
    )


def _place_on_the_road(parcel: FollowedParcel) -> int:
    """The furthest step reached: checkpoints may be out of order, and their codes unknown."""
    seen = [_STATIONS.index(c.code) for c in parcel.checkpoints if c.code in _ROAD]
    return max([_START[parcel.state], *seen])


def _delivered_at(parcel: FollowedParcel) -> datetime | None:
    times = [c.happened_at for c in parcel.checkpoints if c.code == _STATIONS[-1]]
    return times[0].astimezone(UTC) if times else None


def _phase(number: int, *, place: int, is_over: bool) -> str:
    if number < place or is_over:
        return "done"
    return "current" if number == place else "coming"


def _sight(checkpoint: Checkpoint) -> Sight:
    return Sight(
        at=checkpoint.happened_at.astimezone(UTC),
        text=checkpoint.message or _ROAD.get(checkpoint.code) or _in_words(checkpoint.code),
        place=checkpoint.place,
    )


def _in_words(key: str) -> str:
    """`out_for_delivery` becomes `Out for delivery`."""
    words = key.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
