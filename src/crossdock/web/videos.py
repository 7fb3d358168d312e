"""The files of videos, under `/videos/<path>`: cached for ever, as those of images, and served in ranges.

A player of another site may read them, since it takes the pieces of a rendition by itself.
"""

import re
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from crossdock.gate import FOREVER
from crossdock.shop.media import Media, find_video_file, open_video
from crossdock.web.tags import is_known

_TYPES: Final = {"mp4": "video/mp4", "m3u8": "application/vnd.apple.mpegurl"}
_POLICY: Final = "default-src 'none'; media-src 'self'; sandbox"
_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


class Videos:
    """Answers requests for videos; the service is made with the first one."""

    def __init__(self, media: Callable[[], Media]) -> None:
        self._media = media

    async def answer(self, request: Request) -> Response | None:
        """The file, or the range of it that is asked for; None if there is none.

        A range that begins behind the end is 416; several ranges, one that cannot be read, and any range
        of a HEAD are the whole file (RFC 9110, 14.2).
        """
        path = request.path_params["path"]
        headers = {
            "Cache-Control": FOREVER,
            "ETag": f'"{path}"',
            "Accept-Ranges": "bytes",
            "Content-Security-Policy": _POLICY,
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Access-Control-Allow-Origin": "*",
        }
        if is_known(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        found = await find_video_file(self._media(), path)
        if found is None:
            return None
        size = found.size
        kind = _TYPES[path.rpartition(".")[2]]
        if request.method == "HEAD":
            headers["Content-Length"] = str(size)
            return Response(headers=headers, media_type=kind)
        span = _span(request, size, tag=headers["ETag"])
        start, end = span or (0, size)
        if span and start >= end:
            unmet = headers | {"Content-Range": f"bytes */{size}"}
            return Response(status_code=416, headers=unmet)
        if span:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        file = await open_video(self._media(), found, span=span)
        if file is None:
            return None
        headers["Content-Length"] = str(end - start)
        return StreamingResponse(
            file.pieces, status_code=206 if span else 200, headers=headers, media_type=kind
        )


def _span(request: Request, size: int, *, tag: str) -> tuple[int, int] | None:
    """The bytes that are asked for, from the first up to the second; None for all of them."""
    match = _RANGE.fullmatch(request.headers.get("range", ""))
    if match is None or request.headers.get("if-range", tag) != tag or match[1] == match[2] == "":
        return None
    if match[1] == "":
        return max(0, size - int(match[2])), size
    start = int(match[1])
    end = min(size, int(match[2]) + 1) if match[2] else size
    if match[2] and int(match[2]) < start:
        return None
    return start, end
