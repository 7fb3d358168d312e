"""Malformed requests of GraphQL: documents, bodies of JSON, and multipart bodies."""

import gzip
import json
import random
import re
from collections.abc import Callable
from typing import Any

from proof.malformed import ODD_VALUES
from tests.support.pictures import photo

Body = tuple[str, bytes]
"""A Content-Type and a body."""

JSON, BOUNDARY = "application/json", "xyz"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
UPLOAD = "mutation up($image: File!) { uploadImage(file: $image) { image { id checksum } } }"
IMAGE = photo(8, 6)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[_A-Za-z][_0-9A-Za-z]*|-?[0-9.eE+-]+|\.\.\.|\S|\s+')
_PIECES = (
    *("{", "}", "(", ")", "[", "]", ":", "!", "$", "@", "=", "|", "&", "...", "...on", "#", ","),
    *("on", "query", "mutation", "subscription", "fragment", "null", "true", "__typename", "$x"),
    *('"', '""', '"""', '"\\u0000"', '"\\uD800"', '"\\u{110000}"', '"\\x"', '"\\uD83D\\uDE00"'),
    *(
        "0",
        "-1",
        "007",
        "1e400",
        "2147483648",
        "-2147483649",
        "9" * 5_000,
        "1.5",
        "\ufeff",
        "\u2028",
    ),
    *(
        "@skip(if: true)",
        "@include",
        "@deprecated",
        "{ a: 1 }",
        "[[]]",
        "schema { query: RootQuery }",
    ),
    *("[" * 600, "{ a " * 600, "...a" * 300, "\0", "\x7f", "\U0001f600", "type Query { a: Int }"),
)


def odd_document(document: str, rng: random.Random) -> str:
    """A document with some of its words put elsewhere, left out, doubled, or replaced."""
    words = _TOKEN.findall(document) or [""]
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(words))
        way = rng.randrange(5)
        if way == 0:
            words[at] = rng.choice(_PIECES)
        elif way == 1:
            words.insert(at, rng.choice(_PIECES))
        elif way == 2:
            words[at] = ""
        elif way == 3:
            words[at] = words[rng.randrange(len(words))]
        else:
            words = words[: at + 1]
    return "".join(words)


def odd_body(document: str, variables: dict[str, Any], rng: random.Random) -> Body:
    """A body with a document, in one of many ways that are wrong, or nearly right."""
    return rng.choice(_WAYS)(document, variables, rng)


def plain_body(document: str, variables: dict[str, Any]) -> Body:
    """The body that a client of GraphQL sends."""
    return JSON, json.dumps({"query": document, "variables": variables}).encode()


def _odd_variable(document: str, variables: dict[str, Any], rng: random.Random) -> Body:
    """Another value somewhere among the variables, as raw JSON."""
    text = json.dumps({"query": document, "variables": variables})
    return JSON, _replaced(text, rng.choice(ODD_VALUES), rng).encode("utf-8", "surrogatepass")


def _replaced(text: str, value: str, rng: random.Random) -> str:
    """The JSON with one of its plain values replaced by another text."""
    places = list(re.finditer(r'(?<=: )("(?:[^"\\]|\\.)*"|-?\d+|null|true|false)', text))
    if not places:
        return text + value
    found = rng.choice(places)
    return text[: found.start()] + value + text[found.end() :]


def _odd_name(document: str, variables: dict[str, Any], rng: random.Random) -> Body:
    names: list[Any] = ["", "nobody", "a" * 50_000, None, 7, [], {}, "\u0000", "__typename"]
    made = {"query": document, "variables": variables, "operationName": rng.choice(names)}
    return JSON, json.dumps(made).encode()


def _nested(document: str, _variables: dict[str, Any], rng: random.Random) -> Body:
    """Variables that are nested as deep as JSON is read, and somewhat deeper."""
    depth = rng.choice([50, rng.randrange(200, 1_100), 20_000])
    opening, closing = rng.choice([("[", "]"), ('{"a":', "}")])
    inner = rng.choice(['"\\u0041"', "1", "null", '"\\ud800"'])
    nested = opening * depth + inner + closing * depth
    text = f'{{"query": {json.dumps(document)}, "variables": {{"id": {nested}}}}}'
    return JSON, text.encode()


def _flipped(document: str, variables: dict[str, Any], rng: random.Random) -> Body:
    kind, body = rng.choice([plain_body(document, variables), form(document, variables)])
    changed = bytearray(body)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return kind, bytes(changed)


def _cut(document: str, variables: dict[str, Any], rng: random.Random) -> Body:
    kind, body = rng.choice([plain_body(document, variables), form(document, variables)])
    return kind, body[: rng.randrange(len(body))]


