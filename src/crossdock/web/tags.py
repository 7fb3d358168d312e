"""Entity tags of what a browser may have already."""

import hashlib

import msgspec
from starlette.requests import Request
from starlette.responses import Response


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered page or document with its entity tag."""

    body: bytes
    media_type: str
    tag: str


def kept(body: bytes, media_type: str) -> Kept:
    """The document with its tag."""
    return Kept(body=body, media_type=media_type, tag=f'"{hashlib.sha256(body).hexdigest()[:16]}"')


def answer(request: Request, document: Kept, *, caching: str) -> Response:
    """The document, or 304 Not Modified if the caller's entity tag matches."""
    headers = {"Cache-Control": caching, "ETag": document.tag}
    if caching != "no-store" and is_known(request, document.tag):
        return Response(status_code=304, headers=headers)
    headers["Content-Length"] = str(len(document.body))
    content = b"" if request.method == "HEAD" else document.body
    return Response(content, headers=headers, media_type=document.media_type)


def is_known(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` has the tag."""
    known = request.headers.get("if-none-match", "")
    return tag in {each.strip().removeprefix("W/") for each in known.split(",")}
