"""The store of images' files..."""

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from crossdock.errors import StorageFull, Unavailable
from crossdock.settings import SettingsError
from crossdock.settings.media import MediaSection
from crossdock.shop.media import Store, create_store
from tests.support.full_disk import may_mount, small_disk
from tests.support.simulators.moto_server import Moto
from tests.support.simulators.s3 import FailingBucket


@pytest.fixture
async def failing() -> AsyncIterator[FailingBucket]:
    made = FailingBucket()
    async with made.server:
        yield made


@pytest.fixture
def prefix() -> str:
    """Where in the one bucket a test writes."""
    return uuid.uuid4().hex


def in_failing(bucket: FailingBucket) -> Store:
    settings = MediaSection(
        store="s3",
        s3_bucket="pictures",
        s3_endpoint=bucket.server.url,
        s3_access_key_id="key",
        s3_secret_access_key="secret",
    )
    return create_store(settings, data_path=Path("/nonexistent"))


def in_folder(folder: Path) -> Store:
    return create_store(MediaSection(folder=str(folder)), data_path=Path("/nonexistent"))


async def read(store: Store, key: str, *, span: tuple[int, int] | None = None) -> bytes | None:
    file = await store.get(key, span=span)
    return None if file is None else b"".join([piece async for piece in file.pieces])


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, prefix: str) -> Store:
    if request.param == "folder":
        return in_folder(tmp_path)
    moto: Moto = request.getfixturevalue("moto")
    return moto.store(prefix=prefix)


async def test_gives_back_what_was_put(store: Store) -> None:
    body = os.urandom(700_000)

    await store.put("ab/abc/x1/original.JPEG", body)
    await store.put("ab/abc/x1/100.JPEG", b"small")
    await store.put("ab/abc/x1/empty.m3u8", b"")

    assert await read(store, "ab/abc/x1/original.JPEG") == body
    assert await store.size("ab/abc/x1/original.JPEG") == len(body)
    assert await read(store, "ab/abc/x1/100.JPEG") == b"small"
    assert (await store.size("ab/abc/x1/empty.m3u8"), await read(store, "x")) == (0, None)


async def test_gives_back_a_part(store: Store) -> None:
    body = os.urandom(5_000)
    await store.put("a/film.mp4", body)

    for span in ((0, 1), (17, 900), (4_999, 5_000), (0, 5_000)):
        assert await read(store, "a/film.mp4", span=span) == body[slice(*span)], span


async def test_takes_a_large_file_in_parts(store: Store, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(os.urandom(12_000_001))

    await store.put("a/film.mp4", film)

    assert await store.size("a/film.mp4") == 12_000_001
    assert await read(store, "a/film.mp4") == film.read_bytes()


async def test_forgets_what_was_deleted(store: Store) -> None:
    await store.put("a/b.PNG", b"x")
    await store.put("a/c.PNG", b"y")

    await store.delete(["a/b.PNG", "a/never.PNG", "a/b.PNG"])

    assert await read(store, "a/b.PNG") is None
    assert await store.size("a/b.PNG") is None
    assert await read(store, "a/c.PNG") == b"y"


async def test_keeps_a_bucket_s_files_under_the_prefix(moto: Moto, prefix: str) -> None:
    store = moto.store(prefix=f"/{prefix}/")
    await store.put("a/b.PNG", b"x")
    await store.put("a/ü 1+2%.PNG", b"y")
    assert await moto.keys(prefix=prefix) == [f"{prefix}/a/b.PNG", f"{prefix}/a/ü 1+2%.PNG"]

    await store.delete(["a/b.PNG"])
    assert await moto.keys(prefix=prefix) == [f"{prefix}/a/ü 1+2%.PNG"]


async def test_replaces_a_file_as_a_whole(tmp_path: Path) -> None:
    store = in_folder(tmp_path)
    await store.put("a/b.PNG", b"one")
    await store.put("a/b.PNG", b"two")

    assert await read(store, "a/b.PNG") == b"two"
    assert [path.name for path in tmp_path.rglob("*.*")] == ["b.PNG"]


@pytest.mark.parametrize(
    "wrong",
    [{"s3_bucket": "nobody-made-it"}, {"s3_secret_access_key": "x"}, {"s3_access_key_id": "AKIAX"}],
    ids=["bucket", "secret", "key"],
)
async def test_says_so_when_the_service_does_not_know(
    wrong: dict[str, str], moto: Moto, prefix: str
) -> None:
    await moto.store(prefix=prefix).put("a/b.PNG", b"x")
    store = moto.store(prefix=prefix, **wrong)

    for asking in (
        store.put("a/c.PNG", b"y"),
        store.get("a/b.PNG"),
        store.get("a/b.PNG", span=(0, 1)),
        store.size("a/b.PNG"),
        store.delete(["a/b.PNG"]),
    ):
        with pytest.raises(Unavailable, match="media_unavailable"):
            await asking

    assert await moto.keys(prefix=prefix) == [f"{prefix}/a/b.PNG"]


async def test_tries_again_when_the_service_is_busy(failing: FailingBucket) -> None:
    failing.fails, failing.drops = 1, 1
    store = in_failing(failing)

    await store.put("a/b.PNG", b"x")

    assert await read(store, "a/b.PNG") == b"x"


async def test_says_so_when_the_service_cannot_answer(failing: FailingBucket) -> None:
    store = in_failing(failing)
    for asks in (store.get, store.size):
        failing.fails = 10
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
