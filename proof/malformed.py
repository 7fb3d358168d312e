"""Malformed requests: bodies, and bytes that are not HTTP."""

import gzip
import json
import random
import string
from collections.abc import Callable

Bodies = Callable[[random.Random, int], bytes]

DEEP = 20_000
OVER_LIMIT = 300_000


def _valid(variant_id: int, rng: random.Random) -> bytes:
    document = {
        "items": [{"product_id": variant_id, "quantity": 1}],
        "id_order_partner": f"F-{rng.randrange(10**12)}",
        "comments": "ä – \u2028 ok",
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _with(variant_id: int, rng: random.Random, **changes: str) -> bytes:
    """A valid order with raw JSON in place of some values."""
    parts = {
        "product_id": str(variant_id),
        "quantity": "1",
        "number": f'"F-{rng.randrange(10**12)}"',
        "extra": "",
        **changes,
    }
    return (
        '{{"items":[{{"product_id":{product_id},"quantity":{quantity}}}],'
        '"id_order_partner":{number}{extra}}}'.format(**parts)
    ).encode("utf-8", "surrogatepass")


ODD_VALUES = (
    *("null", "true", "false", "[]", "{}", '""', '" "', "0", "-0", "-1", "1.5", "1e400", "-1e-400"),
    *("NaN", "Infinity", "1" * 5_000, "9" * 19, "9" * 20, "1.0", "01", "+1", "0x1", '"1e3"'),
    *('"\\u0000"', '"\\ud800"', '"\u202e"', '"' + "x" * 300 + '"', '"١"', "18446744073709551616"),
)


def malformed_body(variant_id: int, rng: random.Random) -> bytes:
    """One of many malformed bodies."""
    valid = _valid(variant_id, rng)
    return rng.choice(_WAYS)(valid, variant_id, rng)


_WAYS: tuple[Callable[[bytes, int, random.Random], bytes], ...] = (
    lambda body, _v, rng: body[: rng.randrange(len(body))],
    lambda body, _v, rng: _flipped(body, rng),
    lambda body, _v, rng: bytes(rng.randrange(256) for _ in range(rng.randrange(200))),
    lambda body, _v, rng: body.decode().encode(rng.choice(["utf-16", "utf-32", "utf-8-sig"])),
    lambda body, _v, rng: body.decode().encode("latin-1", "replace"),
    lambda body, _v, _r: body.replace(b"ok", b"\xff\xfe\xc0\xaf"),
    lambda body, _v, _r: body[:-1] + b',"items":[]}',
    lambda body, _v, rng: rng.choice([b"[", b'{"a":']) * DEEP,
    lambda body, _v, _r: b"[" * 50 + body + b"]" * 50,
    lambda body, _v, _r: b"x" * OVER_LIMIT,
    lambda body, _v, _r: gzip.compress(body, mtime=0),
    lambda body, _v, rng: rng.choice([b"", b" ", b"null", b"0", b'""', b"[]", b"{}", b"\x00"]),
    lambda _b, v, rng: _with(v, rng, product_id=rng.choice(ODD_VALUES)),
    lambda _b, v, rng: _with(v, rng, quantity=rng.choice(ODD_VALUES)),
    lambda _b, v, rng: _with(v, rng, number=rng.choice(ODD_VALUES)),
    lambda _b, v, rng: _with(v, rng, extra=f',"comments":{rng.choice(ODD_VALUES)}'),
    lambda _b, v, rng: _with(v, rng, extra=f',"tax_id":{rng.choice(ODD_VALUES)}'),
    lambda _b, v, rng: _with(v, rng, quantity='1},{"product_id":7,"quantity":1' * 250),
)


def _flipped(body: bytes, rng: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.randint(1, 6)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def broken_http(path: str, rng: random.Random) -> bytes:
    """Bytes for a raw socket; they may only lead to a 4xx or a closed connection."""
    start = f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode()
    post = f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode()
    ways = (
        bytes(rng.randrange(256) for _ in range(rng.randint(1, 400))),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        f"GET {path}\r\n\r\n".encode(),
        f"GET {path} HTTP/9.9\r\n\r\n".encode(),
        start.replace(b"GET", rng.choice([b"get", b"FOO", b"G\x00T", b"TRACE", b"CONNECT"]))
        + b"\r\n",
        start.replace(path.encode(), b"/" + b"a" * 100_000) + b"\r\n",
        start.replace(path.encode(), path.encode() + b"\x00\xff") + b"\r\n",
        start.replace(path.encode(), b"/wp-json/../../etc/passwd") + b"\r\n",
        start.replace(path.encode(), b"/wp-json/%00%ff%2e%2e/") + b"\r\n",
        start + b"X-Big: " + b"a" * 200_000 + b"\r\n\r\n",
        start + b"".join(b"X-%d: 1\r\n" % n for n in range(5_000)) + b"\r\n",
        start + b"X Bad Name: 1\r\n\r\n",
        start + b"X-Fold: a\r\n b\r\n\r\n",
        start + b"X-Shoppex-Key: \x00\x01\xff\r\n\r\n",
        post + b"Content-Length: -1\r\n\r\n",
        post + b"Content-Length: 99999999999999999999\r\n\r\n",
        post + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
        post + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        post
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"4e20\r\n"
        + b"x" * 20_000
        + b"\r\n0\r\n\r\n",
        post + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        post + b"Content-Length: 1000\r\n\r\n" + b"{",
        post + b"Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}",
    )
    return rng.choice(ways)


def header_noise(rng: random.Random) -> dict[str, str]:
    """Further headers that a fuzzing client might send along."""
    letters = string.ascii_letters + string.digits + " ;=,*/+%"
    names = (
        "Accept-Encoding",
        "Accept",
        "If-None-Match",
        "X-HTTP-Method-Override",
        "Range",
        "Cookie",
    )
    return {
        name: "".join(rng.choices(letters, k=rng.randrange(60)))
        for name in rng.sample(names, rng.randint(0, 4))
    }
