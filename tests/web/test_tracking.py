"""A parcel's page..."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.shops import suspend_shop
from crossdock.shop.warehouse import (
    Booking,
    Checkpoint,
    add_checkpoints,
    create_carriers,
    make_manual_label,
    poll_carriers,
    ship_with_carrier,
)
from crossdock.web.tracking import Tracking
from tests.support.clocked import ClockedServer, clocked
from tests.support.factories import moment
from tests.support.warehousing import RECEIVER, Warehouse

HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
    "x-content-type-options": "nosniff",
    "content-type": "text/html; charset=utf-8",
}


@pytest.fixture(scope="module")
async def site(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ClockedServer]:
    """The whole application on this worker's database."""
    folder: Path = tmp_path_factory.mktemp("site")
    clock = FrozenClock(moment("2026-03-02T12:00:00+00:00"))
    async with clocked(database_url=database_url, data_dir=str(folder), clock=clock) as server:
        yield server


@pytest.fixture
async def warehouse(database: Database, clock: FrozenClock) -> Warehouse:
    return await Warehouse.open(database, clock)


@pytest.fixture
def booking(site: ClockedServer, warehouse: Warehouse) -> Booking:
    carriers = create_carriers(
        ids=RandomIds(), clock=warehouse.clock, follow_url=f"{site.url}/track/"
    )
    return Booking(db=warehouse.db, clock=warehouse.clock, carriers=carriers)


async def _shipped(warehouse: Warehouse, booking: Booking) -> tuple[str, int]:
    """The address of a parcel that left just now, and its package."""
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.pick(order_id, {1: 1})
    package_id = await warehouse.pack(order_id, {1: 1})
    given = await ship_with_carrier(booking, shop_id=warehouse.shop.id, package_id=package_id)
    return given.tracking_url, package_id


async def _see(warehouse: Warehouse, package_id: int, *seen: Checkpoint) -> None:
    async with warehouse.db.begin() as tx:
        await add_checkpoints(
            tx,
            shop_id=warehouse.shop.id,
            package_id=package_id,
            checkpoints=seen,
            now=warehouse.clock.now(),
        )


async def _open(address: str, *, method: str = "GET") -> httpx2.Response:
    async with httpx2.AsyncClient(trust_env=False, verify=False) as client:
        return await client.request(method, address)


def _assert_headers(reply: httpx2.Response) -> None:
    for name, value in HEADERS.items():
        assert reply.headers[name] == value
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "unsafe" not in reply.headers["content-security-policy"]
    assert "<script" not in reply.text


def _journey(text: str) -> str:
    return text.partition("<h2>Journey</h2>")[2]


def _in_order(text: str, *parts: str) -> bool:
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


async def test_follows_a_parcel_from_the_label_to_the_door(
    warehouse: Warehouse, booking: Booking
) -> None:
    address, _ = await _shipped(warehouse, booking)
    fresh = await _open(address)
    assert fresh.status_code == 200
    _assert_headers(fresh)
    assert "The carrier has told nothing yet." in fresh.text
    assert "Not yet" in fresh.text

    warehouse.clock.move(timedelta(hours=9))
    await poll_carriers(booking)
    under_way = (await _open(address)).text
    assert "Mechelen, Belgium" in under_way
    assert "Demo, standard" in under_way
    assert '<li class="current" aria-current="step">On its way</li>' in under_way
    assert "Not yet" in under_way
    assert _in_order(
        _journey(under_way), "12:00&nbsp;UTC", "The label was made.", "14:00&nbsp;UTC",
        "The parcel was collected.", "20:00&nbsp;UTC", "The parcel is on its way.", "Antwerp hub",
    )  # fmt: skip
    assert "The parcel was delivered." not in under_way

    warehouse.clock.move(timedelta(hours=16))
    await poll_carriers(booking)
    arrived = (await _open(address)).text
    assert '<li class="done" aria-current="step">Delivered</li>' in arrived
    assert "Not yet" not in arrived
    assert '<time datetime="2026-03-03T12:00:00Z">' in arrived


async def test_names_nobody_and_no_street(warehouse: Warehouse, booking: Booking) -> None:
    address, package_id = await _shipped(warehouse, booking)
    await _see(
        warehouse, package_id, Checkpoint(code="collected", happened_at=warehouse.clock.now())
    )
    text = (await _open(address)).text

    private = {RECEIVER.first_name, RECEIVER.last_name, RECEIVER.email, RECEIVER.phone,
               RECEIVER.address_1, RECEIVER.street, RECEIVER.postcode, "W-1", "Web shop"}  # fmt: skip
    assert [word for word in private if word in text] == []
    assert RECEIVER.city in text


async def test_shows_a_label_that_was_made_by_hand(warehouse: Warehouse, booking: Booking) -> None:
    label = await make_manual_label(
        booking, shop_id=warehouse.shop.id, address=RECEIVER, language="en"
    )
    reply = await _open(label.consignment.tracking_url)

    assert reply.status_code == 200
    assert '<li class="current" aria-current="step">Label made</li>' in reply.text
    assert "Mechelen, Belgium" in reply.text
    assert "is not known here" in reply.text
    assert RECEIVER.last_name not in reply.text


