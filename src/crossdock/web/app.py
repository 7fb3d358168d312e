"""The public site: every URL that no channel and no operating endpoint serves."""

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from crossdock import __version__
from crossdock.compose import Services
from crossdock.gate import (
    FOREVER,
    Assets,
    Gate,
    StaffPage,
    buyer_language,
    create_templates,
    only_shop,
    seller_of,
)
from crossdock.kit.languages import speaking
from crossdock.settings import Told
from crossdock.shop.invoices import PAYMENT_PAGES
from crossdock.shop.media import Media
from crossdock.shop.partners import ChannelFacts, Trials
from crossdock.web import pictures
from crossdock.web.answers import guarded, wants_page
from crossdock.web.console import CONSOLE_TEMPLATES, Console
from crossdock.web.finding import QUERY_MAX, Finder, operations_of
from crossdock.web.guides import INDEX, Guides, inline
from crossdock.web.images import Images
from crossdock.web.operations import TriedDoor
from crossdock.web.paying import PaymentPages
from crossdock.web.tags import Kept, answer, kept
from crossdock.web.tracking import Tracking
from crossdock.web.videos import Videos

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Swagger UI fetches the OpenAPI document.
REFERENCE_POLICY = f"{CONTENT_POLICY}; connect-src 'self'"
_PICTURE = re.compile(r"([0-9]{1,9})\.svg", re.ASCII)
_REVALIDATE = "no-cache"
_HTML = "text/html; charset=utf-8"
_PAGES_BELOW = ("/console/", "/docs/", PAYMENT_PAGES)
_STAFF_PAGES_BELOW = ("/console/", "/docs/")

IsReady = Callable[[], Awaitable[bool]]


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as the site shows it; `openapi` returns its OpenAPI 3.1 document.

    `signing_script` signs the calls that the API reference sends, `trials` those that staff send.
    """

    name: str
    paths: tuple[str, ...]
    openapi: Callable[[], dict[str, Any]] | None = None
    signing_script: Path | None = None
    trials: Trials | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as the landing page shows it."""

    name: str
    title: str
    description: str
    paths: tuple[str, ...]
    has_guide: bool
    has_reference: bool