def _otherwise(document: str, variables: dict[str, Any], rng: random.Random) -> Body:
    """The right body in another encoding, under another label, or not alone."""
    body = plain_body(document, variables)[1]
    ways: tuple[Body, ...] = (
        (JSON, body.decode().encode("utf-16")),
        (JSON, b"\xef\xbb\xbf" + body),
        (JSON, gzip.compress(body, mtime=0)),
        (JSON, b"[" + body + b"]"),
        (JSON, body + body),
        (JSON, body[:-1] + b', "query": 1}'),
        (JSON, body[:-1] + b', "extensions": {"persistedQuery": {"version": 1}}}'),
        (JSON, b'{"a": ' * 5_000),
        ("application/graphql", document.encode("utf-8", "replace")),
        ("application/json; charset=utf-16", body),
        ("application/json, text/html", body),
        ("application/x-www-form-urlencoded", b"query=" + body),
        (MULTIPART, body),
        ("multipart/form-data", form(document, variables)[1]),
        ("multipart/form-data; boundary=" + "b" * 300, form(document, variables)[1]),
        ('multipart/form-data; boundary="', form(document, variables)[1]),
        ("", body),
    )
    return rng.choice(ways)


def form(document: str, variables: dict[str, Any]) -> Body:
    """A form without a file."""
    operations = json.dumps({"query": document, "variables": variables}).encode()
    return MULTIPART, parts([("operations", operations), ("map", b"{}")])


def parts(given: list[tuple[str, bytes]], *, file: str = "0") -> bytes:
    """A multipart body of these parts; `file` is the name of the one with a file name."""
    made = b""
    for name, content in given:
        told = '; filename="a.jpg"' if name == file else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{told}\r\n\r\n'
        made += head.encode("utf-8", "replace") + content + b"\r\n"
    return made + f"--{BOUNDARY}--\r\n".encode()


_MAPS = (
    *('{"0": ["variables.image"]}', "{}", "[]", "null", '{"0": []}', '{"0": "variables.image"}'),
    *('{"0": ["variables"]}', '{"0": ["image"]}', '{"0": ["variables.other"]}', '{"0": [1]}'),
    *('{"1": ["variables.image"]}', '{"0": ["variables.\\ud800"]}', '{"0": ["variables.image.0"]}'),
    *('{"0": ["variables.image", "variables.image"]}', '{"": ["variables.image"]}', "{", "\0"),
    *(f'{{"0": ["variables.image.{"0" * 5_000}"]}}', f'{{"0": ["variables{".a" * 5_000}"]}}'),
    *('{"0": ["variables.images.0"]}', '{"0": ["variables.images.00"]}', "[" * 5_000),
    '{"0": ["variables.images.-1"]}',
)


def _upload(_document: str, variables: dict[str, Any], rng: random.Random) -> Body:
    """An upload by the convention, with an odd map, odd variables, or a file that is none."""
    image = {**variables, "image": rng.choice([None, None, "x", [None], {}]), "images": [None]}
    operations = json.dumps({"query": UPLOAD, "variables": image}).encode()
    changed = bytearray(IMAGE)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    files = (
        IMAGE,
        bytes(changed),
        IMAGE[: rng.randrange(len(IMAGE))],
        b"",
        b"x",
        b"GIF89a",
        b"\0" * 9_000,
    )
    named = [
        ("operations", operations),
        ("map", rng.choice(_MAPS).encode()),
        ("0", rng.choice(files)),
    ]
    if rng.random() < 0.3:
        rng.shuffle(named)
    if rng.random() < 0.2:
        named.append(rng.choice(named))
    return MULTIPART, parts(named)


def _free_form(document: str, variables: dict[str, Any], rng: random.Random) -> Body:
    """A form without `operations`."""
    written = json.dumps(variables).encode()
    named = [
        (
            "query",
            rng.choice([UPLOAD, document, "", "\0", "$a: File!" * 500]).encode("utf-8", "replace"),
        ),
        (
            "variables",
            rng.choice([written, b"{", b"[]", b'{"image": "x"}', b'"\\ud800"', b"[" * 5_000]),
        ),
        ("operationName", rng.choice([b"", b"up", b"\xff", b"x" * 9_000])),
        (rng.choice(["file", "image", "other", ""]), rng.choice([IMAGE, b"", b"x"])),
    ]
    rng.shuffle(named)
    return MULTIPART, parts(named[: rng.randint(1, 4)], file=rng.choice(["file", "image"]))


_WAYS: tuple[Callable[[str, dict[str, Any], random.Random], Body], ...] = (
    lambda document, variables, _rng: plain_body(document, variables),
    lambda document, variables, _rng: form(document, variables),
    *(_odd_variable, _odd_variable, _odd_name, _nested, _flipped, _cut, _otherwise),
    *(_upload, _upload, _free_form),
)
