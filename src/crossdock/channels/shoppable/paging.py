"""The addresses of the pages before and after one (spec 4.5)."""

import re
from urllib.parse import unquote_plus, urlsplit

from starlette.requests import Request

_HOST = re.compile(r"[A-Za-z0-9.\-]+(:[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?", re.ASCII)


class Paging:
    """Makes the addresses, with the host as it was asked."""

    def __init__(self, *, public_url: str) -> None:
        self._public = urlsplit(public_url)

    def urls(self, request: Request, *, rows: int, offset: int, count: int) -> tuple[str, str]:
        """The previous page and the next one, each '' where there is none."""
        previous = following = ""
        if rows and offset:
            previous = self._url(request, rows=rows, offset=max(0, offset - rows))
        if rows and offset + rows < count:
            following = self._url(request, rows=rows, offset=offset + rows)
        return previous, following

    def _url(self, request: Request, *, rows: int, offset: int) -> str:
        host = request.headers.get("host", "")
        if not _HOST.fullmatch(host):
            host = self._public.netloc
        is_secure = "https" in (request.scope["scheme"], self._public.scheme)
        query = turned(request.scope["query_string"].decode("latin-1"), rows=rows, offset=offset)
        return f"{'https' if is_secure else 'http'}://{host}{request.scope['path']}?{query}"


def turned(query: str, *, rows: int, offset: int) -> str:
    """The same parameters in the same order, of another page."""
    pieces = [piece for piece in query.split("&") if piece]
    names = [unquote_plus(piece.partition("=")[0]) for piece in pieces]
    for name, value in (("offset", offset), ("rows", rows)):
        if name not in names:
            pieces.append(f"{name}={value}")
        elif name == "offset":
            pieces[names.index(name)] = f"offset={value}"
    return "&".join(pieces)
