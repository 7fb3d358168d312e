"""The address of an image..."""

import hashlib
from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.media import (
    Media,
    StoredImage,
    file_name,
    keep_image,
    no_image,
    versions_of,
)
from tests.support.factories import make_shop
from tests.support.keeping import create_media
from tests.support.pictures import exif, fresh, opened, photo
from tests.web.conftest import Ask

SIZES = {"": (500, 410), "-100x100": (121, 100), "-400x400": (487, 400), "-1000x1000": (500, 410)}


@pytest.fixture
def media(database: Database, clock: FrozenClock, tmp_path: Path, kept_media: list[Media]) -> Media:
    kept_media.append(create_media(database, clock, tmp_path))
    return kept_media[-1]


@pytest.fixture
async def image(media: Media, database: Database) -> StoredImage:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    return await keep_image(media, shop_id=shop.id, partner_id=None, body=fresh())


async def test_gives_each_version(ask: Ask, image: StoredImage) -> None:
    for size, expected in SIZES.items():
        reply = await ask(f"/images/{image.checksum}{size}.PNG")
        assert reply.status == 200
        assert reply.headers["content-type"] == "image/png"
        assert int(reply.headers["content-length"]) == len(reply.body)
        assert opened(reply.body).size == expected


async def test_may_be_kept_for_ever_and_is_nothing_but_an_image(
    ask: Ask, image: StoredImage
) -> None:
    path = f"/images/{image.checksum}-100x100.PNG"
    reply = await ask(path)

    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
    tag = reply.headers["etag"]
    for known in (tag, f'"x", W/{tag}'):
        again = await ask(path, if_none_match=known)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert (await ask(path, if_none_match='"x"')).status == 200


async def test_answers_head_like_get_without_the_bytes(ask: Ask, image: StoredImage) -> None:
    path = f"/images/{image.checksum}.PNG"
    head, whole = await ask(path, method="HEAD"), await ask(path)

    assert (head.status, head.body) == (200, b"")
    assert head.headers == whole.headers


async def test_of_the_picture_that_stands_in_gives_it_as_it_is_told(ask: Ask, media: Media) -> None:
    facts = no_image()
    whole = await ask(f"/images/{file_name(facts)}")

    assert hashlib.md5(whole.body, usedforsecurity=False).hexdigest() == facts.checksum
    assert facts.checksum == "e41c479eafd1027eb01a78c7d0ee1c31"  # the same on every server
    assert (whole.status, whole.headers["content-type"]) == (200, "image/png")
    for version in versions_of(facts):
        reply = await ask(f"/images/{version.filename}")
        assert opened(reply.body).size == (version.width, version.height)
        assert int(reply.headers["content-length"]) == len(reply.body)
    assert (await ask(f"/images/{facts.checksum}.JPEG")).status == 404


async def test_tells_nobody_where_a_picture_was_taken(
    ask: Ask, media: Media, database: Database
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    body = photo(457, 419, exif=exif(orientation=6))
    image = await keep_image(media, shop_id=shop.id, partner_id=None, body=body)

    reply = await ask(f"/images/{image.checksum}.JPEG")

    assert (image.width, image.height) == opened(reply.body).size == (419, 457)
    assert b"SecretCamera" in body
    assert b"SecretCamera" not in reply.body


async def test_is_not_there_for_any_other_name(ask: Ask, image: StoredImage) -> None:
    for name in (
        f"{'0' * 32}.PNG",
        f"{image.checksum}.JPEG",
        f"{image.checksum}.png",
        f"{image.checksum}",
        f"{image.checksum}-200x200.PNG",
        f"{image.checksum.upper()}.PNG",
        f"..%2f{image.checksum}.PNG",
        "../master.key",
        "",
    ):
        reply = await ask(f"/images/{name}")
        assert reply.status == 404, name
        assert reply.headers["cache-control"] == "no-store"


async def test_is_not_there_when_its_file_is_gone(
    ask: Ask, image: StoredImage, tmp_path: Path
) -> None:
    for path in tmp_path.rglob("*.PNG"):
        path.unlink()

    assert (await ask(f"/images/{image.checksum}.PNG")).status == 404
