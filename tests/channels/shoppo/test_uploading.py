"""An uploaded image..."""

import asyncio
import hashlib
import json
import re
from typing import Any

import httpx2
import pytest
from starlette.requests import Request

from crossdock.channels.shoppo.limits import BODY_BYTES, UPLOADS_AT_ONCE, UPLOADS_PER_VIEWER
from crossdock.channels.shoppo.multipart import Uploads
from crossdock.channels.shoppo.requests import Asked
from crossdock.errors import Unavailable
from tests.support.clocked import ClockedServer
from tests.support.pictures import exif, fresh, opened, photo
from tests.support.shoppo_client import DropShipper

# As the seed prints it.
UPLOAD = """mutation uploadImage($image: File!) {
  uploadImage(file: $image) {
    image {
      id
      originalWidth
      originalHeight
      originalUrl
      mainColor
      checksum
      versions {
        filename
        height
        width
      }
    }
  }
}"""
NODE = "query image($id: ID!) { node(id: $id) { id ... on Image { checksum type } } }"
OPERATIONS = json.dumps({"query": UPLOAD, "variables": {"image": None}})
MAP = '{"0": ["variables.image"]}'
BOUNDARY = "xyz"


async def send(
    shipper: DropShipper, body: bytes, *, query: str = UPLOAD, name: str = "image"
) -> httpx2.Response:
    """By the convention."""
    operations = json.dumps({"query": query, "variables": {name: None}})
    return await shipper.send(
        data={"operations": operations, "map": json.dumps({"0": [f"variables.{name}"]})},
        files={"0": ("a.jpg", body, "image/jpeg")},
    )


async def upload(shipper: DropShipper, body: bytes) -> dict[str, Any]:
    reply = await send(shipper, body)
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    assert set(answer) == {"data"}, answer
    image = answer["data"]["uploadImage"]["image"]
    assert isinstance(image, dict)
    return image


def parts(*given: tuple[str, str | None, bytes]) -> bytes:
    """A multipart body of (name, file name or None, content)."""
    made = b""
    for name, file, content in given:
        told = f'; filename="{file}"' if file else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{told}\r\n\r\n'
        made += head.encode() + content + b"\r\n"
    return made + f"--{BOUNDARY}--\r\n".encode()


async def post(shipper: DropShipper, body: bytes, *, boundary: str = BOUNDARY) -> httpx2.Response:
    kind = f"multipart/form-data; boundary={boundary}" if boundary else "multipart/form-data"
    return await shipper.send(content=body, headers={"Content-Type": kind})


def code_of(reply: httpx2.Response) -> tuple[int, str]:
    answer = reply.json()
    assert set(answer) <= {"errors", "data"}
    [error] = answer["errors"]
    return reply.status_code, error["extensions"]["code"]


async def test_of_2000_by_1644_has_the_sizes_of_the_sample(
    shipper: DropShipper, hall_server: ClockedServer
) -> None:
    body = photo(2000, 1644)
    checksum = hashlib.md5(body).hexdigest()

    image = await upload(shipper, body)

    assert re.fullmatch(r"[A-Za-z0-9]{12,32}", image.pop("id"))
    assert re.fullmatch(r"#[0-9A-F]{6}", image.pop("mainColor"))
    assert image == {
        "checksum": checksum,
        "originalHeight": 1644,
        "originalWidth": 2000,
        "originalUrl": f"{hall_server.url}/images/{checksum}.JPEG",
        "versions": [
            {"filename": f"{checksum}.JPEG", "height": 1644, "width": 2000},
            {"filename": f"{checksum}-100x100.JPEG", "height": 100, "width": 121},
            {"filename": f"{checksum}-400x400.JPEG", "height": 400, "width": 486},
            {"filename": f"{checksum}-1000x1000.JPEG", "height": 1000, "width": 1216},
        ],
    }


async def test_is_served_under_its_address_and_beside_it(
    shipper: DropShipper, hall_server: ClockedServer
) -> None:
    image = await upload(shipper, photo(700, 500, kind="PNG"))

    folder = image["originalUrl"].rpartition("/")[0]
    async with httpx2.AsyncClient(trust_env=False, verify=False) as anybody:
        for version in image["versions"]:
            reply = await anybody.get(f"{folder}/{version['filename']}")
            assert reply.status_code == 200
            assert reply.headers["content-type"] == "image/png"
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert opened(reply.content).size == (version["width"], version["height"])
        larger = await anybody.get(f"{folder}/{image['checksum']}-1000x1000.PNG")
        original = await anybody.get(image["originalUrl"])
    assert larger.content == original.content


