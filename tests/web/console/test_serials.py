"""Serials on a page: masked, revealed by a right and with a note, added from a file, removed, replaced."""

import re
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import add_serials, browse_serials, take_serials
from tests.support.factories import box, moment
from tests.support.people import hidden_fields
from tests.support.staff import Desk

KEYS = [f"GAME-KEY-{number:04}" for number in range(1, 4)]


@pytest.fixture
async def desk(server_database: Database) -> Desk:
    return await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def staff(person, browser, desk):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=desk.shop.id))

    return sign_in


@pytest.fixture
async def game(desk: Desk) -> int:
    """A variant that is sold by serials."""
    return await desk.variant(own=None, sku="GAME")


async def upload(opened, here: str, **fields: str):
    """Send the form that adds serials as a browser does."""
    token = hidden_fields((await opened.get(here)).text)["form_token"]
    parts: list[tuple[str, Any]] = [("form_token", (None, token))]
    parts += [(name, (None, text)) for name, text in fields.items() if name != "file"]
    if "file" in fields:
        parts.append(("file", ("keys.txt", fields["file"].encode(), "text/plain")))
    return await opened.client.post(here, files=parts)


async def test_they_come_from_a_file_and_what_is_there_already_is_told_by_its_line(
    desk, staff, game
):
    opened, here = await staff("warehouse"), f"/console/stock/{game}/serials"

    added = await upload(opened, here, file="\ufeff" + "\r\n".join(KEYS[:2]))
    refused = await upload(opened, here, file="\n".join([KEYS[2], KEYS[0], KEYS[2]]))
    skipped = await upload(opened, here, keys="\n".join(KEYS), new="yes")
    empty = await upload(opened, here)

    assert added.headers["location"] == f"{here}?done=added&many=2"
    assert refused.status_code == 400
    assert "lines 2, 3; none was added" in refused.text
    assert skipped.headers["location"] == f"{here}?done=added&many=1"
    assert empty.status_code == 400
    shown = (await opened.get(f"{here}?done=added&many=1")).text
    assert "1 serial was added." in shown
    assert shown.count("••••") == 3
    assert not any(key in shown for key in KEYS)
    assert (await opened.get(f"/console/stock/{game}")).text.count("3 available") == 1


async def test_one_is_revealed_by_a_right_and_the_log_has_who_asked(desk, staff, game):
    opened, packer = await staff(), await staff("warehouse")
    here = f"/console/stock/{game}/serials"
    await upload(opened, here, keys="\n".join(KEYS))
    page = (await opened.get(here, params={"q": KEYS[1]})).text
    (reveal,) = re.findall(rf'action="({here}/\d+/reveal)"', page)

    refused = await packer.submit("/console/account", {}, to=reveal)
    shown = await opened.submit(here, {}, to=reveal)

    assert refused.status_code == 403
    assert "/reveal" not in (await packer.get(here)).text
    assert shown.text.count(KEYS[1]) == 1
    assert not any(key in shown.text for key in (KEYS[0], KEYS[2]))
    async with desk.db.statement() as tx:
        rows = await tx.all(
            "select subject, details::text from acts where shop_id = %s and act like %s",
            (desk.shop.id, "%/reveal"),
        )
    assert [subject for subject, _ in rows] == [reveal]
    assert KEYS[1] not in rows[0][1]


async def test_unsold_ones_are_removed_once_it_is_certain(desk, staff, game):
    opened, here = await staff("warehouse"), f"/console/stock/{game}/serials"
    await upload(opened, here, keys="\n".join(KEYS))
    page = (await opened.get(here)).text
    chosen = dict.fromkeys(re.findall(r'name="(chosen\.\d+)"', page)[:2], "yes")

    asked = await opened.submit(here, chosen, to=f"{here}/remove")
    removed = await opened.submit(here, chosen | {"certain": "yes"}, to=f"{here}/remove")

    assert asked.status_code == 400
    assert removed.headers["location"] == f"{here}?done=removed&many=2"
    async with desk.db.statement() as tx:
        left = await browse_serials(tx, shop_id=desk.shop.id, variant_id=game, box=box())
    assert len(left) == 1


async def test_one_of_an_order_is_replaced_for_its_buyer(desk, staff, game):
    opened, here = await staff(), f"/console/stock/{game}/serials"
    await upload(opened, here, keys="\n".join(KEYS))
    order = (await desk.on_account((game, 1))).id
    fields = {"order": str(order), "quantity": "1", "reason": "Does not work"}

    none = await opened.submit(here, fields, to=f"{here}/replace")
    async with desk.db.begin() as tx:
        await take_serials(
            tx, shop_id=desk.shop.id, order_id=order, line_no=1, variant_id=game, quantity=1,
            now=desk.clock.now(),
        )  # fmt: skip
    done = await opened.submit(here, fields, to=f"{here}/replace")
    shown = (await opened.get(here, params={"q": str(order)})).text

    assert none.status_code == 400
    assert done.status_code == 303, done.text
    assert "Replaced" in shown
    assert f'href="/console/orders/{order}"' in shown


async def test_other_shops_and_roles_keep_their_bounds(desk, staff, game, person, browser):
    here = f"/console/stock/{game}/serials"
    async with desk.db.begin() as tx:
        await add_serials(
            tx, shop_id=desk.shop.id, variant_id=game, serials=KEYS, box=box(),
            now=desk.clock.now(),
        )  # fmt: skip
    viewer, stranger = await staff("viewer"), await browser(await person(role="owner"))

    assert (await viewer.get(here)).status_code == 200
    for path in (f"{here}/remove", f"{here}/replace", f"{here}/1/reveal"):
        assert (await viewer.submit("/console/account", {}, to=path)).status_code == 403, path
    for path in (f"{here}/1/reveal", f"{here}/remove", f"{here}/replace"):
        refused = await stranger.submit("/console/account", {"order": "1"}, to=path)
        assert refused.status_code == 404, path
    assert (await stranger.get(here)).status_code == 404
