"""An act..."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest

from crossdock.db.unit_of_work import WITNESS, Database
from crossdock.kit.acting import act_as
from crossdock.kit.clock import FrozenClock
from crossdock.shop.acts import (
    EVERY_FIELD,
    Act,
    ActFilters,
    begin_act,
    close_act,
    list_acts,
    name_shop,
    plain_details,
)
from tests.support.factories import ShopFixture, make_shop

RENAME = "update shops set name = %s where id = %s"


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
async def act(clock: FrozenClock, shop: ShopFixture) -> AsyncIterator[Callable[..., Act]]:
    """Begins an act of Ada's in this shop; it ends where it began, in the context of asynchronous tests."""

    def begin(**values) -> Act:
        wanted: dict[str, Any] = {
            "actor": "ada@shop.example",
            "act": "/console/orders/*/cancel",
            "subject": "/console/orders/7/cancel",
            "details": {"reason": "late"},
            "clock": clock,
            "shop_id": shop.id,
        } | values
        made = Act(**wanted)
        begin_act(made)
        return made

    yield begin
    begin_act(None)


async def _acts(database: Database, shop: ShopFixture, **filters):
    async with database.statement() as tx:
        found, _more = await list_acts(tx, shop_id=shop.id, filters=ActFilters(**filters))
    return found


async def _rename_and_fail(database: Database, shop: ShopFixture) -> None:
    async with database.begin() as tx:
        await tx.run(RENAME, ("Never", shop.id))
        await tx.value("select 1 / 0")


async def test_is_noted_with_the_first_change_and_once(database, shop, act, clock):
    act()
    async with database.begin() as tx:
        await tx.value("select count(*) from shops")
    assert await _acts(database, shop) == []

    for name in ("One", "Two"):
        async with database.begin() as tx:
            await tx.run(RENAME, (name, shop.id))

    (noted,) = await _acts(database, shop)
    assert (noted.actor, noted.act, noted.subject, noted.details, noted.done_at) == (
        "ada@shop.example",
        "/console/orders/*/cancel",
        "/console/orders/7/cancel",
        {"reason": "late"},
        clock.now(),
    )


async def test_that_is_rolled_back_leaves_no_note_and_is_noted_when_it_is_done_again(
    database, shop, act
):
    act()
    with pytest.raises(psycopg.errors.DivisionByZero):
        await _rename_and_fail(database, shop)
    assert await _acts(database, shop) == []

    async with database.begin() as tx:
        await tx.run(RENAME, ("Now", shop.id))

    assert len(await _acts(database, shop)) == 1


async def test_leaves_a_transaction_alone_that_only_reads(database, shop, act):
    act()
    act_as("Ada's \\ account")
    try:
        async with database.begin() as tx:
            await tx.run("set transaction isolation level repeatable read, read only")
            author = await tx.value("select current_setting('crossdock.author')")
    finally:
        act_as("")

    assert author == "Ada's \\ account"
    assert await _acts(database, shop) == []


async def test_of_single_statements_is_noted_at_its_end(database, shop, act):
    act()
    async with database.statement() as tx:
        await tx.run(RENAME, ("Now", shop.id))

    await close_act(database)
    await close_act(database)

    assert len(await _acts(database, shop)) == 1


async def test_is_nothing_that_partners_calls_write(database, shop):
    assert WITNESS.get() is None
    async with database.begin() as tx:
        await tx.run(RENAME, ("Now", shop.id))

    await close_act(database)

    assert await _acts(database, shop) == []


async def test_belongs_to_the_shop_that_is_named_last(database, shop, act):
    act(shop_id=None, act="crossdock partner set")
    name_shop(shop.slug)
    async with database.begin() as tx:
        await tx.run(RENAME, ("Now", shop.id))

    assert [each.act for each in await _acts(database, shop)] == ["crossdock partner set"]


@pytest.mark.parametrize("statement", ["update acts set actor = 'x'", "delete from acts"])
async def test_is_never_changed(database, shop, act, statement):
    act()
    async with database.begin() as tx:
        await tx.run(RENAME, ("Now", shop.id))

    async with database.statement() as tx:
        with pytest.raises(psycopg.Error, match="append-only"):
            await tx.run(f"{statement} where shop_id = %s", (shop.id,))


async def test_is_found_by_who_what_and_before(database, shop, act):
    for number, actor in enumerate(("ada@shop.example", "bo@shop.example", "ada@shop.example")):
        act(actor=actor, act=f"/console/{'orders' if number else 'people'}/*/x")
        async with database.begin() as tx:
            await tx.run(RENAME, (f"Name {number}", shop.id))

    found = await _acts(database, shop)
    assert len(found) == 3
    assert len(await _acts(database, shop, actor="ADA@shop.example")) == 2
    assert len(await _acts(database, shop, act="/console/people")) == 1
    async with database.statement() as tx:
        page, has_more = await list_acts(
            tx, shop_id=shop.id, filters=ActFilters(), before=found[0].id, limit=1
        )
    assert ([each.id for each in page], has_more) == ([found[1].id], True)


def test_keeps_no_secret_of_its_fields():
    given = {
        "reason": "  late\nagain ",
        "password": "quiet harbour",
        "security_code": "123",
        "card_number": "4242424242424242",
        "serials": "AAAA-BBBB",
        "notification_token": "t0p",
        "set_": ("notification_secret=t0p", "backorder=yes"),
        "note": "x" * 500,
        "empty": "",
        "nothing": None,
        "off": False,
        "on": True,
    }

    shown = plain_details(given)

    assert shown["reason"] == "late again"
    assert shown["set_"] == "notification_secret=(not shown), backorder=yes"
    assert shown["on"] == "yes"
    assert len(shown["note"]) == 121
    assert set(given) - set(shown) == {"empty", "nothing", "off"}
    secrets = ("password", "security_code", "card_number", "serials", "notification_token")
    assert {shown[name] for name in secrets} == {"(not shown)"}


def test_tells_every_field_in_the_order_sent_however_many_come_before():
    junk = {f"x{n}": "y" * 200 for n in range(49)}
    details = plain_details(junk | {"role": "owner"})
    assert list(details) == [*junk, "role"]
    assert details["role"] == "owner"


def test_leaves_the_longest_out_of_what_is_too_much_and_says_how_many():
    junk = {f"x{n}": "é" * 200 for n in range(2_000)}
    details = plain_details({**junk, "role": "owner"})
    assert details["role"] == "owner"
    assert details["…"] == f"{2_001 - (len(details) - 1)} fields left out"
    assert sum(len(f"{name}{text}".encode()) for name, text in details.items()) < 65_000


def test_two_names_that_look_alike_are_two():
    details = plain_details({"role": "owner", "role\x00": "viewer", "role ": "viewer"})
    assert details["role"] == "owner"
    assert len(details) == 3
    assert not any("\x00" in name for name in details)


def test_tells_personal_fields_by_name_alone():
    values = {
        "note": "Ada is ill",
        "action": "note",
        "set_": ["billing.city=Miami", "email=a@b.example"],
    }
    assert plain_details(values, personal=("note", "set_")) == {
        "note": "(not kept)",
        "action": "note",
        "set_": "billing.city=(not kept), email=(not kept)",
    }
    assert set(plain_details(values, personal=EVERY_FIELD).values()) == {
        "(not kept)", "billing.city=(not kept), email=(not kept)",
    }  # fmt: skip
