"""GET /v3/catalog: search, filters, navigation and pages (spec section 4)."""

import hashlib
import time
from collections.abc import Hashable
from datetime import date
from typing import cast

import msgspec
import structlog
from msgspec import structs
from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.shoppable import navigation
from crossdock.channels.shoppable.answers import (
    WireCatalogue,
    WireMetadata,
    WireNavigation,
    WireProduct,
)
from crossdock.channels.shoppable.auth import Authenticator
from crossdock.channels.shoppable.errors import search_failed
from crossdock.channels.shoppable.paging import Paging
from crossdock.channels.shoppable.parameters import (
    ROWS,
    ROWS_MAX,
    SORTS,
    Asked,
    read_catalogue,
    read_parameters,
    too_costly,
)
from crossdock.channels.shoppable.routes import Operation, Route, parameter
from crossdock.channels.shoppable.shelf import Shelf
from crossdock.channels.shoppable.showing import COUPON_TYPES
from crossdock.channels.shoppable.wire import answered, encoded
from crossdock.errors import CrossdockError, Invalid
from crossdock.kit.kept import Kept
from crossdock.shop.catalogue import offer_key
from crossdock.shop.partners import Credential, Partner
from crossdock.shop.search import (
    OFFSET_MAX,
    Found,
    Operator,
    Scope,
    Searching,
    SearchRequest,
)

log = structlog.get_logger("crossdock.shoppable")

PATH = "/v3/catalog"
PERMISSION = "catalog.read"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page as rendered: `ids` are the products that the index found in its state, `products` those of them
    that the caller sees, as of a stamp. A request adds its addresses and its time."""

    state: Hashable
    rows: int
    offset: int
    ids: tuple[int, ...]
    count: int
    as_of: int
    navigation: bytes
    stamp: int = -1
    returned: int = 0
    products: bytes = b""

    def content_bytes(self) -> int:
        """The memory of its content; a product's id takes 40 bytes."""
        return len(self.navigation) + len(self.products) + 40 * len(self.ids)


class Catalogue:
    """The catalogue's call.

    A page is kept with everything that decides it: the caller's terms, the query string, the state of the
    index, and the stamp up to which no product of it changed.
    """

    def __init__(
        self,
        shelf: Shelf,
        *,
        searching: Searching,
        paging: Paging,
        operator: Operator,
        memory_bytes: int,
    ) -> None:
        self._shelf = shelf
        self._searching = searching
        self._paging = paging
        self._operator = operator
        self._pages: Kept[Hashable, Page] = Kept(bytes_max=memory_bytes)

    def routes(self, authenticator: Authenticator) -> tuple[Route, ...]:
        """The route of the call."""
        handler = authenticator.guarded_reader(self.browse, permission=PERMISSION)
        return (Route(method="GET", path=PATH, handler=handler, operation=BROWSE),)

    async def browse(self, request: Request, credential: Credential, version: int) -> Response:
        """A page of the products that match."""
        started = time.perf_counter()
        partner = credential.partner
        stamp = await self._shelf.changes.catch_up(partner.shop_id, version=version)
        page = await self._page(request.scope["query_string"], credential, stamp=stamp)
        previous, following = self._paging.urls(
            request, rows=page.rows, offset=page.offset, count=page.count
        )
        return answered(
            WireCatalogue(
                metadata=WireMetadata(
                    rows=page.rows, offset=page.offset, returned=page.returned, as_of=page.as_of
                ),
                count=page.count,
                query_time=round((time.perf_counter() - started) * 1000),
                navigation=cast(WireNavigation, msgspec.Raw(page.navigation)),
                previous_page_url=previous,
                next_page_url=following,
                products=cast(list[WireProduct], msgspec.Raw(page.products)),
            )
        )

    async def _page(self, query: bytes, credential: Credential, *, stamp: int) -> Page:
        """The page as of now; one that is shuffled is of a caller and a day."""
        partner = credential.partner
        day = self._shelf.clock.now().astimezone(partner.zone).date()
        plain = (offer_key(partner), query)
        shuffled = (*plain, credential.public_key, day)
        state = self._searching.state(partner.shop_id)
        for key in (plain, shuffled):
            known = self._pages.get(key)
            if known is not None and known.state == state:
                break
        else:
            asked, seed = self._asked(query, credential, day=day)
            found = await self._found(asked, partner=partner, seed=seed)
            known = _unfilled(asked, found, state=state)
            key = shuffled if asked.sort == "random" else plain
        page = await self._filled(known, partner=partner, stamp=stamp)
        if page is not known and page.state is not None:
            self._pages.put(key, page, content_bytes=len(query) + page.content_bytes())
        return page

    def _asked(self, query: bytes, credential: Credential, *, day: date) -> tuple[Asked, int]:
        """What is asked, and what shuffles it. Raises WireError."""
        given = read_parameters(query)
        asked = read_catalogue(
            given,
            currency=credential.partner.currency,
            operator=self._operator,
            bounds=self._searching.bounds,
        )
        return asked, _seed(given, caller=credential.public_key, day=day)

    async def _filled(self, page: Page, *, partner: Partner, stamp: int) -> Page:
        """The page with its products as of the stamp or later; the same one where none of them changed."""
        is_current, shop_id = self._shelf.changes.is_current, partner.shop_id
        if page.stamp == stamp:
            return page
        if page.stamp >= 0 and all(
            is_current(shop_id, each, since=page.stamp) for each in page.ids
        ):
            return structs.replace(page, stamp=stamp)
        pieces = await self._shelf.pieces(page.ids, partner=partner, stamp=stamp)
        return structs.replace(
            page, stamp=stamp, returned=len(pieces), products=b"[" + b",".join(pieces) + b"]"
        )

    async def _found(self, asked: Asked, *, partner: Partner, seed: int) -> Found:
        is_beyond = asked.offset > OFFSET_MAX
        wanted = SearchRequest(
            scope=Scope(currency=partner.currency, merchant_ids=partner.visible_merchants),
            query=asked.query.node,
            otherwise=asked.query.otherwise,
            filters=asked.filters,
            sort=asked.sort,
            seed=seed,
            offset=0 if is_beyond else asked.offset,
            limit=0 if is_beyond else asked.rows,
            facets=asked.navigation.requests(),
        )
        try:
            return await self._searching.search(wanted, shop_id=partner.shop_id)
        except Invalid as error:
            raise too_costly(error) from None
        except CrossdockError as error:
            if error.code != "internal":
                raise
            log.exception("a search failed", shop_id=partner.shop_id)
            raise search_failed() from error


