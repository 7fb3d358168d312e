"""A saved view..."""

from typing import Any

import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.shop.people import (
    VIEW_NAME_MAX,
    Person,
    SavedView,
    list_views,
    remove_view,
    save_view,
)
from crossdock.shop.people.saved_views import QUERY_MAX, VIEWS_MAX
from tests.conftest import NOON
from tests.support.factories import ShopFixture, make_shop
from tests.support.people import make_person


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


@pytest.fixture
async def noor(tx: Transaction, shop: ShopFixture) -> Person:
    return (await make_person(tx, shop_id=shop.id)).person


@pytest.fixture
async def piet(tx: Transaction, shop: ShopFixture) -> Person:
    return (await make_person(tx, shop_id=shop.id)).person


@pytest.fixture
async def owner(tx: Transaction, shop: ShopFixture) -> Person:
    return (await make_person(tx, shop_id=shop.id, role="owner")).person


async def save(tx: Transaction, person: Person, name: str, **values: Any) -> int:
    """Save one of the orders, for the person alone unless told otherwise."""
    wanted: dict[str, Any] = {
        "list_name": "orders",
        "query": "state=open",
        "is_shared": False,
        "now": NOON,
    }
    return await save_view(tx, person=person, name=name, **wanted | values)


async def names(tx: Transaction, person: Person, list_name: str = "orders") -> list[str]:
    return [view.name for view in await list_views(tx, person=person, list_name=list_name)]


async def test_is_seen_by_who_saved_it_in_its_list_alone(tx, noor, piet):
    view_id = await save(tx, noor, " Late ")

    assert await list_views(tx, person=noor, list_name="orders") == [
        SavedView(
            id=view_id, list="orders", name="Late", query="state=open", is_shared=False,
            may_remove=True,
        )
    ]  # fmt: skip
    assert await names(tx, noor, "stock") == []
    assert await names(tx, piet) == []


async def test_of_the_shop_is_seen_by_all_of_it_and_stands_first(tx, noor, piet, owner):
    for name, is_shared in (
        ("b", False),
        ("Zeta", True),
        ("A", False),
        ("C", False),
        ("alpha", True),
    ):
        await save(tx, noor, name, is_shared=is_shared)

    assert await names(tx, noor) == ["alpha", "Zeta", "A", "b", "C"]
    assert await names(tx, piet) == ["alpha", "Zeta"]
    stranger = (await make_person(tx, role="owner")).person
    assert await names(tx, stranger) == []
    found = [
        {view.may_remove for view in await list_views(tx, person=person, list_name="orders")}
        for person in (noor, piet, owner)
    ]
    assert found == [{True}, {False}, {True}]


async def test_of_the_same_name_is_replaced_by_its_owner(tx, noor, piet):
    first = await save(tx, noor, "Late")
    await save(tx, piet, "Late", query="theirs")

    assert await save(tx, noor, "LATE", query="state=late") == first

    (view,) = await list_views(tx, person=noor, list_name="orders")
    assert (view.name, view.query) == ("LATE", "state=late")
    (other,) = await list_views(tx, person=piet, list_name="orders")
    assert (other.name, other.query) == ("Late", "theirs")


async def test_of_the_shop_is_replaced_by_who_saved_it_and_by_owners(tx, noor, piet, owner):
    first = await save(tx, noor, "Late", is_shared=True)
    with pytest.raises(Conflict, match="exists"):
        await save(tx, piet, "late", is_shared=True, query="theirs")
    assert await save(tx, piet, "late", query="own") != first
    assert await save(tx, owner, "late", is_shared=True, query="ruled") == first

    assert [view.query for view in await list_views(tx, person=piet, list_name="orders")] == [
        "ruled",
        "own",
    ]


@pytest.mark.parametrize(
    ("name", "query", "field"),
    [
        ("", "q", "name"),
        (" \u3164", "q", "name"),
        ("x" * (VIEW_NAME_MAX + 1), "q", "name"),
        ("x", "q" * (QUERY_MAX + 1), "query"),
    ],
)
async def test_without_a_name_or_too_long_is_refused(tx, noor, name, query, field):
    with pytest.raises(Invalid) as refused:
        await save(tx, noor, name, query=query)
    assert (refused.value.code, refused.value.data) == ("invalid_input", {"field": field})
    assert await names(tx, noor) == []


async def test_may_be_as_long_as_the_limits_say(tx, noor):
    await save(tx, noor, "x" * VIEW_NAME_MAX, query="q" * QUERY_MAX)
    assert await names(tx, noor) == ["x" * VIEW_NAME_MAX]


@pytest.mark.parametrize("is_shared", [False, True])
async def test_is_one_of_so_many_of_a_list_and_owner(tx, noor, piet, is_shared):
    for number in range(VIEWS_MAX):
        await save(tx, noor, f"v{number}", is_shared=is_shared)

    with pytest.raises(Conflict, match="exists"):
        await save(tx, noor, "one more", is_shared=is_shared)
    await save(tx, noor, "V0", is_shared=is_shared)  # which is there already
    await save(tx, noor, "other list", list_name="stock", is_shared=is_shared)
    await save(tx, noor, "other owner", is_shared=not is_shared)
    stranger = (await make_person(tx)).person
    await save(tx, stranger, "other shop", is_shared=is_shared)
    if is_shared:
        with pytest.raises(Conflict, match="exists"):
            await save(tx, piet, "one more", is_shared=True)
    else:
        await save(tx, piet, "one more")


async def test_is_removed_by_who_saved_it(tx, noor, piet, owner):
    view_id = await save(tx, noor, "Late")
    stranger = (await make_person(tx, role="owner")).person
    for person in (piet, owner, stranger):
        with pytest.raises(NotFound, match="not_found"):
            await remove_view(tx, person=person, view_id=view_id)

    removed = await remove_view(tx, person=noor, view_id=view_id)

    assert (removed.id, removed.name, removed.may_remove) == (view_id, "Late", True)
    assert await names(tx, noor) == []
    with pytest.raises(NotFound, match="not_found"):
        await remove_view(tx, person=noor, view_id=view_id)


async def test_of_the_shop_is_removed_by_owners_as_well(tx, noor, piet, owner):
    kept, view_id = [await save(tx, noor, name, is_shared=True) for name in ("Kept", "Late")]
    stranger = (await make_person(tx, role="owner")).person
    for person in (piet, stranger):
        with pytest.raises(NotFound, match="not_found"):
            await remove_view(tx, person=person, view_id=view_id)

    assert (await remove_view(tx, person=owner, view_id=view_id)).name == "Late"

    assert [view.id for view in await list_views(tx, person=noor, list_name="orders")] == [kept]
