"""An order that is read..."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound
from crossdock.kit.clock import FrozenClock
from crossdock.shop.events import DispatchSent, write_event
from crossdock.shop.events.kinds import PaymentPaid
from crossdock.shop.orders import (
    Identity,
    OrderView,
    find_order_id,
    place,
    read_order,
    read_order_by_key,
)
from crossdock.shop.orders.viewing import SECTIONS
from tests.conftest import NOON
from tests.support.drafts import BUYER, draft_of, line_of
from tests.support.factories import make_merchant, make_partner
from tests.support.warehousing import Warehouse

LATER = NOON + timedelta(hours=1)


@pytest.fixture
async def warehouse(database: Database, clock: FrozenClock) -> Warehouse:
    """Its orders have packages and returns that only these tests look at."""
    return await Warehouse.open(database, clock)


async def _placed(warehouse: Warehouse, *variants: int, **values: Any) -> int:
    """An order of 2 of each variant at 10.00, with amounts of its own on the first line."""
    lines = [line_of(variant, shop=warehouse.shop, quantity=2) for variant in variants]
    own = {"discount_minor": 50, "tax_minor": 400, "shipping_minor": 700, "note": "fragile"}
    lines[0] = msgspec.structs.replace(lines[0], **own)
    async with warehouse.db.begin() as tx:
        draft = draft_of(*lines, shop=warehouse.shop, **values)
        return (await place(tx, draft=draft, now=NOON)).id


async def _read(warehouse: Warehouse, order_id: int, *sections: Any) -> OrderView:
    async with warehouse.db.statement() as tx:
        return await read_order(tx, shop_id=warehouse.shop.id, order_id=order_id, sections=sections)


async def test_has_what_was_placed(warehouse: Warehouse) -> None:
    variants = [await warehouse.variant() for _ in range(2)]
    async with warehouse.db.begin() as tx:
        other = await make_merchant(tx, shop_id=warehouse.shop.id, slug="other")
        await tx.run("update variants set merchant_id = %s where id = %s", (other, variants[1]))
    await _placed(warehouse, *variants)
    lines = [
        line_of(variants[1], shop=warehouse.shop, quantity=3, price_minor=500, merchant_id=other),
        line_of(variants[0], shop=warehouse.shop, tax_minor=210, channel_data={"a": 1}),
    ]
    draft = draft_of(*lines, shop=warehouse.shop, partner_id=7, number="N-1", comments="Ring.",
                     language="nl", tax_id="BE1", resale_tax="R1", is_test=True)  # fmt: skip
    async with warehouse.db.begin() as tx:
        order_id = (await place(tx, draft=draft, now=NOON)).id

    order = await _read(warehouse, order_id, "lines", "parts")

    assert (order.shop_id, order.shop_name, order.id) == (warehouse.shop.id, "Test shop", order_id)
    assert (order.order_key, order.channel, order.source) == (draft.order_key, "test", "test")
    assert (order.partner_id, order.partner_order_id, order.customer_id) == (7, "N-1", None)
    assert (order.fulfilment_state, order.payment_state) == ("processing", "none")
    assert (order.subtotal_minor, order.tax_minor, order.total_minor) == (2500, 210, 2710)
    assert (order.billing, order.shipping, order.email) == (BUYER, BUYER, BUYER.email)
    assert (order.language, order.comments) == ("nl", "Ring.")
    assert (order.tax_id, order.resale_tax, order.is_test) == ("BE1", "R1", True)
    assert (order.placed_at, order.updated_at) == (NOON, NOON)
    assert (order.expires_at, order.shipped_at) == (None, None)
    assert [
        (x.line_no, x.variant_id, x.merchant_id, x.quantity, x.total_minor, x.channel_data)
        for x in order.lines
    ] == [
        (1, variants[1], other, 3, 1500, {}),
        (2, variants[0], warehouse.shop.merchant_id, 1, 1210, {"a": 1}),
    ]
    assert [
        (x.merchant_id, x.merchant, x.state, x.route, x.subtotal_minor, x.total_minor)
        for x in order.parts
    ] == [
        (warehouse.shop.merchant_id, "Main", "processing", None, 1000, 1210),
        (other, "Other", "processing", None, 1500, 1500),
    ]
    assert (order.packages, order.returns, order.timeline) == ((), (), ())


async def test_has_the_sections_that_are_asked_for_and_no_others(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.ship_all(order_id, {1: 1})
    await warehouse.announce(order_id, {1: 1})

    lists = SECTIONS & set(OrderView.__struct_fields__)
    for section in SECTIONS:
        order = await _read(warehouse, order_id, section)
        assert {name for name in lists if getattr(order, name)} == {section} & lists
        assert order.shipped_at == (NOON if section == "packages" else None)


async def test_has_its_packages_and_nobody_else_s(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=90)
    mine = await warehouse.enter((good, 5), (good, 5))
    theirs = await warehouse.enter((good, 5), (good, 5))
    for order_id in (mine, theirs):
        await warehouse.pick(order_id, {1: 5, 2: 5})
    first = await warehouse.pack(mine, {1: 2, 2: 1}, weight_g=900)
    other = await warehouse.pack(theirs, {1: 5})
    second = await warehouse.pack(mine, {2: 4})
    await warehouse.pack(mine, {1: 1})
    async with warehouse.db.begin() as tx:
        left = "delete from package_lines where shop_id = %s and package_id = %s"
        await tx.run(left, (warehouse.shop.id, second))
    await warehouse.ship(first, number="T-1")
    warehouse.clock.move(timedelta(hours=1))
    await warehouse.ship(second, number="T-2")
    warehouse.clock.move(timedelta(hours=1))
    await warehouse.ship(other, number="T-3")

    order = await _read(warehouse, mine, "packages")

    assert [
        (x.id, x.state, x.carrier, x.tracking_number, x.weight_g, x.shipped_at, x.lines)
        for x in order.packages[:2]
    ] == [
        (first, "shipped", "demo", "T-1", 900, NOON, {1: 2, 2: 1}),
        (second, "shipped", "demo", "T-2", 0, LATER, {}),
    ]
    [packed] = order.packages[2:]
    assert (packed.state, packed.shipped_at, packed.lines) == ("packed", None, {1: 1})
    assert packed.packed_at == NOON
    assert order.shipped_at == LATER


async def test_has_its_returns_and_nobody_else_s(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=90)
    mine, theirs = [await warehouse.enter((good, 3), (good, 3)) for _ in range(2)]
    for order_id in (mine, theirs):
        await warehouse.ship_all(order_id, {1: 3, 2: 3})
    first = await warehouse.announce(mine, {1: 1, 2: 2})
    other = await warehouse.announce(theirs, {1: 3})
    second = await warehouse.announce(mine, {1: 1})
    warehouse.clock.move(timedelta(hours=1))
    await warehouse.take_in(first, {1: 1, 2: 2})
    async with warehouse.db.begin() as tx:
        await tx.run("delete from order_return_lines where return_id = %s", (second,))

    order = await _read(warehouse, mine, "returns")

    assert [(x.id, x.state, x.announced_at, x.received_at, x.lines) for x in order.returns] == [
        (first, "received", NOON, LATER, {1: 1, 2: 2}),
        (second, "announced", NOON, None, {}),
    ]
    [their] = (await _read(warehouse, theirs, "returns")).returns
    assert (their.id, their.lines) == (other, {1: 3})


async def test_has_what_happened_to_it_and_not_to_its_goods(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=90)
    mine, theirs = [await warehouse.enter((good, 1)) for _ in range(2)]
    package_id = await warehouse.ship_all(mine, {1: 1})
    return_id = await warehouse.announce(mine, {1: 1})
    async with warehouse.db.begin() as tx:
        for event in (
            DispatchSent(connector="out", external_id="X9"),
            PaymentPaid(from_state="awaiting", to_state="paid"),
        ):
            await write_event(
                tx, shop_id=warehouse.shop.id, event=event, subject_id=mine, now=LATER
            )

    timeline = (await _read(warehouse, mine, "timeline")).timeline

    assert [event.kind for event in timeline] == [
        "order.placed",
        "order.in_fulfilment",
        "order.picked",
        "package.packed",
        "order.lines_moved",
        "order.shipped",
        "package.shipped",
        "return.announced",
        "dispatch.sent",
        "payment.paid",
    ]
    assert timeline[3].payload == {"package_id": package_id}
    assert timeline[7].payload == {"return_id": return_id}
    assert (timeline[0].created_at, timeline[8].created_at) == (NOON, LATER)
    assert [event.kind for event in (await _read(warehouse, theirs, "timeline")).timeline] == [
        "order.placed"
    ]


async def test_has_the_customer_s_e_mail_where_its_bill_has_none(warehouse: Warehouse) -> None:
    nobody = msgspec.structs.replace(BUYER, email="")
    good, customer = await warehouse.variant(), warehouse.shop.customer_id
    async with warehouse.db.statement() as tx:
        known = await tx.value("select email from customers where id = %s", (customer,))

    told = [
        (await _read(warehouse, await _placed(warehouse, good, **values))).email
        for values in (
            {"customer_id": customer},
            {"customer_id": customer, "billing": nobody},
            {"billing": nobody},
        )
    ]

    assert told == [BUYER.email, known, ""]


async def test_by_its_key_needs_the_whole_key(warehouse: Warehouse) -> None:
    order_id = await _placed(warehouse, await warehouse.variant(), order_key="wc_order_right")

    async with warehouse.db.statement() as tx:
        found = await read_order_by_key(tx, order_id=order_id, order_key="wc_order_right")
        assert found.id == order_id
        for wrong_id, key in (
            (order_id, "wc_order_righ"),
            (order_id, ""),
            (2**60, "wc_order_right"),
            (2**60, "wc_order_0000000000000"),
        ):
            with pytest.raises(NotFound) as refusal:
                await read_order_by_key(tx, order_id=wrong_id, order_key=key)
            assert (refusal.value.code, refusal.value.data) == ("order_not_found", {})


async def test_is_for_its_shop_and_its_partner(warehouse: Warehouse) -> None:
    order_id = await _placed(warehouse, await warehouse.variant(), partner_id=7)
    other = await Warehouse.open(warehouse.db, warehouse.clock)
    await _placed(other, await other.variant(), partner_id=7)

    by_shop: dict[str, Any] = {"shop_id": warehouse.shop.id}
    by_partner: dict[str, Any] = {"partner_id": 7}
    async with warehouse.db.statement() as tx:
        for seen in ({}, by_shop, by_partner):
            assert (await read_order(tx, order_id=order_id, **seen)).id == order_id
        for hidden in (by_shop | {"shop_id": other.shop.id}, by_partner | {"partner_id": 8}):
            with pytest.raises(NotFound, match="order_not_found"):
                await read_order(tx, order_id=order_id, **hidden)


async def test_by_a_number_needs_shop_partner_and_number(warehouse: Warehouse) -> None:
    good = await warehouse.variant()
    order_id = await _placed(warehouse, good, partner_id=7, number="N-1")
    await _placed(warehouse, good, partner_id=8, number="N-1")
    await _placed(warehouse, good, partner_id=7, number="N-2")
    whole: dict[str, Any] = {
        "shop_id": warehouse.shop.id,
        "partner_id": 7,
        "partner_order_id": "N-1",
    }

    async with warehouse.db.statement() as tx:
        assert (await read_order(tx, **whole)).id == order_id
        wrong = [{**whole, name: None} for name in whole]
        for names in (*wrong, {**whole, "partner_id": 9}, {**whole, "partner_order_id": "N-3"}):
            with pytest.raises(NotFound, match="order_not_found"):
                await read_order(tx, **names)


async def test_is_found_by_any_number_of_its_shop(warehouse: Warehouse) -> None:
    good = await warehouse.variant()
    async with warehouse.db.begin() as tx:
        partner = (await make_partner(tx, shop=warehouse.shop)).id
        rival = (await make_partner(tx, shop=warehouse.shop)).id
    theirs = await _placed(warehouse, good, partner_id=partner, number="P-1")
    await _placed(warehouse, good, partner_id=rival, number="P-2")
    staff = await _placed(warehouse, good, identity=Identity(namespace="staff", key="S-1"))
    newer = await _placed(warehouse, good, identity=Identity(namespace="staff", key="P-2"))
    elsewhere = await Warehouse.open(warehouse.db, warehouse.clock)
    foreign = await _placed(
        elsewhere, await elsewhere.variant(), identity=Identity(namespace="staff", key="S-9")
    )
    claimed = Identity(namespace="refund", key="S-8")
    unnamed = await _placed(warehouse, good, identity=claimed)

    async def found(number: str, *, of: Warehouse = warehouse) -> int:
        async with warehouse.db.statement() as tx:
            return await find_order_id(tx, shop_id=of.shop.id, number=number)

    assert [await found(number) for number in ("P-1", "S-1", "P-2", str(unnamed))] == [
        theirs,
        staff,
        newer,
        unnamed,
    ]
    assert await found("S-9", of=elsewhere) == foreign
    for number in ("S-9", "S-8", "P-3", str(foreign), "0", "²", "9" * 18, "9" * 19, ""):
        with pytest.raises(NotFound, match="order_not_found"):
            await found(number)
    for number in ("P-1", "S-1", str(theirs)):
        with pytest.raises(NotFound, match="order_not_found"):
            await found(number, of=elsewhere)