def _unfilled(asked: Asked, found: Found, *, state: Hashable) -> Page:
    return Page(
        state=state,
        rows=asked.rows,
        offset=asked.offset,
        ids=tuple(hit.product_id for hit in found.hits),
        count=found.count,
        as_of=found.as_of,
        navigation=encoded(navigation.shown(asked.navigation, found.facets)),
    )


def _seed(given: dict[str, str], *, caller: str, day: date) -> int:
    """What shuffles: the same on all pages of one search for a day (spec 4.5)."""
    pages = {"rows", "offset", "navigation_type"}
    said = [f"{name}={text}" for name, text in sorted(given.items()) if name not in pages]
    text = "\n".join((caller, day.isoformat(), *said))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _list(name: str, what: str) -> dict[str, object]:
    return parameter(name, f"{what}: `,` is OR, `|` is AND, `*` ends a word.")


BROWSE = Operation(
    operation_id="browseCatalog",
    summary="Search the catalogue",
    description=(
        "Products of all merchants that the token may sell. A product matches if one of its SKUs "
        "satisfies search and filters together; it is answered with all its SKUs."
    ),
    answers=(WireCatalogue,),
    errors=(30000, 50000, *range(50001, 50012)),
    parameters=(
        parameter(
            "rows",
            "How many products.",
            schema={"type": "integer", "minimum": 0, "maximum": ROWS_MAX, "default": ROWS},
        ),
        parameter(
            "offset",
            "How many products are skipped.",
            schema={"type": "integer", "minimum": 0, "default": 0},
        ),
        parameter("search", "Words, or Solr's query syntax with singular field names."),
        _list("brands", "Brands"),
        _list("merchants", "Merchants"),
        _list("categories", "Words of a category's path"),
        _list("category_ids", "Ids of categories, or of those above them"),
        _list("sizes", "Sizes"),
        _list("colors", "Colours"),
        _list("part_numbers", "Part numbers"),
        _list("upc", "UPC, EAN or GTIN"),
        _list("coupons", "Codes of coupons"),
        parameter("min_price", "The lowest price, inclusive."),
        parameter("max_price", "The highest price, inclusive."),
        parameter(
            "sort",
            "By relevance with `search`, else `-last_modified`.",
            schema={"type": "string", "enum": list(SORTS)},
        ),
        parameter(
            "navigation_type",
            "Which facets are counted.",
            schema={"type": "string", "enum": list(navigation.KINDS), "default": "all"},
        ),
        parameter(
            "discount_type",
            "Goods with a coupon of this type.",
            schema={"type": "string", "enum": list(COUPON_TYPES)},
        ),
    ),
)
