"""The write paths of warehouse work, for the claim that interrupts each between any two statements."""

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import run_releases
from crossdock.shop.partners import Partner
from proof.paths import NOW, Scene, WritePath
from tests.support.factories import make_partner
from tests.support.warehousing import Warehouse

ALL = {1: 2, 2: 1}
SOME = {1: 1}


async def _open(database: Database, scene: Scene) -> None:
    """Create a web shop."""
    async with database.begin() as tx:
        made = await make_partner(tx, shop=scene.shop, channel="shopwedo", customer_id=None)
    scene.numbers["web_shop"] = made.id


def _house(database: Database, scene: Scene) -> Warehouse:
    partner = Partner(
        shop_id=scene.shop.id,
        id=scene.numbers["web_shop"],
        channel="shopwedo",
        name="Web shop",
        permissions=frozenset(),
        backorder=False,
        currency="USD",
        min_amount_minor=None,
        max_amount_minor=None,
        visible_merchants=None,
        price_list_id=None,
        customer_id=None,
        settings={},
        revision=1,
    )
    return Warehouse(db=database, clock=FrozenClock(NOW), shop=scene.shop, partner=partner)


def _lines(scene: Scene, *, each: int = 1) -> tuple[tuple[int, int], ...]:
    first, second = scene.variants
    return (first, 2 * each), (second, each)


async def _enter(database: Database, scene: Scene) -> None:
    scene.numbers["order"] = await _house(database, scene).enter(*_lines(scene))


async def _enter_too_much(database: Database, scene: Scene) -> None:
    scene.numbers["order"] = await _house(database, scene).enter(*_lines(scene, each=9))


async def _entered(database: Database, scene: Scene) -> None:
    await _open(database, scene)
    await _enter(database, scene)


async def _reserved(database: Database, scene: Scene) -> None:
    """Place an order without enough stock, then receive the goods."""
    await _open(database, scene)
    await _enter_too_much(database, scene)
    for variant_id in scene.variants:
        await _house(database, scene).receive(variant_id, 50)


async def _released_unseen(database: Database, scene: Scene) -> None:
    await _open(database, scene)
    house = _house(database, scene)
    scene.numbers["order"] = await house.enter(*_lines(scene, each=9), immediate=True)


async def _stock_run(database: Database, scene: Scene) -> None:
    await run_releases(database, now=NOW)


async def _cancel(database: Database, scene: Scene) -> None:
    await _house(database, scene).cancel(scene.numbers["order"])


async def _pick(database: Database, scene: Scene) -> None:
    await _house(database, scene).pick(scene.numbers["order"], ALL)


async def _picked(database: Database, scene: Scene) -> None:
    await _entered(database, scene)
    await _pick(database, scene)


async def _pack(database: Database, scene: Scene) -> None:
    house = _house(database, scene)
    scene.numbers["package"] = await house.pack(scene.numbers["order"], ALL)


async def _pack_some(database: Database, scene: Scene) -> None:
    house = _house(database, scene)
    scene.numbers["package"] = await house.pack(scene.numbers["order"], SOME)


async def _packed(database: Database, scene: Scene) -> None:
    await _picked(database, scene)
    await _pack(database, scene)


async def _packed_some(database: Database, scene: Scene) -> None:
    await _picked(database, scene)
    await _pack_some(database, scene)


async def _unpick(database: Database, scene: Scene) -> None:
    await _house(database, scene).unpick(scene.numbers["order"])


async def _unpack(database: Database, scene: Scene) -> None:
    await _house(database, scene).unpack(scene.numbers["package"])


async def _shipped_some(database: Database, scene: Scene) -> None:
    """A part has left, and the rest is picked."""
    await _packed_some(database, scene)
    await _ship(database, scene)


async def _close(database: Database, scene: Scene) -> None:
    await _house(database, scene).close(scene.numbers["order"])


async def _ship(database: Database, scene: Scene) -> None:
    await _house(database, scene).ship(scene.numbers["package"])


async def _shipped(database: Database, scene: Scene) -> None:
    await _packed(database, scene)
    await _ship(database, scene)


async def _announce(database: Database, scene: Scene) -> None:
    house = _house(database, scene)
    scene.numbers["return"] = await house.announce(scene.numbers["order"], ALL)


async def _announced(database: Database, scene: Scene) -> None:
    await _shipped(database, scene)
    await _announce(database, scene)


async def _take_in(database: Database, scene: Scene) -> None:
    await _house(database, scene).take_in(scene.numbers["return"], SOME)


WAREHOUSE_PATHS = (
    WritePath(name="enter and release", prepare=_open, act=_enter),
    WritePath(name="enter and reserve", prepare=_open, act=_enter_too_much),
    WritePath(name="release by the stock run", prepare=_reserved, act=_stock_run),
    WritePath(name="take back by the stock run", prepare=_released_unseen, act=_stock_run),
    WritePath(name="cancel a released order", prepare=_entered, act=_cancel),
    WritePath(name="pick", prepare=_entered, act=_pick),
    WritePath(name="pack", prepare=_picked, act=_pack),
    WritePath(name="un-pick", prepare=_picked, act=_unpick),
    WritePath(name="un-pack", prepare=_packed, act=_unpack),
    WritePath(name="ship", prepare=_packed, act=_ship),
    WritePath(name="ship a part", prepare=_packed_some, act=_ship),
    WritePath(name="close short", prepare=_shipped_some, act=_close),
    WritePath(name="close before anything has left", prepare=_picked, act=_close),
    WritePath(name="announce a return", prepare=_shipped, act=_announce),
    WritePath(name="take a return in", prepare=_announced, act=_take_in),
)
