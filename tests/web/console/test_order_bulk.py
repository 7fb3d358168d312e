"""Many orders at once, and papers for the warehouse: asked first, told for each, of this shop alone."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import move_order
from tests.support.factories import moment
from tests.support.people import hidden_fields
from tests.support.staff import Desk

ORDERS = "/console/orders"
BULK = f"{ORDERS}/bulk"
_FAULT = """
    create function fault() returns trigger language plpgsql as $$
    begin raise exception 'a fault that nobody expects'; end $$
"""


@pytest.fixture
async def desk(server_database: Database) -> Desk:
    """A shop of the server."""
    return await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def staff(person, browser, desk):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=desk.shop.id))

    return sign_in


async def test_all_that_match_are_asked_for_and_each_result_is_told(desk, staff):
    good = await desk.variant(own=99)
    first, second, shipped = [(await desk.on_account((good, 1))).id for _ in range(3)]
    opened = await staff()
    await opened.submit_surely(f"{ORDERS}/{shipped}", {"all": "yes"}, to=f"{ORDERS}/{shipped}/send")

    asked = await opened.submit(ORDERS, {"action": "cancel", "all": "yes"}, to=f"{BULK}?view=all")
    before = await desk.read(first)
    async with desk.db.statement() as tx:
        asked_is_noted = await tx.value(
            "select count(*) from acts where act = %s and shop_id = %s", (BULK, desk.shop.id)
        )
    assert asked_is_noted == 0
    fields = dict(
        re.findall(r'name="(order\.\d+|sure|action|form_token)" value="([^"]+)"', asked.text)
    )
    done = await opened.post(BULK, fields | {"refund_reason": "agreement", "note": "Closed down."})

    assert "Cancel orders: 3 orders?" in asked.text
    assert before.fulfilment_state == "processing"
    assert len([name for name in fields if name.startswith("order.")]) == 3
    assert "2 of 3 orders are done." in done.text
    assert [(await desk.read(n)).fulfilment_state for n in (first, second, shipped)] == [
        *("cancelled", "cancelled", "shipped"),
    ]  # fmt: skip
    assert f'href="{ORDERS}/{shipped}">{shipped}</a>' in done.text
    cancelled = [e for e in (await desk.read(first)).timeline if e.kind == "order.cancelled"]
    assert [(e.author, e.payload["reason"]) for e in cancelled] == [("Noor", "Closed down.")]


async def test_the_chosen_ones_are_noted_released_and_sent_again(desk, staff):
    good = await desk.variant(own=99)
    first, second = [(await desk.with_card((good, 1))).id for _ in range(2)]
    async with desk.db.begin() as tx:
        await move_order(
            tx, shop_id=desk.shop.id, order_id=first, to="waiting_for_release",
            now=desk.clock.now(),
        )  # fmt: skip
    opened = await staff("warehouse")
    both = {f"order.{first}": "yes", f"order.{second}": "yes", "sure": "yes"}

    noted = await opened.submit(ORDERS, both | {"action": "note", "note": "Ring."}, to=BULK)
    released = await opened.submit(ORDERS, both | {"action": "release"}, to=BULK)
    sent = await opened.submit(ORDERS, both | {"action": "resend"}, to=BULK)

    async with desk.db.statement() as tx:
        acts = await tx.all(
            "select details from acts where shop_id = %s and act = %s order by id",
            (desk.shop.id, BULK),
        )
    orders = {f"order {first}": "yes", f"order {second}": "yes"}
    assert [details for (details,) in acts] == [
        {"action": "note", "note": "(not kept)"} | orders, {"action": "release"} | orders,
    ]  # fmt: skip
    assert "2 of 2 orders are done." in noted.text
    assert "2 of 2 orders are done." in released.text
    assert "0 of 2 orders are done." in sent.text
    assert sent.text.count("Only a failed dispatch can be sent again.") == 2
    assert (await desk.read(first)).fulfilment_state == "processing"
    assert [(await desk.kinds(n)).count("order.noted") for n in (first, second)] == [1, 1]


async def test_it_needs_the_right_of_what_is_done_and_orders_of_the_shop(
    desk, staff, person, browser
):
    placed = await desk.on_account((await desk.variant(), 1))
    fields = {f"order.{placed.id}": "yes", "sure": "yes", "refund_reason": "fraud", "note": "x"}
    packer, viewer = await staff("warehouse"), await staff("viewer")
    stranger, manager = await browser(await person(role="owner")), await staff()

    refused = [
        (await opened.submit("/console/account", fields | {"action": action}, to=BULK)).status_code
        for opened, action in ((packer, "cancel"), (viewer, "note"), (viewer, "release"))
    ]
    elsewhere = await stranger.submit("/console/account", fields | {"action": "cancel"}, to=BULK)
    odd = [
        (await manager.submit("/console/account", given, to=BULK)).status_code
        for given in ({"action": "dance"}, {"action": "note"}, {"action": "note", "order.x": "yes"})
    ]

    assert refused == [403] * 3
    told = await viewer.submit("/console/account", fields | {"action": "note"}, to=BULK)
    assert "Your role may not do this." in told.text
    assert "0 of 1 orders are done." in elsewhere.text
    assert odd == [400] * 3
    assert (await manager.post(BULK, fields | {"action": "cancel"})).status_code == 403
    assert 'id="bulk"' not in (await viewer.get(ORDERS)).text
    assert ">Cancel orders</option>" not in (await packer.get(ORDERS)).text
    assert (await desk.read(placed.id)).fulfilment_state == "processing"


async def test_a_fault_at_one_order_leaves_the_results_of_the_others(desk, staff):
    good = await desk.variant(own=99)
    first, bad, last = [(await desk.on_account((good, 1))).id for _ in range(3)]
    opened = await staff()
    fields = {f"order.{each}": "yes" for each in (first, bad, last)}
    async with desk.db.begin() as tx:
        await tx.run(_FAULT)
        await tx.run(
            "create trigger fault before insert on events for each row"
            f" when (new.subject_id = {bad} and new.kind = 'order.noted') execute function fault()"
        )
    try:
        told = await opened.submit(
            ORDERS, fields | {"action": "note", "note": "Ring.", "sure": "yes"}, to=BULK
        )
    finally:
        async with desk.db.begin() as tx:
            await tx.run("drop function fault() cascade")

    assert "2 of 3 orders are done." in told.text
    assert told.text.count("It failed; see the log.") == 1
    counts = [(await desk.kinds(n)).count("order.noted") for n in (first, bad, last)]
    assert counts == [1, 0, 1]


async def test_it_leads_back_to_the_view_that_it_began_in(desk, staff):
    placed = await desk.on_account((await desk.variant(), 1))
    opened = await staff()
    board = "?view=all&q=lamp"
    fields = {f"order.{placed.id}": "yes", "action": "note"}

    asked = await opened.submit(f"{ORDERS}{board}", fields, to=f"{BULK}{board}")
    done = await opened.post(
        f"{BULK}{board}", hidden_fields(asked.text) | {"note": "Ring.", "sure": "yes"}
    )

    link = f'href="{ORDERS}?view=all&amp;q=lamp"'
    assert (asked.text.count(link), done.text.count(link)) == (2, 2)
    assert f'action="{BULK}?view=all&amp;q=lamp"' in asked.text


async def test_papers_are_made_for_those_who_fulfil(desk, staff, person, browser):
    lamp = await desk.variant(sku="LAMP-8", name="Reading lamp " * 9)
    placed = [(await desk.on_account((lamp, 1), comments="Ring.\nTwice.")).id for _ in range(2)]
    opened, viewer = await staff("warehouse"), await staff("viewer")
    here = f"{ORDERS}/{placed[0]}"
    work = f"{here}/work"
    await opened.submit(work, {"all": "yes"}, to=f"{work}/pick")
    await opened.submit(work, {"all": "yes"}, to=f"{work}/pack")
    slip = re.findall(r'href="([^"]+/slip.pdf)"', (await opened.get(here)).text)[0]
    stranger = await browser(await person(role="owner"))

    for path in (f"{ORDERS}/pick-list.pdf?view=to_fulfil", f"{here}/pick-list.pdf", slip):
        paper = await opened.get(path)
        assert paper.headers["content-type"] == "application/pdf", path
        assert paper.content.startswith(b"%PDF"), path
        assert (await viewer.get(path)).status_code == 403, path
    assert (await stranger.get(slip)).status_code == 404
    assert (await opened.get(f"{here}/packages/999999999/slip.pdf")).status_code == 404
