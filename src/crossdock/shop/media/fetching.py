"""Fetch images from the addresses that products name, and tell the products what came.

Addresses are a stranger's: the client checks where each leads, at each step of a redirection. What
comes is read like an upload. No call is made inside a transaction.
"""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urljoin

import msgspec
import structlog

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import DatabaseUnavailable, Invalid, Unavailable
from crossdock.kit.outbound import Answer, Outbound, OutboundError, Oversized, Refused
from crossdock.shop.alerts import isolated
from crossdock.shop.catalogue import HeldAddress, hold_pictures
from crossdock.shop.media.keeping import Media, adopt_image, keep_image, read_images
from crossdock.shop.media.model import PATH, StoredImage, read_name
from crossdock.shop.media.wishing import (
    Source,
    claim_sources,
    note_failed,
    note_held,
    read_wishes,
)

WAITS_S = (60, 900, 7_200, 43_200)
"""Waits before each retry of an address; after them it is given up."""
HOPS_MAX = 3
_AT_ONCE = 20
_RUN = timedelta(minutes=2)
_LATER = {408, 425, 429, *range(500, 600)}
_MOVED = {301, 302, 303, 307, 308}
log = structlog.get_logger("crossdock.media")


class Fetching(msgspec.Struct, frozen=True, kw_only=True):
    """What fetching needs, set once in compose.py; `at_once` addresses at the same time."""

    media: Media
    outbound: Outbound
    at_once: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; `bytes_max` of 0 is the limit of images."""

    accept: str
    deadline_s: int
    bytes_max: int = 0


IMAGES = Wanted(accept="image/jpeg, image/png", deadline_s=30)


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """How many addresses were held, and how many failed, now or for good."""

    held: int
    failed: int


class Failed(Exception):
    """No image came from an address; `is_final` where another attempt cannot help."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


async def fetch_images(service: Fetching) -> Fetched:
    """Fetch what is due, batch by batch, for some minutes at most."""
    media = service.media
    held = failed = 0
    room = asyncio.Semaphore(service.at_once)
    until = media.clock.now() + _RUN
    while media.clock.now() < until:
        async with media.db.statement() as tx:
            sources = await claim_sources(tx, now=media.clock.now(), limit=_AT_ONCE)
        if not sources:
            break
        results = await asyncio.gather(*(_fetch(service, each, room) for each in sources))
        outcomes = sorted(zip(sources, results, strict=True), key=lambda pair: pair[0].place)
        for _, of_shop in itertools.groupby(outcomes, key=lambda pair: pair[0].shop_id):
            await _record_all(media, list(of_shop))
        failed += sum(isinstance(each, Failed) for each in results)
        held += sum(isinstance(each, StoredImage) for each in results)
    return Fetched(held=held, failed=failed)


async def _fetch(
    service: Fetching, source: Source, room: asyncio.Semaphore
) -> StoredImage | Failed:
    try:
        async with room:
            return await _image(service, source)
    except Failed as failure:
        return failure
    except DatabaseUnavailable:
        raise
    except Exception as error:  # one that cannot be read keeps no other from being fetched
        log.exception("an address was not fetched", url=source.url)
        return unforeseen(error)


def unforeseen(error: Exception) -> Failed:
    """A failure in words that tell nothing of what the address held."""
    return Failed(f"It failed with {type(error).__name__}; see the log.", is_final=False)


async def _record_all(
    media: Media, outcomes: Sequence[tuple[Source, StoredImage | Failed]]
) -> None:
    """Record what came of some addresses of one shop; if that fails, of each by itself."""
    try:
        await _record(media, outcomes)
    except DatabaseUnavailable:
        raise
    except Exception:
        log.exception("fetched images are recorded one by one")
        for source, outcome in outcomes:
            async with isolated(
                media.db,
                job="fetch_images",
                shop_id=source.shop_id,
                about=source.url,
                now=media.clock.now(),
            ):
                await _record(media, [(source, outcome)])


async def _record(media: Media, outcomes: Sequence[tuple[Source, StoredImage | Failed]]) -> None:
    """Record what came of some addresses of one shop, and tell the products that wish for it.

    An address is locked before its wishes are read, so that none that comes now is missed.
    """
    now = media.clock.now()
    found: list[HeldAddress] = []
    async with media.db.begin() as tx:
        for source, outcome in outcomes:
            if isinstance(outcome, Failed):
                due_at = None if outcome.is_final else next_attempt(source, now=now)
                await note_failed(tx, source=source, error=outcome.reason, due_at=due_at)
            else:
                await note_held(tx, source=source, held_id=outcome.id)
                found += await _granted(tx, source=source, image=outcome)
        if found:
            await hold_pictures(tx, shop_id=outcomes[0][0].shop_id, found=found, now=now)


async def _image(service: Fetching, source: Source) -> StoredImage:
    """The image of an address: the one that is held, one of this server, or what is there. Raises Failed."""
    media = service.media
    if source.image_id is not None:
        async with media.db.statement() as tx:
            known = await read_images(
                tx, shop_id=source.shop_id, partner_id=None, image_ids=[source.image_id]
            )
        if known:
            return known[0]
    if source.url.startswith(PATH):
        return await _own(media, source)
    body = await fetch_body(service, source.url, wanted=IMAGES)
    try:
        return await keep_image(media, shop_id=source.shop_id, partner_id=None, body=body)
    except Invalid as error:
        raise Failed(error.message, is_final=True) from error
    except Unavailable as error:
        raise Failed(error.message, is_final=False) from error


async def _own(media: Media, source: Source) -> StoredImage:
    """The image that an address on this server names, such as one of an export."""
    name = read_name(source.url.removeprefix(PATH))
    image = name and await adopt_image(media, shop_id=source.shop_id, checksum=name.checksum)
    if not image:
        raise Failed("The shop has no such image.", is_final=True)
    return image


async def fetch_body(service: Fetching, url: str, *, wanted: Wanted) -> bytes:
    """The bytes of an address, or of the one that it leads on to. Raises Failed."""
    for _ in range(HOPS_MAX + 1):
        answer = await _call(service, url, wanted)
        if answer.status == 200:
            return answer.body
        moved = answer.headers.get("location")
        if answer.status not in _MOVED or not moved:
            reason = f"The server answered {answer.status}."
            raise Failed(reason, is_final=answer.status not in _LATER)
        try:
            url = urljoin(url, moved)
        except ValueError as error:
            raise Failed("The server leads on to what is no address.", is_final=True) from error
    raise Failed(f"The address leads on more than {HOPS_MAX} times.", is_final=True)


async def _call(service: Fetching, url: str, wanted: Wanted) -> Answer:
    limit = wanted.bytes_max or service.media.reader.limits.bytes_max
    try:
        return await service.outbound.request(
            "GET",
            url,
            headers={"Accept": wanted.accept},
            deadline_s=wanted.deadline_s,
            limit_bytes=limit,
        )
    except (Refused, Oversized) as error:
        raise Failed(str(error), is_final=True) from error
    except OutboundError as error:
        raise Failed(str(error), is_final=False) from error


async def _granted(tx: Transaction, *, source: Source, image: StoredImage) -> list[HeldAddress]:
    """What the products that wish for an image are told of it."""
    facts = image.facts()
    wishes = await read_wishes(tx, source=source)
    return [HeldAddress(product_id=each.product_id, url=each.url, media=facts) for each in wishes]


def next_attempt(source: Source, *, now: datetime) -> datetime | None:
    """When an address that failed is asked again, None if it is given up."""
    if source.failures >= len(WAITS_S):
        return None
    return now + timedelta(seconds=WAITS_S[source.failures])
