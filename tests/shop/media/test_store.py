"""The store of images' files..."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from crossdock.errors import StorageFull, Unavailable
from crossdock.settings import SettingsError
from crossdock.settings.media import MediaSection
from crossdock.shop.media import Store, create_store
from tests.support.full_disk import may_mount, small_disk
from tests.support.simulators.s3 import KEY_ID, SECRET, Bucket


@pytest.fixture
async def bucket() -> AsyncIterator[Bucket]:
    made = Bucket()
    async with made.server:
        yield made


def in_bucket(bucket: Bucket, *, secret: str = SECRET) -> Store:
    settings = MediaSection(
        store="s3",
        s3_bucket=bucket.name,
        s3_prefix="/shop/",
        s3_endpoint=bucket.server.url,
        s3_region=bucket.region,
        s3_access_key_id=KEY_ID,
        s3_secret_access_key=secret,
    )
    return create_store(settings, data_path=Path("/nonexistent"))


def in_folder(folder: Path) -> Store:
    return create_store(MediaSection(folder=str(folder)), data_path=Path("/nonexistent"))


async def read(store: Store, key: str) -> bytes | None:
    file = await store.get(key)
    return None if file is None else b"".join([piece async for piece in file.pieces])


@pytest.mark.parametrize("kind", ["folder", "s3"])
async def test_gives_back_what_was_put(kind: str, bucket: Bucket, tmp_path: Path) -> None:
    store = in_bucket(bucket) if kind == "s3" else in_folder(tmp_path)
    body = os.urandom(700_000)

    await store.put("ab/abc/x1/original.JPEG", body)
    await store.put("ab/abc/x1/100.JPEG", b"small")

    assert await read(store, "ab/abc/x1/original.JPEG") == body
    assert await store.size("ab/abc/x1/original.JPEG") == len(body)
    assert await read(store, "ab/abc/x1/100.JPEG") == b"small"


@pytest.mark.parametrize("kind", ["folder", "s3"])
async def test_forgets_what_was_deleted(kind: str, bucket: Bucket, tmp_path: Path) -> None:
    store = in_bucket(bucket) if kind == "s3" else in_folder(tmp_path)
    await store.put("a/b.PNG", b"x")

    await store.delete(["a/b.PNG", "a/never.PNG", "a/b.PNG"])

    assert await read(store, "a/b.PNG") is None
    assert await store.size("a/b.PNG") is None


async def test_keeps_a_bucket_s_files_under_the_prefix(bucket: Bucket) -> None:
    await in_bucket(bucket).put("a/b.PNG", b"x")

    assert bucket.objects == {"shop/a/b.PNG": b"x"}


async def test_replaces_a_file_as_a_whole(tmp_path: Path) -> None:
    store = in_folder(tmp_path)
    await store.put("a/b.PNG", b"one")
    await store.put("a/b.PNG", b"two")

    assert await read(store, "a/b.PNG") == b"two"
    assert [path.name for path in tmp_path.rglob("*.*")] == ["b.PNG"]


async def test_tries_again_when_the_service_is_busy(bucket: Bucket) -> None:
    bucket.fails, bucket.drops = 1, 1
    store = in_bucket(bucket)

    await store.put("a/b.PNG", b"x")

    assert await read(store, "a/b.PNG") == b"x"


async def test_says_so_when_the_service_does_not_accept_it(bucket: Bucket) -> None:
    with pytest.raises(Unavailable, match="media_unavailable"):
        await in_bucket(bucket, secret="another").put("a/b.PNG", b"x")

    assert bucket.objects == {}


async def test_says_so_when_the_service_cannot_answer(bucket: Bucket) -> None:
    store = in_bucket(bucket)
    for asks in (store.get, store.size):
        bucket.fails = 10
        with pytest.raises(Unavailable, match="media_unavailable"):
            await asks("a/b.PNG")


async def test_says_so_when_the_folder_cannot_be_written(tmp_path: Path) -> None:
    store = in_folder(tmp_path)
    (tmp_path / "a").write_bytes(b"a file where a folder should be")

    with pytest.raises(Unavailable, match="media_unavailable"):
        await store.put("a/b.PNG", b"x")


@pytest.mark.skipif(not may_mount(), reason="needs to mount a small disk")
async def test_says_so_when_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=2) as disk:
        store = in_folder(disk.path)
        disk.fill()
        with pytest.raises(StorageFull):
            await store.put("a/b.PNG", b"x" * 9_000)
        disk.free()
        await store.put("a/b.PNG", b"x" * 9_000)
        assert await store.size("a/b.PNG") == 9_000


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"store": "s3"}, "media_s3_bucket"),
        ({"s3_access_key_id": "x"}, "set both"),
        ({"s3_endpoint": "s3.example"}, "media_s3_endpoint must start"),
        ({"cdn_url": "cdn.example"}, "media_cdn_url must start"),
    ],
)
def test_needs_settings_that_fit(chosen: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        msgspec.convert(chosen, MediaSection).check()