async def test_is_found_by_its_id_by_who_uploaded_it_alone(
    shipper: DropShipper, shippers: Any
) -> None:
    image = await upload(shipper, fresh())
    other = await shippers()

    found = await shipper.ask(NODE, id=image["id"])
    assert found == {"node": {"id": image["id"], "checksum": image["checksum"], "type": "png"}}
    assert await other.ask(NODE, id=image["id"]) == {"node": None}


async def test_has_the_same_id_when_its_bytes_come_again(
    shipper: DropShipper, shippers: Any
) -> None:
    body = fresh()
    first, again = await upload(shipper, body), await upload(shipper, body)
    others = await upload(await shippers(), body)

    assert again == first
    assert others["id"] != first["id"]
    assert others["originalUrl"] == first["originalUrl"]


async def test_may_come_in_a_form_without_operations(shipper: DropShipper) -> None:
    body = fresh()
    expected = await upload(shipper, body)

    for name in ("image", "file"):
        for fields in (
            {"query": UPLOAD},
            {"query": UPLOAD, "variables": "{}", "operationName": "uploadImage"},
            {"query": UPLOAD, "variables": '{"image": null, "more": 1}'},
        ):
            reply = await shipper.send(data=fields, files={name: ("a.png", body)})
            image = reply.json()["data"]["uploadImage"]["image"]
            assert image["id"] == expected["id"], (name, fields)
    before = parts(("file", "a.png", body), ("query", None, UPLOAD.encode()))
    assert (await post(shipper, before)).json()["data"]["uploadImage"]["image"] == expected


async def test_may_have_its_place_deep_among_the_variables(shipper: DropShipper) -> None:
    query = "mutation($in: [File!]!) { uploadImage(file: $in) { image { id } } }"
    operations = json.dumps({"query": query, "variables": {"in": [None]}})
    reply = await shipper.send(
        data={"operations": operations, "map": '{"x": ["variables.in.0"]}'},
        files={"x": ("a.png", fresh())},
    )

    assert code_of(reply) == (200, "GRAPHQL_VALIDATION_FAILED")  # read, bound, and then checked


async def test_is_turned_upright_and_loses_where_it_was_taken(shipper: DropShipper) -> None:
    image = await upload(shipper, photo(200, 120, exif=exif(orientation=6)))

    assert (image["originalWidth"], image["originalHeight"]) == (120, 200)
    async with httpx2.AsyncClient(trust_env=False, verify=False) as anybody:
        shown = (await anybody.get(image["originalUrl"])).content
    assert opened(shown).size == (120, 200)
    assert b"SecretCamera" not in shown


async def test_that_is_none_is_refused(shipper: DropShipper) -> None:
    for body in (b"", b"GIF89a", b"<html>", photo(kind="WEBP"), photo()[:-100]):
        reply = await send(shipper, body)
        assert code_of(reply) == (200, "IMAGE_INVALID")
        answer = reply.json()
        assert answer["data"] == {"uploadImage": None}
        [error] = answer["errors"]
        assert error["path"] == ["uploadImage"]
        assert error["message"].startswith("The image cannot be used: ")
        assert (error["extensions"]["type"], error["extensions"]["displayToUser"]) == (
            "InvalidInput",
            True,
        )


async def test_that_is_too_large_is_refused(
    shipper: DropShipper, hall_server: ClockedServer
) -> None:
    most = hall_server.app.services.settings.media.upload_max_bytes
    body = photo()

    fits = await send(shipper, body + bytes(most - len(body)))
    assert fits.json()["data"]["uploadImage"]["image"]["checksum"]
    for over in (1, 100_000):
        reply = await send(shipper, body + bytes(most - len(body) + over))
        assert code_of(reply) == (200, "IMAGE_TOO_LARGE")
        assert reply.json()["errors"][0]["extensions"]["limit"] == most
    reply = await send(shipper, bytes(most + BODY_BYTES))
    assert code_of(reply) == (413, "BAD_REQUEST")


