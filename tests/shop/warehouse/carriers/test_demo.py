"""The demo carrier..."""

from datetime import timedelta

import pytest

from crossdock.errors import Invalid
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds, SeededIds
from crossdock.shop.customers import Address
from crossdock.shop.warehouse import Carriers, Parcel, create_carriers, is_tracking_number
from tests.support.warehousing import RECEIVER

PARCEL = Parcel(
    key="1-1",
    sender=Address(company="Shop", city="Mechelen", country="BE"),
    receiver=RECEIVER,
    reference="W-1",
    weight_g=1250,
    language="nl",
)


@pytest.fixture
def carriers(clock: FrozenClock) -> Carriers:
    return create_carriers(ids=RandomIds(), clock=clock, follow_url="https://x.example/track/")


async def test_gives_a_number_a_page_and_both_labels(carriers: Carriers) -> None:
    consignment = await carriers.find("demo").book(PARCEL)

    assert is_tracking_number(consignment.tracking_number)
    assert consignment.tracking_url == f"https://x.example/track/{consignment.tracking_number}"
    assert (consignment.carrier, consignment.service) == ("demo", "standard")
    assert consignment.label_pdf is not None
    assert consignment.label_pdf.startswith(b"%PDF-")
    assert consignment.label_zpl is not None
    assert consignment.label_zpl.startswith("^XA")


async def test_is_the_usual_one_and_the_only_one(carriers: Carriers) -> None:
    assert carriers.find("") is carriers.find("demo")
    with pytest.raises(Invalid) as refusal:
        carriers.find("pigeon")
    assert refusal.value.data == {"field": "carrier"}


async def test_knows_its_services(carriers: Carriers) -> None:
    express = Parcel(key="1", sender=RECEIVER, receiver=RECEIVER, service="express")
    assert (await carriers.find("").book(express)).service == "express"

    with pytest.raises(Invalid) as refusal:
        await carriers.find("").book(
            Parcel(key="1", sender=RECEIVER, receiver=RECEIVER, service="teleport")
        )
    assert refusal.value.data == {"field": "service"}


async def test_gives_numbers_from_the_ids_it_was_made_with(clock: FrozenClock) -> None:
    numbers = []
    for _ in range(2):
        carriers = create_carriers(ids=SeededIds(7), clock=clock, follow_url="http://x/track/")
        numbers.append((await carriers.find("").book(PARCEL)).tracking_number)

    assert numbers[0] == numbers[1]


async def test_tells_of_a_journey_as_the_clock_goes_on(
    carriers: Carriers, clock: FrozenClock
) -> None:
    start = clock.now()
    seen = []
    for hours in (0, 2, 6, 12, 4):
        clock.move(timedelta(hours=hours))
        seen.append(
            [c.code for c in await carriers.find("").track("XD1", shipped_at=start)],
        )

    journey = ["booked", "collected", "in_transit", "out_for_delivery", "delivered"]
    assert seen == [journey[:1], journey[:2], journey[:3], journey[:4], journey]
    again = await carriers.find("").track("XD1", shipped_at=start)
    assert [c.happened_at - start for c in again][-1] == timedelta(hours=24)


@pytest.mark.parametrize("place", range(16))
def test_number_with_one_wrong_character_is_none(place: int) -> None:
    from crossdock.shop.warehouse.carriers.numbers import new_tracking_number

    number = new_tracking_number(SeededIds(3))
    assert is_tracking_number(number)

    other = "A" if number[place] != "A" else "B"
    assert not is_tracking_number(number[:place] + other + number[place + 1 :])


@pytest.mark.parametrize(
    "text", ["", "XD", "xdi0vpebowfbzav2", "XDI0VPEBOWFBZAV2 ", "XD" + "é" * 14]
)
def test_number_of_another_shape_is_none(text: str) -> None:
    assert not is_tracking_number(text)