class Site:
    """Landing page, guides, API reference, parcel tracking, static files, images, videos, the 404 page."""

    def __init__(
        self,
        doors: Sequence[Door],
        *,
        is_ready: IsReady,
        sends: ASGIApp,
        services: Services,
        gate: Gate,
        media: Callable[[], Media],
        staff_pages: Sequence[StaffPage] = (),
        guides: Mapping[str, Path] | None = None,
        facts: Mapping[str, ChannelFacts] | None = None,
        tell_settings: Callable[[], list[Told]] = list,
        accept_url: Callable[[str], str] | None = None,
    ) -> None:
        self._is_ready = is_ready
        self._db = services.runtime.database
        self._tracking = Tracking(self._db)
        self._images = Images(media)
        self._videos = Videos(media)
        self._assets = Assets(
            further={
                _signing_name(door.name): door.signing_script
                for door in doors
                if door.signing_script
            }
        )
        self._guides = Guides(of_channels=guides)
        self._kept: dict[str, Kept] = {}
        self._index: Finder | None = None
        self._indexing = asyncio.Lock()
        self._doors = {door.name: door for door in doors}
        self._templates = self._environment()
        self._payments = PaymentPages(services, templates=self._templates, source=gate.source)
        self._console = Console(
            gate,
            services=services,
            templates=self._templates,
            staff_pages=staff_pages,
            channels=[door.name for door in doors],
            doors={
                door.name: TriedDoor(openapi=door.openapi, trials=door.trials)
                for door in doors
                if door.openapi and door.trials
            },
            sends=sends,
            facts=facts or {},
            tell_settings=tell_settings,
            accept_url=accept_url,
        )
        self._router = Router(self._routes(), redirect_slashes=False, default=self._missing)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._router(scope, receive, send)
        route = scope.get("endpoint")
        scope["crossdock.route"] = f"web:{route.__name__}" if route else "web:missing"

    def _routes(self) -> list[Route]:
        return [
            Route("/", self.landing),
            Route("/docs", self.to_docs),
            Route("/docs/", self.guide),
            Route("/docs/search", self.search),
            Route("/docs/api/{channel}", self.api),
            Route("/docs/api/{channel}/openapi.json", self.openapi),
            Route("/docs/{name:path}", self.guide),
            Route("/track/{number}", self.parcel),
            Route(f"{PAYMENT_PAGES}{{token}}", self.payment, methods=["GET", "POST"]),
            Route("/static/{name}", self.static),
            Route("/favicon.svg", self.favicon),
            Route("/favicon.ico", self.favicon),
            Route("/demo-media/{name}", self.picture),
            Route("/images/{name}", self.image),
            Route("/videos/{path:path}", self.video),
            Route("/robots.txt", self.robots),
            *self._console.routes(),
        ]

    def _environment(self) -> jinja2.Environment:
        made = create_templates([Path(__file__).parent / "templates", CONSOLE_TEMPLATES])
        made.globals.update(
            asset=self._assets.url,
            version=__version__,
            sections=self._guides.sections,
        )
        made.filters["html"] = Markup
        # the Markdown parser escapes HTML
        made.filters["inline"] = lambda text: Markup(inline(text))  # nosec B704
        return made

    async def landing(self, request: Request) -> Response:
        """The landing page: what this server offers."""
        return self._page(
            request,
            "landing.html",
            cards=self._cards,
            is_ready=await self._is_ready(),
            caching="no-store",
        )

    async def to_docs(self, request: Request) -> Response:
        """Redirect /docs to /docs/."""
        return RedirectResponse("/docs/", status_code=308)

    async def guide(self, request: Request) -> Response:
        """A page of the guides, or a file that belongs to one."""
        name = request.path_params.get("name") or INDEX
        if beside := self._guides.file(name):
            return self._file(request, *beside, caching=_REVALIDATE)
        guide = self._guides.page(name)
        if guide is None:
            return await self._not_found(request)
        url = "/docs/" if name == INDEX else f"/docs/{name}"
        return self._lasting_page(request, url, lambda: ("guide.html", {"guide": guide}))

    async def search(self, request: Request) -> Response:
        """What the words of `q` are found in: sections of the guides, operations of the API references."""
        query = request.query_params.get("q", "").replace("\x00", "").strip()[:QUERY_MAX]
        hits = (await self._finder()).find(query) if query else []
        return self._page(request, "search.html", query=query, hits=hits)

    async def _finder(self) -> Finder:
        """The index, made at the first search in a thread of its own."""
        async with self._indexing:
            if self._index is None:
                self._index = await asyncio.to_thread(self._make_index)
            return self._index

    def _make_index(self) -> Finder:
        documents = {door.name: door.openapi() for door in self._doors.values() if door.openapi}
        operations = (operations_of(*each) for each in documents.items())
        return Finder([*self._guides.passages(), *itertools.chain(*operations)])

    async def api(self, request: Request) -> Response:
        """A channel's API reference: Swagger UI with its OpenAPI document, from which calls can be sent."""
        name = request.path_params["channel"]
        door = self._doors.get(name)
        if door is None or door.openapi is None:
            return await self._not_found(request)
        made, card = door.openapi, self._card
        return self._lasting_page(
            request,
            f"/docs/api/{name}",
            lambda: (
                "api.html",
                {
                    "info": made()["info"],
                    "card": card(door),
                    "signing": _signing_name(name) if door.signing_script else "",
                },
            ),
            policy=REFERENCE_POLICY,
        )

    async def openapi(self, request: Request) -> Response:
        """A channel's OpenAPI document."""
        name = request.path_params["channel"]
        door = self._doors.get(name)
        if door is None or door.openapi is None:
            return await self._not_found(request)
        place, made = f"/docs/api/{name}/openapi.json", door.openapi
        if place not in self._kept:
            body = msgspec.json.format(msgspec.json.encode(made()), indent=2)
            self._kept[place] = kept(body, "application/json")
        return answer(request, self._kept[place], caching=_REVALIDATE)

    async def parcel(self, request: Request) -> Response:
        """The tracking page of a parcel, for anybody who has its number; 404 for every wrong number."""
        parcel = await self._tracking.find(request.path_params["number"])
        if parcel is None:
            return await self._missing_of_shop(request, "parcel_missing.html")
        language = buyer_language(
            request, of_shop=parcel.languages, named=parcel.language, country=parcel.country
        )
        with speaking(language):
            return self._page(
                request, "parcel.html", parcel=parcel, seller=parcel.seller, caching="no-store"
            )

    async def payment(self, request: Request) -> Response:
        """The page where an invoice or an order is paid, for anybody who has its address."""
        return await self._payments.answer(request) or await self._not_found(request)

    async def static(self, request: Request) -> Response:
        """A static file; names with a hash are cached for ever."""
        found = self._assets.find(request.path_params["name"])
        if found is None:
            return await self._not_found(request)
        asset, caching = found
        return self._file(request, asset.body, asset.content_type, caching=caching)

    async def favicon(self, request: Request) -> Response:
        """The icon for the browser's tab."""
        found = self._assets.find("favicon.svg")
        assert found is not None
        return self._file(request, found[0].body, found[0].content_type, caching=found[1])

    async def picture(self, request: Request) -> Response:
        """A product picture of the demo shop, by its number."""
        match = _PICTURE.fullmatch(request.path_params["name"])
        if match is None:
            return await self._not_found(request)
        return self._file(request, pictures.draw(int(match[1])), "image/svg+xml", caching=FOREVER)

    async def image(self, request: Request) -> Response:
        """A file of an image, by its name."""
        return await self._images.answer(request) or await self._not_found(request)

    async def video(self, request: Request) -> Response:
        """A file of a video, by its path."""
        return await self._videos.answer(request) or await self._not_found(request)

    async def robots(self, request: Request) -> Response:
        """Keep search engines out."""
        return self._file(
            request, b"User-agent: *\nDisallow: /\n", "text/plain", caching=_REVALIDATE
        )

    async def _missing(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._not_found(Request(scope, receive))
        await response(scope, receive, send)

    async def _not_found(self, request: Request) -> Response:
        """404 as a page for browsers and below the pages' own addresses, as JSON for programs."""
        is_among_pages = request.url.path.startswith(_PAGES_BELOW)
        if not wants_page(request.headers, unless_json=is_among_pages):
            body = {"error": {"code": "not_found", "message": "It does not exist."}}
            return JSONResponse(body, status_code=404, headers={"Cache-Control": "no-store"})
        if request.url.path.startswith(_STAFF_PAGES_BELOW):
            return self._page(request, "not_found.html", status=404, caching="no-store")
        return await self._missing_of_shop(request, "nothing_here.html", neutral="not_found.html")

    async def _missing_of_shop(
        self, request: Request, template: str, *, neutral: str = ""
    ) -> Response:
        """A 404 for a buyer, in the name of the server's only shop; `neutral` where there are several."""
        shop = await only_shop(self._db)
        if shop is None and neutral:
            return self._page(request, neutral, status=404, caching="no-store")
        with speaking(buyer_language(request, of_shop=shop.languages if shop else ())):
            return self._page(
                request,
                template,
                status=404,
                caching="no-store",
                seller=seller_of(shop) if shop else None,
            )

    def _lasting_page(
        self,
        request: Request,
        url: str,
        make: Callable[[], tuple[str, dict[str, object]]],
        *,
        policy: str = CONTENT_POLICY,
    ) -> Response:
        """A page that changes only with the version: rendered once per process and URL."""
        if url not in self._kept:
            template, values = make()
            html = self._templates.get_template(template).render({"current": url, **values})
            self._kept[url] = kept(html.encode(), _HTML)
        return guarded(answer(request, self._kept[url], caching=_REVALIDATE), policy=policy)

    def _page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        caching: str = _REVALIDATE,
        **values: object,
    ) -> Response:
        values = {"current": request.url.path, **values}
        html = self._templates.get_template(template).render(values)
        response = self._file(request, html.encode(), _HTML, caching=caching)
        if response.status_code == 200:
            response.status_code = status
        return guarded(response, policy=CONTENT_POLICY)

    def _file(self, request: Request, body: bytes, media_type: str, *, caching: str) -> Response:
        return answer(request, kept(body, media_type), caching=caching)

    @cached_property
    def _cards(self) -> list[Card]:
        """The cards of all channels, made once: each asks for a whole OpenAPI document."""
        return [self._card(door) for door in self._doors.values()]

    def _card(self, door: Door) -> Card:
        info = door.openapi()["info"] if door.openapi else {}
        return Card(
            name=door.name,
            title=info.get("title", door.name),
            description=info.get("description", ""),
            paths=door.paths,
            has_guide=self._guides.page(f"channels/{door.name}") is not None,
            has_reference=door.openapi is not None,
        )


def _signing_name(channel: str) -> str:
    return f"{channel}-signing.js"
