"""Load the demo shop, or reset it to its seed; idempotent."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

import msgspec

from crossdock.channels.contract import DemoShop
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.demo.access import SHOP, ensure_further, ensure_partners
from crossdock.demo.console import ensure_console_person
from crossdock.demo.goods import CURRENCY, products
from crossdock.demo.licences import ensure_licences
from crossdock.demo.pickup_points import SENDER, pickup_points
from crossdock.demo.posts import blog_posts
from crossdock.demo.selling import ensure_coupons, ensure_taxes, merchant_records
from crossdock.demo.words import LANGUAGES, Texts, load_words
from crossdock.errors import Conflict, NotFound
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.catalogue import (
    CategoryRecord,
    ProductRecord,
    UpsertCounts,
    prepare,
    slug_of,
    upsert_blog_posts,
    upsert_categories,
    upsert_merchants,
    upsert_prepared,
)
from crossdock.shop.customers import add_sales_rep, list_sales_reps
from crossdock.shop.dispatch import Configuring, add_connector, list_connectors
from crossdock.shop.shops import Shop, add_shop, read_shop, set_sender
from crossdock.shop.warehouse import put_pickup_points

PRODUCTS = 2_000
SEED = 1
BATCH = 1_000
TIME_ZONE = "Europe/Brussels"
SALES_REPS = ("Mara Lindqvist", "Tomás Ferreira", "Aiko Brandt", "Wessel de Graaf", "Inès Moreau")

T = TypeVar("T")


class Loading(msgspec.Struct, frozen=True, kw_only=True):
    """What loading needs besides count and seed."""

    db: Database
    clock: Clock
    ids: Ids
    box: SecretBox
    configuring: Configuring


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What a load changed."""

    shop: str
    products: int
    variants: int
    products_added: int
    products_changed: int
    stock_changed: int
    others_changed: int
    partners_added: int

    @property
    def changed_anything(self) -> bool:
        """Whether a row was written."""
        return any(
            (
                self.products_added,
                self.products_changed,
                self.stock_changed,
                self.others_changed,
                self.partners_added,
            )
        )


async def load_demo(
    service: Loading,
    *,
    count: int = PRODUCTS,
    seed: int = SEED,
    moved: Callable[[int], None] = lambda done: None,
) -> Loaded:
    """Load the demo shop with `count` products of `seed`; `moved` gets the progress.

    The partners come last: if they exist, so does everything else. Raises Conflict `exists` if
    a shop called demo has another currency.
    """
    async with service.db.begin() as tx:
        shop, others = await _prepare_shop(tx, service=service)
    total, licences = UpsertCounts(), list[ProductRecord]()
    variants = done = 0
    for batch in _batches(products(count=count, seed=seed), size=BATCH):
        prepared = await asyncio.to_thread(prepare, batch)
        async with service.db.begin() as tx:
            counts = await upsert_prepared(
                tx, shop=shop, products=prepared, now=service.clock.now(), reason="demo"
            )
        total = _sum(total, counts)
        licences += (record for record in batch if record.requires_serial)
        variants += sum(len(record.variants) for record in batch)
        done += len(batch)
        moved(done)
    async with service.db.begin() as tx:
        now = service.clock.now()
        if count:
            others += await ensure_coupons(tx, shop_id=shop.id, now=now)
        others += await ensure_console_person(tx, shop_id=shop.id, box=service.box, now=now)
        demo = DemoShop(shop=shop, ids=service.ids, box=service.box, now=now)
        partners = await ensure_partners(tx, shop_id=shop.id, ids=service.ids, box=service.box)
        others += await ensure_licences(tx, shop=demo, records=licences, seed=seed)
        others += await ensure_further(tx, shop=demo)
    return Loaded(
        shop=shop.slug,
        products=count,
        variants=variants,
        products_added=total.products_added,
        products_changed=total.products_changed,
        stock_changed=total.stock_changed,
        others_changed=others,
        partners_added=partners,
    )


async def _prepare_shop(tx: Transaction, *, service: Loading) -> tuple[Shop, int]:
    """Load everything but products and partners; returns the shop and the number of changes."""
    changed = 0
    try:
        shop = await read_shop(tx, slug=SHOP)
    except NotFound:
        shop = await add_shop(
            tx,
            slug=SHOP,
            name="Demo shop",
            currency=CURRENCY,
            languages=LANGUAGES,
            time_zone=TIME_ZONE,
        )
        changed = 1
    if shop.currency != CURRENCY:
        message = f"There is a shop called {SHOP} already, in {shop.currency}."
        raise Conflict("exists", message)
    changed += await upsert_merchants(
        tx, shop_id=shop.id, records=merchant_records(), now=service.clock.now()
    )
    changed += await ensure_taxes(tx, shop_id=shop.id)
    changed += await upsert_categories(
        tx, shop_id=shop.id, records=list(_categories()), now=service.clock.now()
    )
    changed += await upsert_blog_posts(tx, shop_id=shop.id, records=blog_posts())
    changed += await _ensure_sales_reps(tx, shop_id=shop.id)
    changed += await set_sender(tx, shop_id=shop.id, sender=SENDER)
    points = list(pickup_points(seed=SEED))
    changed += await put_pickup_points(tx, shop_id=shop.id, points=points)
    if not await list_connectors(tx, shop_id=shop.id):
        await add_connector(
            tx, service=service.configuring, shop_id=shop.id,
            name="manual", kind="manual", settings={},
        )  # fmt: skip
        changed += 1
    return shop, changed


async def _ensure_sales_reps(tx: Transaction, *, shop_id: int) -> int:
    known = {sales_rep.email for sales_rep in await list_sales_reps(tx, shop_id=shop_id)}
    missing = {name: email for name in SALES_REPS if (email := _email(name)) not in known}
    for name, email in missing.items():
        await add_sales_rep(tx, shop_id=shop_id, name=name, email=email)
    return len(missing)


def _email(name: str) -> str:
    return f"{slug_of(name.split(maxsplit=1)[0])}@demo-shop.example"


def _categories() -> Iterator[CategoryRecord]:
    yield CategoryRecord(
        path=("Our choice",),
        names=_names(("Our choice", "Onze keuze", "Notre choix", "Unsere Auswahl")),
    )
    for number, department in enumerate(load_words().departments):
        path = [department.name[0]]
        yield CategoryRecord(path=tuple(path), names=_names(department.name), sort=number)
        for group in department.groups:
            yield CategoryRecord(path=(*path, group.name[0]), names=_names(group.name))
            for noun in group.nouns:
                yield CategoryRecord(path=(*path, group.name[0], noun[0]), names=_names(noun))


def _names(texts: Texts) -> dict[str, str]:
    return dict(zip(LANGUAGES, texts, strict=True))


def _batches(records: Iterable[T], *, size: int) -> Iterator[list[T]]:
    rest = iter(records)
    while batch := list(islice(rest, size)):
        yield batch


def _sum(left: UpsertCounts, right: UpsertCounts) -> UpsertCounts:
    return UpsertCounts(
        **{
            name: getattr(left, name) + getattr(right, name)
            for name in UpsertCounts.__struct_fields__
        }
    )
