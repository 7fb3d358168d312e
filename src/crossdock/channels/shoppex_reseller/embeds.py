"""`/embed/v1`: what embed campaigns show on other people's pages, for browsers and without a key (spec section 6.8).

| path | |
|---|---|
| GET /widget.js | the script that a page includes |
| GET /campaigns/{token} | the campaign's products, for any page's script |
| POST /campaigns/{token}/views | it was shown |
| GET /campaigns/{token}/products/{id} | leads to the product in the shop, with the token as its code |

No cookie is set or read, and the answers are the same for everybody. Calls are counted for each address, as those of
every door without a key, and here for each campaign. Nothing is shown of a shop that is suspended.
"""

from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from crossdock.channels.contract import Handler
from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds, WireIds
from crossdock.channels.shoppex_reseller.wire import text
from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound
from crossdock.kit.clock import Clock
from crossdock.kit.pacing import Pacer
from crossdock.shop.resellers import Embed, EmbedProduct, count_seen, read_embed

EMBED: Final = "/embed/v1"
CODE: Final = "affiliate_code"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Robots-Tag": "noindex",
}
# Pages of any origin may read these, without cookies.
_OPEN: Final = {
    **_HEADERS,
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_SCRIPT: Final = files("crossdock.channels.shoppex_reseller").joinpath("static/widget.js")
_TOKEN_LENGTH_MAX: Final = 100


class Embeds:
    """Answers the paths below EMBED."""

    def __init__(self, db: Database, *, clock: Clock, ids: ShopIds, calls_per_minute: int) -> None:
        self._campaigns = Pacer(clock, per_minute=calls_per_minute)
        self._db = db
        self._clock = clock
        self._ids = ids
        self._script = _SCRIPT.read_bytes()

    def build_app(self) -> ASGIApp:
        """The application."""
        one = f"{EMBED}/campaigns/{{token}}"
        return Starlette(
            routes=[
                Route(f"{EMBED}/widget.js", self._widget, methods=["GET"]),
                Route(one, self._paced(self._campaign), methods=["GET"]),
                Route(f"{one}/views", self._paced(self._view), methods=["POST"]),
                Route(f"{one}/products/{{id}}", self._paced(self._follow), methods=["GET"]),
            ],
            exception_handlers={HTTPException: _refused},
        )

    def _paced(self, handler: Handler) -> Handler:
        """The handler, for a campaign that is not asked for too often; nothing is read or counted of one that is."""

        async def handle(request: Request) -> Response:
            pace = self._campaigns.take(_token(request))
            if pace and pace.retry_after_s:
                return _too_often(pace.retry_after_s)
            return await handler(request)

        return handle

    async def _widget(self, request: Request) -> Response:
        headers = {**_OPEN, "Cache-Control": "public, max-age=3600"}
        return Response(self._script, media_type="text/javascript", headers=headers)

    async def _campaign(self, request: Request) -> Response:
        found = await self._read(request)
        if found is None:
            return _missing()
        embed, ids = found
        shown = {
            "shop": embed.shop_name,
            "currency": embed.currency,
            "products": [_show(each, embed, ids) for each in embed.products],
        }
        return JSONResponse({"data": shown}, headers={**_OPEN, "Cache-Control": "no-cache"})

    async def _view(self, request: Request) -> Response:
        async with self._db.statement() as tx:
            await count_seen(tx, token=_token(request), seen="view", now=self._clock.now())
        return Response(status_code=204, headers={**_OPEN, "Cache-Control": "no-store"})

    async def _follow(self, request: Request) -> Response:
        """Count and lead on; GET alone, so that looking whether the address is there counts nothing."""
        found = await self._read(request) if request.method == "GET" else None
        if found is None:
            return _missing()
        embed, ids = found
        number = ids.find(Kind.PRODUCT, request.path_params["id"])
        pages = [each.page for each in embed.products if each.id == number and each.page]
        if not pages:
            return _missing()
        token = _token(request)
        async with self._db.statement() as tx:
            await count_seen(tx, token=token, seen="click", now=self._clock.now())
        headers = {**_HEADERS, "Cache-Control": "no-store"}
        return RedirectResponse(with_code(pages[0], token), status_code=303, headers=headers)

    async def _read(self, request: Request) -> tuple[Embed, WireIds] | None:
        try:
            async with self._db.statement() as tx:
                embed = await read_embed(tx, token=_token(request), now=self._clock.now())
        except NotFound:
            return None
        return embed, await self._ids.of(embed.shop_id)


def snippet(public_url: str, token: str) -> str:
    """What a page includes to show a campaign."""
    return f'<script src="{public_url}{EMBED}/widget.js" data-campaign="{token}" async></script>'


def with_code(page: str, token: str) -> str:
    """The page's address with the campaign's token as the code that its order is to name."""
    parts = urlsplit(page)
    query = [
        (name, each)
        for name, each in parse_qsl(parts.query, keep_blank_values=True)
        if name != CODE
    ]
    return urlunsplit(parts._replace(query=urlencode([*query, (CODE, token)])))


def _token(request: Request) -> str:
    """The token of the path; '' for a text that is none."""
    token = str(request.path_params["token"])
    is_odd = len(token) > _TOKEN_LENGTH_MAX or not token.isascii() or not token.isprintable()
    return "" if is_odd else token.lower()


def _show(product: EmbedProduct, embed: Embed, ids: WireIds) -> dict[str, Any]:
    return {
        "id": ids.write(Kind.PRODUCT, product.id),
        "title": product.name,
        "price": text(product.price_minor, embed.currency),
        "available": product.is_available,
        "has_page": bool(product.page),
    }


async def _refused(request: Request, error: Exception) -> Response:
    """For what no route is there, or not with this method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return Response(status_code=status, headers=_HEADERS)


def _too_often(retry_after_s: int) -> Response:
    told = {"error": {"code": "RATE_LIMITED", "message": "The campaign is asked for too often."}}
    headers = {**_OPEN, "Cache-Control": "no-store", "Retry-After": str(retry_after_s)}
    return JSONResponse(told, status_code=429, headers=headers)


def _missing() -> Response:
    told = {"error": {"code": "NOT_FOUND", "message": "There is no such campaign or product."}}
    return JSONResponse(told, status_code=404, headers={**_OPEN, "Cache-Control": "no-store"})
