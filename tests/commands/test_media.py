"""`crossdock media`: the images of a shop and of its products."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine
from tests.support.films import film
from tests.support.pictures import fresh, photo

SHOP = ("--shop", "s")
PRODUCT: dict[str, Any] = {
    "handle": "lamp",
    "name": "Lamp",
    "merchant": "Acme",
    "currency": "EUR",
    "images": [{"url": "https://a.example/1.jpg", "alt": "A lamp"}],
    "variants": [{"sku": "LAMP-1", "retail_minor": 100}],
}


@pytest.fixture
def shop(alone: CommandLine, tmp_path: Path) -> CommandLine:
    """A command line with the shop s and a lamp."""
    alone.ask("shop", "add", "s", "--name", "S", "--currency", "EUR", "--country", "BE")
    (tmp_path / "goods.jsonl").write_text(json.dumps({"type": "product", **PRODUCT}) + "\n")
    alone.ask("import", str(tmp_path / "goods.jsonl"), *SHOP, "--format", "jsonl")
    return alone


def exported(shop: CommandLine, path: Path) -> list[dict[str, Any]]:
    shop.ask("export", "--format", "jsonl", *SHOP, "--out", path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    [images] = [line["images"] for line in lines if line.get("handle") == "lamp"]
    return list(images)


def test_adds_lists_shows_and_removes_images_of_a_product(shop: CommandLine, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(fresh(500, 410))
    (tmp_path / "b.jpg").write_bytes(photo(90, 60))
    files = (str(tmp_path / "a.png"), str(tmp_path / "b.jpg"))

    pictures = shop.ask(
        "media", "add", *files, "--product", "LAMP-1", *SHOP, "--alt", "Side", "--first"
    )

    assert [picture["url"].partition(".")[2] for picture in pictures] == [
        "PNG", "JPEG", "example/1.jpg",
    ]  # fmt: skip
    newest, oldest = shop.ask("media", "list", *SHOP)
    assert (oldest["width"], oldest["height"], oldest["owner"]) == (500, 410, "")
    assert shop.ask("media", "show", str(newest["id"]), *SHOP) == newest
    assert pictures[0]["media"]["checksum"] == oldest["checksum"]
    assert shop.ask("media", "add", *files, "--product", "LAMP-1", *SHOP)[1:] != pictures

    left = shop.ask("media", "remove", oldest["checksum"], "--product", "LAMP-1", *SHOP)
    assert [picture["url"] for picture in left] == [
        "https://a.example/1.jpg",
        f"/images/{newest['checksum']}.JPEG",
    ]


def test_loses_nothing_by_an_export_and_an_import(shop: CommandLine, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(fresh())
    shop.ask("media", "add", str(tmp_path / "a.png"), "--product", "LAMP-1", *SHOP, "--alt", "Side")
    before = exported(shop, tmp_path / "one.jsonl")

    assert before[0] == PRODUCT["images"][0]
    assert set(before[1]) == {"url", "alt"}
    shop.ask("import", str(tmp_path / "one.jsonl"), *SHOP, "--format", "jsonl")
    assert exported(shop, tmp_path / "two.jsonl") == before
    [kept] = shop.ask("media", "list", *SHOP)
    pictures = shop.ask("media", "add", str(tmp_path / "a.png"), "--product", "LAMP-1", *SHOP)
    assert pictures[1]["media"]["id"] == kept["id"]
    assert pictures[1]["added"] is True


def test_refuses_what_is_no_image_and_unknown_goods(shop: CommandLine, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"GIF89a")
    (tmp_path / "b.png").write_bytes(fresh())

    assert "neither JPEG nor PNG" in shop.refuse(
        "media", "add", str(tmp_path / "a.png"), "--product", "LAMP-1", *SHOP
    )
    assert "cannot be read" in shop.refuse(
        "media", "add", str(tmp_path / "c.png"), "--product", "LAMP-1", *SHOP
    )
    assert "no product" in shop.refuse(
        "media", "add", str(tmp_path / "b.png"), "--product", "X", *SHOP
    )
    assert "no image" in shop.refuse("media", "show", "1", *SHOP)


def test_asks_for_what_products_name_and_lets_the_doctor_look(shop: CommandLine, tmp_path: Path):
    assert shop.ask("media", "fetch", *SHOP) == {"held": 0, "waiting": 1, "given_up": 0}
    assert shop.ask("media", "failed", *SHOP) == []

    (tmp_path / "a.png").write_bytes(fresh())
    shop.ask("media", "add", str(tmp_path / "a.png"), "--product", "LAMP-1", *SHOP)
    results = shop.ask("doctor", "--images")
    [images] = [each for each in results if each["check"] == "images and videos have their files"]
    assert (images["looked_at"], images["differences"]) == (1, [])


def test_gives_a_product_a_video_and_tells_how_far_it_is(shop: CommandLine, tmp_path: Path):
    (tmp_path / "film.mp4").write_bytes(film(seconds=1))
    (tmp_path / "a.png").write_bytes(fresh())
    files = (str(tmp_path / "film.mp4"), str(tmp_path / "a.png"))

    pictures = shop.ask("media", "add", *files, "--product", "LAMP-1", *SHOP)

    assert len(pictures) == 2
    [video] = shop.ask("media", "list", *SHOP, "--video")
    assert (video["width"], video["state"], video["progress"]) == (320, "waiting", 0)
    assert shop.ask("media", "show", str(video["id"]), *SHOP, "--video") == video
    shop.ask("export", "--format", "jsonl", *SHOP, "--out", tmp_path / "one.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "one.jsonl").read_text().splitlines()]
    [told] = [line["video"] for line in lines if line.get("handle") == "lamp"]
    assert told == f"/videos/{video['checksum']}.mp4"
    shop.ask("media", "remove", video["checksum"], "--product", "LAMP-1", *SHOP)
    assert "one video" in shop.refuse(
        "media", "add", files[0], files[0], "--product", "LAMP-1", *SHOP
    )