async def test_escapes_what_carriers_say(warehouse: Warehouse, booking: Booking) -> None:
    address, package_id = await _shipped(warehouse, booking)
    seen = Checkpoint(
        code="customs_hold",
        happened_at=warehouse.clock.now(),
        message="<script>alert(1)</script>",
        place="<b>Depot</b> & more",
    )
    await _see(warehouse, package_id, seen)
    text = (await _open(address)).text

    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "&lt;b&gt;Depot&lt;/b&gt; &amp; more" in text


async def test_puts_what_was_told_late_into_the_order_of_time(
    warehouse: Warehouse, booking: Booking
) -> None:
    address, package_id = await _shipped(warehouse, booking)
    now = warehouse.clock.now()
    await _see(warehouse, package_id, Checkpoint(code="out_for_delivery", happened_at=now))
    await _see(
        warehouse, package_id,
        Checkpoint(code="in_transit", happened_at=now - timedelta(hours=3)),
        Checkpoint(code="seen_by_customs", happened_at=now - timedelta(hours=1)),
    )  # fmt: skip
    text = (await _open(address)).text

    assert '<li class="current" aria-current="step">Out for delivery</li>' in text
    assert _in_order(_journey(text), "On its way", "Seen by customs", "Out for delivery")


async def test_shows_the_newest_hundred_of_many_checkpoints(
    warehouse: Warehouse, booking: Booking
) -> None:
    address, package_id = await _shipped(warehouse, booking)
    now = warehouse.clock.now()
    await _see(
        warehouse,
        package_id,
        *(
            Checkpoint(
                code="scanned", happened_at=now + timedelta(minutes=n), message=f"Scan {n:03}."
            )
            for n in range(130)
        ),
    )
    text = (await _open(address)).text

    assert _in_order(text, "Scan 030.", "Scan 129.")
    assert "Scan 029." not in text


async def test_asks_the_database_once(
    warehouse: Warehouse, booking: Booking, database_url: str
) -> None:
    address, _ = await _shipped(warehouse, booking)
    await poll_carriers(booking)
    asked: list[str] = []

    async def note(query: str) -> None:
        asked.append(query)

    watched = Database(database_url, hook=note)
    await watched.open()
    found = await Tracking(watched).find(address.rpartition("/")[2])
    nothing = await Tracking(watched).find("XD")
    await watched.close()

    assert found is not None
    assert [sight.text for sight in found.sights] == ["The label was made."]
    assert nothing is None
    assert len(asked) == 1


async def test_is_one_and_the_same_for_every_wrong_number(
    site: ClockedServer, warehouse: Warehouse, booking: Booking
) -> None:
    address, _ = await _shipped(warehouse, booking)
    base, _, number = address.rpartition("/")
    other = "A" if number[5] != "A" else "B"
    wrong = [
        number[:5] + other + number[6:], number[:-1], number + "X", number.lower(), f"%20{number}",
        "x", "XD", "XDAAAAAAAAAAAAA0", "%00", "%FF", "'", "x" * 5000, "１２", "..%2f",
    ]  # fmt: skip
    replies = [await _open(f"{base}/{text}") for text in wrong]

    assert {reply.status_code for reply in replies} == {404}
    assert len({reply.content for reply in replies if b"Parcel not found" in reply.content}) == 1
    for reply in replies:
        assert number not in reply.text
    _assert_headers(replies[0])
    for path in ("/track", "/track/"):
        assert (await _open(site.url + path)).status_code == 404


async def test_is_not_there_for_the_numbers_of_other_carriers(
    site: ClockedServer, warehouse: Warehouse
) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.pick(order_id, {1: 1})
    package_id = await warehouse.pack(order_id, {1: 1})
    await warehouse.ship(package_id, "3S-GUESSABLE-1")

    assert (await _open(f"{site.url}/track/3S-GUESSABLE-1")).status_code == 404


async def test_can_only_be_read(warehouse: Warehouse, booking: Booking) -> None:
    address, _ = await _shipped(warehouse, booking)
    before = await warehouse.everything()

    head = await _open(address, method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert urlsplit(address).query == ""
    for method in ("POST", "PUT", "DELETE"):
        assert (await _open(address, method=method)).status_code == 405
    assert await warehouse.everything() == before


async def test_is_not_there_while_its_shop_is_suspended(site, warehouse, booking) -> None:
    address, _ = await _shipped(warehouse, booking)
    async with httpx2.AsyncClient(trust_env=False) as browser:
        assert (await browser.get(address)).status_code == 200
        async with warehouse.db.begin() as tx:
            await suspend_shop(tx, shop_id=warehouse.shop.id, now=warehouse.clock.now())
        assert (await browser.get(address)).status_code == 404
