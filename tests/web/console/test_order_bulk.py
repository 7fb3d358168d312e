"""Many orders at once, and papers for the warehouse: asked first, told for each, of this shop alone."""

import asyncio
import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import move_order
from crossdock.web.console.order_bulk import BULK_MAX
from crossdock.web.console.order_forecast import forecast
from tests.support.factories import moment
from tests.support.people import hidden_fields
from tests.support.staff import Desk

ORDERS = "/console/orders"
BULK = f"{ORDERS}/bulk"
RUNS = f"{ORDERS}/runs"
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
    assert "0 of 1 order is done." in elsewhere.text
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


async def test_more_than_a_page_of_them_become_a_run_of_the_worker(desk, staff):
    good = await desk.variant(own=999)
    numbers = [(await desk.on_account((good, 1))).id for _ in range(BULK_MAX + 1)]
    opened, viewer = await staff(), await staff("viewer")
    board = "?view=all"
    await opened.submit_surely(
        f"{ORDERS}/{numbers[-1]}", {"all": "yes"}, to=f"{ORDERS}/{numbers[-1]}/send"
    )

    cancels = {"action": "cancel", "all": "yes"}
    whole = await opened.submit(ORDERS, cancels, to=f"{BULK}{board}")
    rest = await opened.submit(ORDERS, cancels | {"after": numbers[-4]}, to=f"{BULK}{board}")
    assert "units can be sold again." in whole.text
    assert (
        f"orders {BULK_MAX - 1} to {BULK_MAX + 1} of {BULK_MAX + 1}, the oldest first" in rest.text
    )
    assert "<dd>2 units can be sold again.</dd>" in rest.text
    assert "<dd>€39.98 less is owed.</dd>" in rest.text
    assert ">To pick</span>" in rest.text
    assert "One of them stays as it is: An order that is shipped cannot be cancelled." in rest.text
    assert f'"{ORDERS}/{numbers[-1]}">{numbers[-1]}</a>' in rest.text
    assert "Look at the first ones" in rest.text
    assert "Look at the next ones" not in rest.text
    assert await desk.level(good) == (998, 0, BULK_MAX, 798)

    asked = await opened.submit(ORDERS, {"action": "note", "all": "yes"}, to=f"{BULK}{board}")
    later = (await desk.on_account((good, 1))).id
    fields = hidden_fields(asked.text)
    shown = await opened.post(f"{BULK}{board}", fields | {"note": "Ring the bell."})
    here = shown.headers["location"]
    told = await _ended(opened, here)
    file = await opened.get(f"{here}/results.csv")
    refused = await viewer.submit("/console/account", {"to": "stopped"}, to=f"{here}/switch")
    ended = await opened.submit("/console/account", {"to": "stopped"}, to=f"{here}/switch")

    assert f"Note: {BULK_MAX + 1} orders?" in asked.text
    assert f"{19.99 * (BULK_MAX + 1):,.2f}</strong>" in asked.text
    assert not [name for name in fields if name.startswith("order.")]
    assert f"{BULK_MAX + 1} done, 0 refused" in told
    assert [line.split(",")[0] for line in file.text.splitlines()[1:]] == [str(n) for n in numbers]
    assert (await desk.kinds(numbers[0])).count("order.noted") == 1
    assert (await desk.kinds(later)).count("order.noted") == 0
    assert (refused.status_code, ended.status_code) == (403, 409)
    assert here in (await viewer.get(RUNS)).text
    async with desk.db.statement() as tx:
        noted = await tx.value(
            "select count(*) from acts where shop_id = %s and act = '/console/orders/*/note'",
            (desk.shop.id,),
        )
    assert noted == BULK_MAX + 1


async def test_as_many_orders_as_the_time_allows_are_foretold(desk):
    good = await desk.variant(own=99)
    numbers = [(await desk.on_account((good, each))).id for each in (1, 2)]

    async def told(after: int, longest_s: float) -> tuple[int, int, int | None, list[str]] | None:
        found = await forecast(
            desk.db,
            shop_id=desk.shop.id,
            order_ids=numbers,
            after=after,
            now=desk.clock.now(),
            longest_s=longest_s,
        )
        return found and (found.first, found.last, found.after, [s.stock for s in found.states])

    assert await told(0, 0) == (1, 1, numbers[0], ["One unit can be sold again."])
    assert await told(numbers[0], 0) == (2, 2, None, ["2 units can be sold again."])
    assert await told(0, 60) == (1, 2, None, ["3 units can be sold again."])
    assert await told(numbers[1], 60) is None


async def test_a_run_is_of_its_shop_and_of_the_right_for_what_it_does(desk, staff, person, browser):
    placed = await desk.on_account((await desk.variant(), 1))
    opened, packer = await staff(), await staff("warehouse")
    stranger = await browser(await person(role="owner"))
    to, run = f"{BULK}?view=all", {"action": "cancel", "sure": "yes", "up_to": str(placed.id)}
    wrong = [
        (await opened.submit(ORDERS, run | changes, to=to)).status_code
        for changes in ({"refund_reason": "whim"}, {"refund_reason": "fraud", "up_to": "1"})
    ]
    refused = await packer.submit(ORDERS, run | {"refund_reason": "fraud"}, to=to)
    shown = await opened.submit(ORDERS, run | {"refund_reason": "fraud"}, to=to)
    here = shown.headers["location"]
    told = await _ended(opened, here)

    assert (wrong, refused.status_code) == ([400, 400], 403)
    assert "1 done, 0 refused" in told
    assert (await desk.read(placed.id)).fulfilment_state == "cancelled"
    for path in (here, f"{here}/results.csv", f"{RUNS}/x", f"{RUNS}/999999999"):
        assert (await stranger.get(path)).status_code == 404, path
    assert here not in (await stranger.get(RUNS)).text


async def test_the_results_of_a_run_are_told_in_the_readers_language(desk, staff):
    good = await desk.variant(own=99)
    held, sent = [(await desk.on_account((good, 1))).id for _ in range(2)]
    opened, reader = await staff(), await staff()
    await opened.submit_surely(f"{ORDERS}/{sent}", {"all": "yes"}, to=f"{ORDERS}/{sent}/send")
    run = {"action": "cancel", "sure": "yes", "up_to": str(sent), "refund_reason": "fraud"}
    shown = await opened.submit(ORDERS, run, to=f"{BULK}?view=all")
    here = shown.headers["location"]
    await _ended(opened, here)
    await reader.submit("/console/account", {"language": "nl"}, to="/console/account/language")
    asked = await reader.submit(ORDERS, {"action": "cancel", "all": "yes"}, to=f"{BULK}?view=all")
    assert f"{sent}</a>: Een bestelling in de staat “Verzonden” kan niet" in asked.text

    for who, done, refused in (
        (opened, "Cancelled.", "An order that is shipped cannot be cancelled."),
        (reader, "Geannuleerd.", "Een bestelling in de staat “Verzonden” kan niet worden geannuleerd."),
    ):  # fmt: skip
        page = (await who.get(here)).text
        file = (await who.get(f"{here}/results.csv")).text
        assert [f"<td>{text}</td>" in page for text in (done, refused)] == [True, True]
        assert file.splitlines() == [
            "order,state,result", f"{held},done,{done}", f"{sent},refused,{refused}",
        ]  # fmt: skip


async def _ended(opened, path: str) -> str:
    """The page of a run once it runs no more."""
    for _ in range(600):
        page = await opened.get(path)
        if "refresh" not in page.headers:
            return page.text
        await asyncio.sleep(0.1)
    raise TimeoutError(path)
