"""The files of images, under `/images/<name>`: cached for ever, because a name never changes its content.

The bytes come from a partner or a merchant. They were decoded before they were kept, and the headers
keep a browser from taking them for anything but a picture.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from crossdock.gate import FOREVER
from crossdock.shop.media import Media, open_image, read_name
from crossdock.web.tags import is_known

_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}
_POLICY = "default-src 'none'; sandbox"


class Images:
    """Answers requests for images; the service is made with the first one."""

    def __init__(self, media: Callable[[], Media]) -> None:
        self._media = media

    async def answer(self, request: Request) -> Response | None:
        """The file, or 304 where the caller has it; None if there is none."""
        name = read_name(request.path_params["name"])
        if name is None:
            return None
        headers = {
            "Cache-Control": FOREVER,
            "ETag": f'"{name.text}"',
            "Content-Security-Policy": _POLICY,
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if is_known(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        file = await open_image(self._media(), name)
        if file is None:
            return None
        headers["Content-Length"] = str(file.size)
        if request.method == "HEAD":
            return Response(headers=headers, media_type=_TYPES[name.format])
        return StreamingResponse(file.pieces, headers=headers, media_type=_TYPES[name.format])