async def test_of_too_many_pixels_is_refused(shipper: DropShipper) -> None:
    from tests.support.pictures import png_of_size

    reply = await send(shipper, png_of_size(8_000, 5_001))

    assert code_of(reply) == (200, "IMAGE_TOO_LARGE")
    assert reply.json()["errors"][0]["extensions"]["limit"] == 40_000_000


async def test_is_a_part_and_nothing_else(shipper: DropShipper) -> None:
    others: list[Any] = ["a.jpg", 1, True, {}, [], None]
    for value in others:
        reply = await shipper.post(UPLOAD, variables={"image": value})
        assert code_of(reply) == (200, "BAD_USER_INPUT"), value
    for literal in ('"a.jpg"', "1", "{}", "a"):
        reply = await shipper.post(
            f"mutation {{ uploadImage(file: {literal}) {{ image {{ id }} }} }}"
        )
        assert code_of(reply) == (200, "BAD_USER_INPUT"), literal
        assert reply.json()["errors"][0]["extensions"]["field"] == "file"
    reply = await shipper.send(data={"query": UPLOAD}, files={"other": ("a.png", fresh())})
    assert code_of(reply) == (200, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    "given",
    [
        (),
        (("operations", None, OPERATIONS.encode()), ("0", "a.png", b"x")),
        (("operations", None, OPERATIONS.encode()), ("map", None, MAP.encode())),
        (
            ("operations", None, OPERATIONS.encode()),
            ("0", "a.png", b"x"),
            ("map", None, MAP.encode()),
        ),
        (
            ("0", "a.png", b"x"),
            ("operations", None, OPERATIONS.encode()),
            ("map", None, MAP.encode()),
        ),
        (
            ("operations", None, b"[" + OPERATIONS.encode() + b"]"),
            ("map", None, MAP.encode()),
            ("0", "a.png", b"x"),
        ),
        *(
            (("operations", None, OPERATIONS.encode()), ("map", None, wrong), ("0", "a.png", b"x"))
            for wrong in (
                b"",
                b"[]",
                b"\xff",
                b'{"0": "variables.image"}',
                b'{"0": [1]}',
                b'{"0": ["image"]}',
                b'{"0": ["variables"]}',
                b'{"0": ["variables."]}',
                b'{"0": ["variables.other"]}',
                b'{"0": ["variables.image.0"]}',
                b'{"0": ["variables.__class__"]}',
                b'{"0": ["variables.image", "variables.image"]}',
                b'{"0": ["variables.image"], "1": ["variables.image"]}',
                b'{"1": ["variables.image"]}',
                b'{"0": ["variables.\\ud800"]}',
                b'{"0": ["variables.image"], "a": NaN}',
            )
        ),
        (
            ("operations", None, OPERATIONS.replace("null", '"x"').encode()),
            ("map", None, MAP.encode()),
            ("0", "a.png", b"x"),
        ),
        (
            ("operations", None, OPERATIONS.encode()),
            ("map", None, MAP.encode()),
            ("0", "a.png", b"x"),
            ("0", "b.png", b"x"),
        ),
        (
            ("operations", None, OPERATIONS.replace("null", "[null]").encode()),
            ("map", None, b'{"0": ["variables.image.' + b"0" * 5_000 + b'"]}'),
            ("0", "a.png", b"x"),
        ),
        (("operations", None, b"{"), ("map", None, b"{}")),
        (("query", None, UPLOAD.encode()), ("query", None, UPLOAD.encode())),
        (("query", None, UPLOAD.encode()), ("variables", None, b"[]"), ("file", "a", b"x")),
        (("query", None, UPLOAD.encode()), ("variables", None, b"{"), ("file", "a", b"x")),
        (("query", None, b"\xff"), ("file", "a", b"x")),
        (("query", None, b"{ a }\0"), ("file", "a", b"x")),
        (("query", None, b"{ a }"), ("variables", None, b'{"a": "\\ud800"}')),
        (("query", None, b"{ a }"), ("variables", None, b'{"a": Infinity}')),
        (("file", "a.png", b"x"),),
        tuple((f"p{number}", None, b"x") for number in range(21)),
    ],
    ids=str,
)
async def test_in_a_form_that_does_not_fit_is_a_bad_request(
    shipper: DropShipper, given: tuple[tuple[str, str | None, bytes], ...]
) -> None:
    assert code_of(await post(shipper, parts(*given))) == (400, "BAD_REQUEST")


