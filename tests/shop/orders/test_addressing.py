"""Correcting where an order goes..."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from crossdock.errors import CrossdockError, Invalid, NotFound, Refused
from crossdock.shop.customers import Address
from crossdock.shop.orders import correct_address
from crossdock.shop.orders.addressing import corrected
from crossdock.shop.warehouse import pack_lines
from tests.support.drafts import BUYER
from tests.support.locks import waiting_for_a_lock
from tests.support.warehousing import RECEIVER, Warehouse

SUITE = msgspec.structs.replace(BUYER, address_2="Suite 4")


async def correct(
    warehouse: Warehouse, order_id: int, **changes: str
) -> tuple[Address, tuple[str, ...]]:
    async with warehouse.db.begin() as tx:
        return await correct_address(tx, order_id=order_id, changes=changes, **_shop(warehouse))


async def test_is_possible_until_something_is_packed(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    waiting = await warehouse.enter((good, 1), release=False)
    reserved = await warehouse.enter((good, 9))
    released = await warehouse.enter((good, 1))
    picked = await warehouse.enter((good, 1))
    await warehouse.pick(picked, {1: 1})
    packed = await warehouse.enter((good, 1))
    await warehouse.pick(packed, {1: 1})
    await warehouse.pack(packed, {1: 1})
    warehouse.clock.move(timedelta(hours=1))

    for order_id in (waiting, reserved, released, picked):
        found, changed = await correct(warehouse, order_id, house_number="17", postcode="2801")
        order = await warehouse.read(order_id)
        assert order.shipping == found
        assert (found.address_1, found.postcode, found.city) == ("Veemarkt 17", "2801", "Mechelen")
        assert changed == ("address_1", "address_2", "postcode", "house_number")
        assert order.billing == RECEIVER
        assert order.updated_at == warehouse.clock.now()

    async with warehouse.db.statement() as tx:
        told = await tx.value(
            "select payload from events where subject_id = %s and kind = 'order.address_changed'",
            (waiting,),
        )
    assert told == {"fields": ["address_1", "address_2", "postcode", "house_number"]}


async def test_twice_is_done_once(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await correct(warehouse, order_id, city="Leuven")
    before = await warehouse.everything()

    assert (await correct(warehouse, order_id, city=" Leuven "))[1] == ()

    assert await warehouse.everything() == before


async def test_is_refused_of_what_is_packed_or_has_left(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=9)
    packed, partly, shipped, cancelled = [await warehouse.enter((good, 2)) for _ in range(4)]
    await warehouse.pick(packed, {1: 2})
    package_id, other_id = [await warehouse.pack(packed, {1: 1}) for _ in range(2)]
    await warehouse.ship_all(partly, {1: 1})
    await warehouse.ship_all(shipped, {1: 2})
    await warehouse.cancel(cancelled)
    before = await warehouse.everything()

    for order_id, said in (
        (packed, f"Package {package_id} is packed"),
        (partly, "partially_shipped"),
        (shipped, "is shipped"),
        (cancelled, "is cancelled"),
    ):
        with pytest.raises(Refused, match=said) as refusal:
            await correct(warehouse, order_id, city="Leuven")
        assert refusal.value.code == "order_state"

    assert await warehouse.everything() == before
    await warehouse.unpack(package_id)
    await warehouse.unpack(other_id)
    assert (await correct(warehouse, packed, city="Leuven"))[1] == ("city",)


@pytest.mark.parametrize(
    ("status", "attempts", "is_allowed"),
    [
        ("queued", 0, True),
        ("queued", 1, False),
        ("sending", 1, False),
        ("sent", 1, False),
        ("failed", 7, True),
    ],
)
async def test_is_made_where_the_order_is(
    warehouse: Warehouse, status: str, attempts: int, is_allowed: bool
) -> None:
    """A dispatch that failed, perhaps for its address, reads the order again when it is sent again."""
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    async with warehouse.db.begin() as tx:
        await tx.run(
            "insert into deliveries (shop_id, subject_id, kind, target, status, attempts, queued_at,"
            " sent_at, next_attempt_at, updated_at)"
            " values (%(shop)s, %(order)s, 'dispatch', 'out', %(status)s, %(attempts)s, now(),"
            " case when %(status)s = 'sent' then now() end,"
            " case when %(status)s in ('queued', 'sending') then now() + interval '9 days' end, now())",
            {
                "shop": warehouse.shop.id,
                "order": order_id,
                "status": status,
                "attempts": attempts,
            },
        )

    if is_allowed:
        assert (await correct(warehouse, order_id, city="Leuven"))[1] == ("city",)
    else:
        with pytest.raises(Refused, match="with out; correct the address there"):
            await correct(warehouse, order_id, city="Leuven")


async def test_another_shops_order_looks_like_an_unknown_one(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    for unknown in (order_id, 999_999_999):
        with pytest.raises(NotFound) as refusal:
            await correct(other, unknown, city="Leuven")
        assert refusal.value.code == "order_not_found"

    assert (await warehouse.read(order_id)).shipping == RECEIVER


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        (RECEIVER, {"street": "Vismarkt"}, {"address_1": "Vismarkt 7", "address_2": "2"}),
        (RECEIVER, {"box": ""}, {"address_1": "Veemarkt 7", "address_2": "", "box": ""}),
        (
            RECEIVER,
            {"street": "Vismarkt", "address_1": "7, Vismarkt"},
            {"address_1": "7, Vismarkt"},
        ),
        (
            RECEIVER,
            {"address_1": "Vismarkt 9"},
            {"address_1": "Vismarkt 9", "street": "", "house_number": "", "box": ""},
        ),
        (RECEIVER, {"country": " nl "}, {"country": "NL"}),
        (BUYER, {"country": "AE", "state": "Dubai", "postcode": ""}, {"postcode": ""}),
        (BUYER, {"city": "x" * 255}, {"city": "x" * 255}),
        (BUYER, {"last_name": "King"}, {"address_1": "1 Analytical Way", "street": ""}),
        (
            SUITE,
            {"street": "Main", "house_number": "3"},
            {"address_1": "Main 3", "address_2": "Suite 4"},
        ),
    ],
)
def test_keeps_the_lines_and_their_parts_alike(
    before: Address, changes: dict[str, str], after: dict[str, str]
) -> None:
    found = msgspec.structs.asdict(corrected(before, changes=changes))

    assert {name: found[name] for name in after} == after


@pytest.mark.parametrize(
    ("before", "changes", "code", "data"),
    [
        (BUYER, {"state": ""}, "shipping_incomplete", {"fields": ["state"]}),
        (BUYER, {"city": "\u200b"}, "shipping_incomplete", {"fields": ["city"]}),
        (BUYER, {"address_1": ""}, "shipping_incomplete", {"fields": ["address_1"]}),
        (RECEIVER, {"country": "US"}, "shipping_incomplete", {"fields": ["state"]}),
        (RECEIVER, {"country": "UK"}, "invalid_input", {"field": "country"}),
        (RECEIVER, {"country": ""}, "invalid_input", {"field": "country"}),
        (RECEIVER, {"email": "noor"}, "invalid_input", {"field": "email"}),
        (RECEIVER, {"city": "a\nb"}, "invalid_input", {"field": "city"}),
        (RECEIVER, {"city": "x" * 256}, "invalid_input", {"field": "city"}),
        (RECEIVER, {"vat": "BE0"}, "invalid_input", {"field": "vat"}),
        (RECEIVER, {"planet": "Mars"}, "invalid_input", {"field": "planet"}),
    ],
)
async def test_to_what_is_no_address_is_refused(
    warehouse: Warehouse, before: Address, changes: dict[str, str], code: str, data: dict[str, Any]
) -> None:
    with pytest.raises(CrossdockError) as refusal:
        corrected(before, changes=changes)
    assert (refusal.value.code, refusal.value.data) == (code, data)

    order_id = await warehouse.enter((await warehouse.variant(), 1))
    async with warehouse.db.begin() as tx:
        shipping = msgspec.json.encode(before).decode()
        await tx.run("update orders set shipping = %s where id = %s", (shipping, order_id))
    everything = await warehouse.everything()
    with pytest.raises((Invalid, Refused)):
        await correct(warehouse, order_id, **changes)
    assert await warehouse.everything() == everything


def test_does_not_ask_for_what_the_order_never_had() -> None:
    """A web shop's order for a company in Texas, without a person and a state."""
    before = Address(
        company="Corner Shop", address_1="Main 1", city="Austin", postcode="78701", country="US"
    )

    assert corrected(before, changes={"postcode": "78702"}).postcode == "78702"
    with pytest.raises(Refused) as refusal:
        corrected(before, changes={"country": "CA"})
    assert refusal.value.data == {"fields": ["state"]}


@pytest.mark.races
async def test_waits_for_who_packs_and_is_refused(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.pick(order_id, {1: 1})
    async with warehouse.db.begin() as packer:
        await pack_lines(packer, order_id=order_id, quantities={1: 1}, **_shop(warehouse))
        late = asyncio.create_task(correct(warehouse, order_id, city="Leuven"))
        await waiting_for_a_lock(warehouse.db, behind=packer)

    with pytest.raises(Refused, match="is packed"):
        await late
    assert (await warehouse.read(order_id)).shipping == RECEIVER


def _shop(warehouse: Warehouse) -> dict[str, Any]:
    return {"shop_id": warehouse.shop.id, "now": warehouse.clock.now()}
