"""GET /v3/catalog: search, filters, navigation and pages (spec section 4)."""

import hashlib
import time
from datetime import datetime

import structlog
from msgspec import structs
from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.shoppable import navigation
from crossdock.channels.shoppable.answers import WireCatalogue, WireMetadata, WireProduct
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
from crossdock.channels.shoppable.wire import answered
from crossdock.errors import CrossdockError, Invalid
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


class Catalogue:
    """The catalogue's call."""

    def __init__(
        self, shelf: Shelf, *, searching: Searching, paging: Paging, operator: Operator
    ) -> None:
        self._shelf = shelf
        self._searching = searching
        self._paging = paging
        self._operator = operator

    def routes(self, authenticator: Authenticator) -> tuple[Route, ...]:
        """The route of the call."""
        handler = authenticator.guarded(self.browse, permission=PERMISSION)
        return (Route(method="GET", path=PATH, handler=handler, operation=BROWSE),)

    async def browse(self, request: Request, credential: Credential) -> Response:
        """A page of the products that match."""
        started = time.perf_counter()
        partner = credential.partner
        given = read_parameters(request.scope["query_string"])
        asked = read_catalogue(
            given,
            currency=partner.currency,
            operator=self._operator,
            bounds=self._searching.bounds,
        )
        seed = _seed(given, caller=credential.public_key, now=self._now(partner))
        found = await self._found(asked, partner=partner, seed=seed)
        products = await self._shown(found, partner=partner)
        previous, following = self._paging.urls(
            request, rows=asked.rows, offset=asked.offset, count=found.count
        )
        return answered(
            WireCatalogue(
                metadata=WireMetadata(
                    rows=asked.rows,
                    offset=asked.offset,
                    returned=len(products),
                    as_of=found.as_of,
                ),
                count=found.count,
                query_time=round((time.perf_counter() - started) * 1000),
                navigation=navigation.shown(asked.navigation, found.facets),
                previous_page_url=previous,
                next_page_url=following,
                products=products,
            )
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

    async def _shown(self, found: Found, *, partner: Partner) -> list[WireProduct]:
        async with self._shelf.db.statement() as tx:
            ids = [hit.product_id for hit in found.hits]
            products = await self._shelf.read(tx, ids, partner=partner)
        return [structs.replace(each, active=True) for each in products]

    def _now(self, partner: Partner) -> datetime:
        return self._shelf.clock.now().astimezone(partner.zone)


def _seed(given: dict[str, str], *, caller: str, now: datetime) -> int:
    """What shuffles: the same on all pages of one search for a day (spec 4.5)."""
    pages = {"rows", "offset", "navigation_type"}
    said = [f"{name}={text}" for name, text in sorted(given.items()) if name not in pages]
    text = "\n".join((caller, now.date().isoformat(), *said))
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