async def test_in_a_form_that_is_broken_is_a_bad_request(shipper: DropShipper) -> None:
    whole = parts(
        ("operations", None, OPERATIONS.encode()), ("map", None, MAP.encode()), ("0", "a", b"x")
    )

    assert code_of(await post(shipper, whole, boundary="")) == (400, "BAD_REQUEST")
    assert code_of(await post(shipper, whole, boundary="b" * 300)) == (400, "BAD_REQUEST")
    assert code_of(await post(shipper, whole, boundary="other")) == (400, "BAD_REQUEST")
    for cut in (0, 10, 200, len(whole) - 30):
        assert code_of(await post(shipper, whole[:cut])) == (400, "BAD_REQUEST")


async def test_leaves_further_files_unread(shipper: DropShipper) -> None:
    body = fresh()
    form = parts(
        ("operations", None, OPERATIONS.encode()),
        ("map", None, MAP.encode()),
        ("extra", "e.bin", bytes(3_000_000)),
        ("0", "a.png", body),
        ("more", "m.bin", bytes(3_000_000)),
    )

    image = (await post(shipper, form)).json()["data"]["uploadImage"]["image"]

    assert image["checksum"] == hashlib.md5(body).hexdigest()


async def test_has_room_for_a_document_of_usual_size_beside_it(shipper: DropShipper) -> None:
    long = json.dumps({"query": UPLOAD, "variables": {"image": None, "pad": "x" * BODY_BYTES}})
    form = parts(("operations", None, long.encode()), ("map", None, MAP.encode()))
    assert code_of(await post(shipper, form)) == (413, "BAD_REQUEST")
    plain = json.dumps({"query": UPLOAD, "variables": {"pad": "x" * BODY_BYTES}})
    reply = await shipper.send(content=plain, headers={"Content-Type": "application/json"})
    assert code_of(reply) == (413, "BAD_REQUEST")


async def test_needs_the_headers_before_it_is_read(hall_server: ClockedServer) -> None:
    async with DropShipper(hall_server.url, token="", viewer="") as nobody:
        assert code_of(await send(nobody, photo())) == (401, "UNAUTHENTICATED")


async def test_is_one_of_a_few_that_are_received_at_once() -> None:
    may_end = asyncio.Event()
    uploads = Uploads(file_max_bytes=10)

    def begun(viewer: str) -> asyncio.Task[Asked]:
        body = parts(("query", None, b"{ __typename }"))

        async def receive() -> dict[str, Any]:
            await may_end.wait()
            return {"type": "http.request", "body": body, "more_body": False}

        request = Request({"type": "http", "headers": []}, receive)
        reading = uploads.read(request, boundary=BOUNDARY.encode(), viewer=viewer)
        return asyncio.create_task(reading)

    going = [begun("a") for _ in range(UPLOADS_PER_VIEWER)]
    refused = [begun("a")]
    while len(going) < UPLOADS_AT_ONCE:
        going += [begun(f"b{len(going)}")]
    refused += [begun("c")]
    for each in refused:
        with pytest.raises(Unavailable, match="busy"):
            await each
    assert not any(each.done() for each in going)
    may_end.set()
    assert {(await each).query for each in going} == {"{ __typename }"}
    assert (await begun("a")).query == "{ __typename }"


async def test_may_come_twice_in_one_operation(shipper: DropShipper) -> None:
    query = """mutation up($image: File!) {
      a: uploadImage(file: $image) { image { id } }
      b: uploadImage(file: $image) { image { id } }
    }"""

    data = (await send(shipper, fresh(), query=query)).json()["data"]

    assert data["a"] == data["b"]


async def test_is_told_of_by_introspection(shipper: DropShipper) -> None:
    found = await shipper.ask(
        '{ __type(name: "File") { kind description } __schema { mutationType { name } } }'
    )

    assert found["__type"]["kind"] == "SCALAR"
    assert found["__schema"]["mutationType"]["name"] == "RootMutation"
