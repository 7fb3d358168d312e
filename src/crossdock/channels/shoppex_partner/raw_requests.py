"""Parses an HTTP request pasted from a log, or from `curl -v`."""

import re

import msgspec

from crossdock.errors import Invalid
from crossdock.kit.numbers import read_number

_START = re.compile(r"([A-Z]+) (\S+) HTTP/[0-9.]+")
_PREFIX = "x-shoppex-"


class RawRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Method, path, lower-case headers and body; '' for what the text lacks."""

    method: str = ""
    path: str = ""
    headers: dict[str, str] = {}
    body: bytes = b""

    def header(self, name: str) -> str:
        """One of the four signed headers, by the last part of its name."""
        return self.headers.get(_PREFIX + name, "")

    def with_changes(
        self, *, method: str, headers: dict[str, str], body: bytes | None
    ) -> "RawRequest":
        """The same request with the given parts replaced; '' and None change nothing."""
        given = {_PREFIX + name: value for name, value in headers.items() if value}
        return RawRequest(
            method=method.upper() or self.method or "GET",
            path=self.path,
            headers=self.headers | given,
            body=self.body if body is None else body,
        )


def parse_request(text: bytes) -> RawRequest:
    """Parse a request. Raises Invalid `invalid_input` if there is no request line.

    In the output of `curl -v` only lines that begin with '> ' count, and there is no body. A
    Content-Length cuts off what an editor appended to the body.
    """
    head, body = _split(text)
    lines = head.decode("latin-1").splitlines()
    is_curl = any(line.startswith("> ") for line in lines)
    if is_curl:
        lines = [line[2:] for line in lines if line.startswith("> ")]
    for number, line in enumerate(lines):
        if match := _START.fullmatch(line.strip()):
            headers = _headers(lines[number + 1 :])
            path = match[2].partition("?")[0]
            return RawRequest(
                method=match[1],
                path=path,
                headers=headers,
                body=b"" if is_curl else _cut(body, headers=headers),
            )
    raise Invalid("invalid_input", "There is no line like 'GET /path HTTP/1.1' in the request.")


def _split(text: bytes) -> tuple[bytes, bytes]:
    """The head and the body, at the first empty line after the request line."""
    match = re.search(rb"\r\n\r\n|\n\n", text.lstrip())
    if match is None:
        return text, b""
    stripped = text.lstrip()
    return stripped[: match.start()], stripped[match.end() :]


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _cut(body: bytes, *, headers: dict[str, str]) -> bytes:
    length = headers.get("content-length", "")
    return body[: read_number(length)]
