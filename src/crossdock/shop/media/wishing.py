"""Which addresses are to be fetched: products' wishes, and what is known of each address."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.slices import slices
from crossdock.shop.catalogue import ShownAddress, list_product_ids, list_unheld
from crossdock.shop.events import Batch, CatalogueChanged, Consumer
from crossdock.shop.media.model import PATH, VIDEO_PATH

FETCH_CONSUMER = "fetch_images"
_PRODUCTS_AT_ONCE = 1_000
_LEASE = timedelta(minutes=10)  # longer than a batch takes
_FETCHABLE = ("https://", "http://")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """An address that is to be fetched, or whose image is to be told; `failures` in a row."""

    shop_id: int
    id: int
    url: str
    image_id: int | None
    failures: int
    is_video: bool
    video_id: int | None

    @property
    def place(self) -> tuple[int, bytes]:
        """The order in which several are locked."""
        return self.shop_id, _digest(self.url, is_video=self.is_video)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far a shop's addresses are."""

    held: int
    waiting: int
    given_up: int


class GivenUp(msgspec.Struct, frozen=True, kw_only=True):
    """An address from which no image came."""

    url: str
    error: str
    failures: int


def fetch_consumer() -> Consumer:
    """The consumer that wishes for the images of products that changed."""
    return Consumer(name=FETCH_CONSUMER, topics=("catalogue",), take=_take)


async def _take(tx: Transaction, *, batch: Batch, now: datetime) -> None:
    changed = [
        product_id
        for event in batch.events
        if event.kind == CatalogueChanged.kind
        for product_id in event.payload["product_ids"]
    ]
    ids = sorted(set(changed))
    for piece in slices(ids, size=_PRODUCTS_AT_ONCE):
        shown = await list_unheld(tx, shop_id=batch.shop_id, product_ids=piece)
        await wish(tx, shop_id=batch.shop_id, shown=shown, now=now)


async def wish_for_all(tx: Transaction, *, shop_id: int, now: datetime) -> int:
    """Wish for every image that a product shows and the shop does not hold, also those given up.

    Returns how many addresses are wished for.
    """
    count, after = 0, 0
    while ids := await list_product_ids(tx, shop_id=shop_id, after=after, limit=_PRODUCTS_AT_ONCE):
        shown = await list_unheld(tx, shop_id=shop_id, product_ids=ids)
        count += await wish(tx, shop_id=shop_id, shown=shown, now=now, again=True)
        after = ids[-1]
    return count


async def wish(
    tx: Transaction,
    *,
    shop_id: int,
    shown: Sequence[ShownAddress],
    now: datetime,
    again: bool = False,
) -> int:
    """Queue the addresses that can be fetched; with `again` also those that were given up."""
    wanted = [
        each
        for each in shown
        if each.url.startswith((*_FETCHABLE, VIDEO_PATH if each.is_video else PATH))
    ]
    if not wanted:
        return 0
    parameters = {
        "shop": shop_id,
        "products": [each.product_id for each in wanted],
        "urls": [each.url for each in wanted],
        "digests": [_digest(each.url, is_video=each.is_video) for each in wanted],
        "videos": [each.is_video for each in wanted],
        "now": now,
        "again": again,
    }
    await tx.run(_SOURCES, parameters)
    await tx.run(_WISHES, parameters)
    return len({each.url for each in wanted})


async def claim_sources(
    tx: Transaction, *, now: datetime, limit: int, is_video: bool = False
) -> list[Source]:
    """The addresses of images, or of videos, that are due; another worker gets them when this one has died."""
    rows = await tx.all(
        _CLAIM, {"now": now, "until": now + _LEASE, "limit": limit, "videos": is_video}
    )
    return [Source(**dict(zip(Source.__struct_fields__, row, strict=True))) for row in rows]


async def read_wishes(tx: Transaction, *, source: Source) -> list[ShownAddress]:
    """The products that wish for this image; they are no longer waiting."""
    rows = await tx.all(
        "delete from image_wishes where shop_id = %s and source_id = %s returning product_id",
        (source.shop_id, source.id),
    )
    return [
        ShownAddress(product_id=product_id, url=source.url, is_video=source.is_video)
        for (product_id,) in rows
    ]


async def note_held(tx: Transaction, *, source: Source, held_id: int) -> None:
    """Record the image or video of an address."""
    await tx.run(
        "update image_sources set image_id = case when is_video then null else %(held)s end,"
        " video_id = case when is_video then %(held)s end, failures = 0, due_at = null, error = ''"
        " where shop_id = %(shop)s and id = %(id)s",
        {"held": held_id, "shop": source.shop_id, "id": source.id},
    )


async def note_failed(
    tx: Transaction, *, source: Source, error: str, due_at: datetime | None
) -> None:
    """Record a failure; without `due_at` the address is given up."""
    await tx.run(
        "update image_sources set failures = failures + 1, due_at = %s, error = %s, image_id = null,"
        " video_id = null"
        " where shop_id = %s and id = %s",
        (due_at, error, source.shop_id, source.id),
    )


async def read_standing(tx: Transaction, *, shop_id: int) -> Standing:
    """How many addresses are held, waiting and given up."""
    row = await tx.one(
        """select count(*) filter (where due_at is null and coalesce(image_id, video_id) is not null),
                  count(*) filter (where due_at is not null),
                  count(*) filter (where due_at is null and coalesce(image_id, video_id) is null)
           from image_sources where shop_id = %s""",
        (shop_id,),
    )
    held, waiting, given_up = row or (0, 0, 0)
    return Standing(held=held, waiting=waiting, given_up=given_up)


async def list_given_up(tx: Transaction, *, shop_id: int, limit: int) -> list[GivenUp]:
    """The addresses that were given up, and why."""
    rows = await tx.all(
        """select url, error, failures from image_sources
           where shop_id = %s and due_at is null and coalesce(image_id, video_id) is null order by id desc limit %s""",
        (shop_id, limit),
    )
    return [GivenUp(url=url, error=error, failures=failures) for url, error, failures in rows]


def _digest(url: str, *, is_video: bool) -> bytes:
    """What an address is known by; one may be an image's for one product and a video's for another."""
    return hashlib.sha256(("video " + url if is_video else url).encode()).digest()


_SOURCES = """
    insert into image_sources as s (shop_id, digest, url, is_video, due_at)
    select distinct on (x.digest) %(shop)s::bigint, x.digest, x.url, x.is_video, %(now)s::timestamptz
    from unnest(%(digests)s::bytea[], %(urls)s::text[], %(videos)s::boolean[]) as x (digest, url, is_video)
    order by x.digest
    on conflict (shop_id, digest) do update set due_at = excluded.due_at, failures = 0
    where s.due_at is null and (s.image_id is not null or s.video_id is not null or %(again)s)
"""
_WISHES = """
    insert into image_wishes (shop_id, source_id, product_id)
    select s.shop_id, s.id, x.product_id
    from unnest(%(products)s::bigint[], %(digests)s::bytea[]) as x (product_id, digest)
    join image_sources s on s.shop_id = %(shop)s and s.digest = x.digest
    on conflict do nothing
"""
_CLAIM = """
    update image_sources s set due_at = %(until)s
    from (select shop_id, id from image_sources where due_at <= %(now)s and is_video = %(videos)s
          order by due_at limit %(limit)s for update skip locked) due
    where s.shop_id = due.shop_id and s.id = due.id
    returning s.shop_id, s.id, s.url, s.image_id, s.failures, s.is_video, s.video_id
"""
