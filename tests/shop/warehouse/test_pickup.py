"""Pick-up points..."""

from decimal import Decimal

import msgspec
import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.demo.pickup_points import PER_TOWN, pickup_points
from crossdock.shop.warehouse import PickupPoint, find_pickup_points, put_pickup_points
from tests.support.factories import make_shop

MECHELEN = PickupPoint(
    carrier="bpost",
    code="M1",
    name="Market",
    street="Grote Markt",
    number="1",
    zip_code="2800",
    city="Mechelen",
    country="BE",
    latitude=Decimal("51.028000"),
    longitude=Decimal("4.478000"),
    hours={"mon": ["09:00-18:00"]},
)


def _moved(code: str, **changes: object) -> PickupPoint:
    return msgspec.structs.replace(MECHELEN, code=code, **changes)


async def test_are_the_nearest_first_by_the_distance_over_the_globe(tx: Transaction) -> None:
    shop = await make_shop(tx)
    antwerp = _moved("A1", zip_code="2000", latitude=Decimal("51.219"), longitude=Decimal("4.402"))
    ghent = _moved("G1", zip_code="9000", latitude=Decimal("51.054"), longitude=Decimal("3.722"))
    await put_pickup_points(tx, shop_id=shop.id, points=[ghent, antwerp, MECHELEN])

    found = await find_pickup_points(tx, shop_id=shop.id, zip_code="2800", country="BE", limit=9)

    assert [point.code for point in found] == ["M1", "A1", "G1"]
    assert found[0] == msgspec.structs.replace(MECHELEN, distance_km=Decimal("0.000"))
    # The haversine on a globe of 6371 km says 21.8905 km and 52.9348 km.
    assert [point.distance_km for point in found[1:]] == [Decimal("21.891"), Decimal("52.935")]


@pytest.mark.parametrize(
    ("zip_code", "country", "codes"),
    [
        ("28 00", "BE", ["M1", "N1"]),
        ("2899", "BE", ["M1", "N1"]),
        ("7000", "BE", []),
        ("", "BE", []),
        ("2800", "NL", []),
        ("2800'; --", "BE", ["M1", "N1"]),
    ],
)
async def test_are_looked_for_around_the_zip_code_or_its_neighbours(
    tx: Transaction, zip_code: str, country: str, codes: list[str]
) -> None:
    shop = await make_shop(tx)
    near = _moved("N1", zip_code="2801", latitude=Decimal("51.03"))
    await put_pickup_points(tx, shop_id=shop.id, points=[near, MECHELEN])

    found = await find_pickup_points(
        tx, shop_id=shop.id, zip_code=zip_code, country=country, limit=9
    )

    assert sorted(point.code for point in found) == codes


async def test_of_another_shop_are_not_seen_and_the_limit_holds(tx: Transaction) -> None:
    shop, other = await make_shop(tx), await make_shop(tx)
    await put_pickup_points(tx, shop_id=other.id, points=[MECHELEN])
    many = [_moved(f"M{number}") for number in range(9)]
    await put_pickup_points(tx, shop_id=shop.id, points=many)

    found = await find_pickup_points(tx, shop_id=shop.id, zip_code="2800", country="BE", limit=4)

    assert len(found) == 4


async def test_put_again_change_only_what_is_new(tx: Transaction) -> None:
    shop = await make_shop(tx)
    points = list(pickup_points(seed=1))

    assert await put_pickup_points(tx, shop_id=shop.id, points=points) == 4 * PER_TOWN
    assert await put_pickup_points(tx, shop_id=shop.id, points=points) == 0
    changed = [msgspec.structs.replace(points[0], name="Elsewhere"), *points[1:]]
    assert await put_pickup_points(tx, shop_id=shop.id, points=changed) == 1


async def test_of_the_demo_are_in_their_towns(tx: Transaction) -> None:
    shop = await make_shop(tx)
    await put_pickup_points(tx, shop_id=shop.id, points=list(pickup_points(seed=1)))

    for zip_code, country, town in (
        ("2800", "BE", "Mechelen"),
        ("2000", "BE", "Antwerpen"),
        ("9000", "BE", "Gent"),
        ("1012JS", "NL", "Amsterdam"),
    ):
        found = await find_pickup_points(
            tx, shop_id=shop.id, zip_code=zip_code, country=country, limit=10
        )
        assert {point.city for point in found} == {town}
        assert all(point.distance_km < 5 for point in found)
