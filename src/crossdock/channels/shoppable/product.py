"""GET /v3/product: by UPC, or by part number (spec section 5)."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.shoppable.answers import WireProduct
from crossdock.channels.shoppable.auth import Authenticator
from crossdock.channels.shoppable.catalogue import PERMISSION
from crossdock.channels.shoppable.errors import INVALID_PARAMETER, PRODUCT_NOT_FOUND, refusal
from crossdock.channels.shoppable.parameters import read_parameters
from crossdock.channels.shoppable.routes import Operation, Route, parameter
from crossdock.channels.shoppable.shelf import Shelf
from crossdock.channels.shoppable.wire import answered
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.numbers import read_number
from crossdock.shop.catalogue import products_with_barcodes
from crossdock.shop.partners import Credential, Partner

PATH = "/v3/product"
KEYS_MAX = 100


class Products:
    """The product's calls."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def routes(self, authenticator: Authenticator) -> tuple[Route, ...]:
        """The routes of both calls."""
        find = authenticator.guarded(self.find, permission=PERMISSION)
        show = authenticator.guarded(self.show, permission=PERMISSION)
        return (
            Route(method="GET", path=PATH, handler=find, operation=FIND),
            Route(method="GET", path=f"{PATH}/{{part_number}}", handler=show, operation=SHOW),
        )

    async def find(self, request: Request, credential: Credential) -> Response:
        """Products by `upcs`, a list; or by `part_numbers`: one alone, several as a list in a list.

        A number that is named twice is two: a client that named several reads a list. Unknown keys
        are skipped. Raises NotFound where none is known.
        """
        given = read_parameters(request.scope["query_string"])
        if "upc" in given:
            barcodes = _keys(_asked(given["upc"]), name="upcs")
            return answered(await self._with_barcodes(barcodes, partner=credential.partner))
        numbers = _asked(given.get("part_numbers", ""))
        products = await self._numbered(
            _keys(numbers, name="part_numbers"), partner=credential.partner
        )
        return answered(products[0] if len(numbers) == 1 else [products])

    async def show(self, request: Request, credential: Credential) -> Response:
        """The product with this part number. Raises NotFound."""
        number = request.path_params["part_number"]
        products = await self._numbered([number], partner=credential.partner)
        return answered(products[0])

    async def _with_barcodes(
        self, barcodes: Sequence[str], *, partner: Partner
    ) -> list[WireProduct]:
        async with self._shelf.db.statement() as tx:
            ids = await products_with_barcodes(tx, partner=partner, barcodes=barcodes)
            return await self._read(tx, ids, partner=partner)

    async def _numbered(self, numbers: Sequence[str], *, partner: Partner) -> list[WireProduct]:
        ids = [number for text in numbers if (number := read_number(text)) is not None]
        async with self._shelf.db.statement() as tx:
            return await self._read(tx, ids, partner=partner)

    async def _read(
        self, tx: Transaction, ids: Sequence[int], *, partner: Partner
    ) -> list[WireProduct]:
        products = await self._shelf.read(tx, ids, partner=partner)
        if not products:
            raise NotFound("variant_not_found")
        return products


def _asked(text: str) -> list[str]:
    return [key for each in text.split(",") if (key := each.strip())]


def _keys(asked: Sequence[str], *, name: str) -> list[str]:
    """The keys that are asked for, each once. Raises WireError 50000 for more than KEYS_MAX."""
    keys = list(dict.fromkeys(asked))
    if len(keys) > KEYS_MAX:
        raise refusal(INVALID_PARAMETER, name)
    return keys


_ERRORS = (PRODUCT_NOT_FOUND, INVALID_PARAMETER)
FIND = Operation(
    operation_id="findProducts",
    summary="Read products by UPC or part number",
    description=(
        f"With `upcs` a list; with one of `part_numbers` the product alone, with several a list "
        f"that holds one list. At most {KEYS_MAX}, joined by commas. Keys that are not known are "
        "skipped; 40001 where none is. One UPC may be sold by several merchants."
    ),
    answers=(list[WireProduct], WireProduct, list[list[WireProduct]]),
    errors=_ERRORS,
    parameters=(
        parameter("upcs", "UPC, EAN or GTIN; zeros in front do not count."),
        parameter("part_numbers", "Part numbers."),
    ),
)
SHOW = Operation(
    operation_id="showProduct",
    summary="Read a product by part number",
    description="The product with its colours, sizes, prices and coupons.",
    answers=(WireProduct,),
    errors=(PRODUCT_NOT_FOUND,),
    parameters=(parameter("part_number", "The product's part number.", place="path"),),
)
