"""What each method does, between the reading of its data and the writing of its answer."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from crossdock.channels.shopwedo import showing
from crossdock.channels.shopwedo.errors import OrderRefused, WireError
from crossdock.channels.shopwedo.ordering import OrderReader, whole
from crossdock.channels.shopwedo.wire import Json
from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, CrossdockError, NotFound, Unavailable
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import SecretBox
from crossdock.shop.catalogue import list_categories, list_posts, list_products
from crossdock.shop.orders import cancel_order
from crossdock.shop.partners import Credential
from crossdock.shop.warehouse import (
    RELEASE_LOOKING,
    Entering,
    ReturnItem,
    announce_return,
    enter_order,
    find_pickup_points,
    list_stock,
    read_work_order,
    resolve_goods,
)

STOCK_PAGE = 50
CATALOGUE_PAGE = 100
EVERYTHING = 1_000_000
PICKUP_POINTS = 20
_ID_MAX = 2**62
_TEXT_MAX = 255


class Reply(msgspec.Struct, frozen=True):
    """The status and the object that answer a call."""

    status: int
    body: Any


Method = Callable[[Credential, Json], Awaitable[Reply]]


class Methods:
    """The API's methods over the core."""

    def __init__(
        self, db: Database, *, entering: Entering, clock: Clock, box: SecretBox, zone: ZoneInfo
    ) -> None:
        self._db = db
        self._entering = entering
        self._clock = clock
        self._box = box
        self._zone = zone

    def table(self) -> dict[str, Method]:
        """Every method by its name on the wire; names are case-sensitive."""
        return {
            "authTest": self.auth_test,
            "createOrder": self.create_order,
            "getOrder": self.get_order,
            "cancelOrder": self.cancel_order,
            "getStock": self.get_stock,
            "getProducts": self.get_products,
            "getCategories": self.get_categories,
            "getBlogPosts": self.get_blog_posts,
            "pudo": self.pudo,
            "getRetourSettings": self.get_retour_settings,
            "createRetourAnnouncement": self.create_retour_announcement,
        }

    async def auth_test(self, credential: Credential, data: Json) -> Reply:
        """The token is valid; that is all there is to say."""
        return Reply(202, {})

    async def create_order(self, credential: Credential, data: Json) -> Reply:
        """Enter an order, and release it if wanted (spec 6)."""
        partner = credential.partner
        reader = OrderReader(data, partner=partner)
        names = reader.names()
        async with self._db.statement() as tx:
            goods = await resolve_goods(tx, partner=partner, names=names)
        order = reader.read(goods, is_test=credential.is_test)
        mode = str(partner.settings.get("release_mode", RELEASE_LOOKING))
        try:
            entered = await enter_order(
                self._entering, partner=partner, order=order, release_mode=mode
            )
        except Conflict:
            taken = {"external_order_id": ["already used"]}
            raise OrderRefused("order_invalid_data", errors=taken) from None
        except Unavailable:
            raise
        except CrossdockError as error:
            raise OrderRefused("order_creation_failed", error.message) from error
        return Reply(201, {"order_id": entered.id})

    async def get_order(self, credential: Credential, data: Json) -> Reply:
        """One order: a list of it, or a list in a list when asked by the caller's own number (spec 7)."""
        partner = credential.partner
        order_id = _order_id(data.get("order_id"))
        number = _text(data, "external_order_id")
        if order_id is None and not number:
            raise WireError("data_invalid", "order_id is needed")
        async with self._db.statement() as tx:
            order = await read_work_order(
                tx,
                shop_id=partner.shop_id,
                partner_id=partner.id,
                order_id=order_id,
                partner_order_id=None if order_id is not None else number,
                box=self._box,
            )
        shown = self._showing(credential).order(order, shop_id=int(credential.public_key))
        return Reply(200, [shown] if order_id is not None else [[shown]])

    async def cancel_order(self, credential: Credential, data: Json) -> Reply:
        """Cancel until fulfilment starts (spec 8)."""
        partner = credential.partner
        order_id = _order_id(data.get("order_id"))
        if order_id is None:
            raise WireError("data_invalid", "order_id is needed")
        async with self._db.begin() as tx:
            await read_work_order(
                tx, shop_id=partner.shop_id, partner_id=partner.id, order_id=order_id
            )
            await cancel_order(
                tx, shop_id=partner.shop_id, order_id=order_id, now=self._clock.now()
            )
        return Reply(200, {"order_id": order_id, "status_string": "cancelled"})

    async def get_stock(self, credential: Credential, data: Json) -> Reply:
        """A page of stock items, keyed by their id unless the partner has a list (spec 9)."""
        limit = _number(data, "limit", default=STOCK_PAGE, least=1)
        offset = _number(data, "offset", default=0, least=0)
        sku = _number(data, "sku", default=None, least=0)
        async with self._db.statement() as tx:
            items = await list_stock(
                tx,
                partner=credential.partner,
                variant_id=sku,
                reference=_text(data, "reference") or None,
                limit=min(limit or STOCK_PAGE, STOCK_PAGE),
                offset=offset or 0,
            )
        view = self._showing(credential)
        shown = [view.stock_item(item) for item in items]
        as_list = credential.partner.settings.get("stock_as_list") is True
        return Reply(200, shown if as_list else showing.keyed_by_sku(shown))

    async def get_products(self, credential: Credential, data: Json) -> Reply:
        """Products and their variants (spec 10)."""
        offset, limit = _page(data)
        async with self._db.statement() as tx:
            products = await list_products(
                tx,
                partner=credential.partner,
                now=self._clock.now(),
                product_ids=_ids(data, "product_id"),
                category_ids=_ids(data, "category_id"),
                offset=offset,
                limit=limit,
            )
        view = self._showing(credential)
        return Reply(200, [view.product(product) for product in products])

    async def get_categories(self, credential: Credential, data: Json) -> Reply:
        """The category tree, flat (spec 11)."""
        offset, limit = _page(data)
        async with self._db.statement() as tx:
            categories = await list_categories(
                tx,
                shop_id=credential.partner.shop_id,
                category_ids=_ids(data, "category_id"),
                offset=offset,
                limit=limit,
            )
        return Reply(200, [showing.category(category) for category in categories])

    async def get_blog_posts(self, credential: Credential, data: Json) -> Reply:
        """Blog posts, the newest first (spec 12)."""
        offset, limit = _page(data)
        async with self._db.statement() as tx:
            posts = await list_posts(
                tx,
                shop_id=credential.partner.shop_id,
                post_ids=_ids(data, "post_id"),
                offset=offset,
                limit=limit,
            )
        view = self._showing(credential)
        return Reply(200, [view.post(post) for post in posts])

    async def pudo(self, credential: Credential, data: Json) -> Reply:
        """Pick-up points near an address (spec 15)."""
        address = data.get("address")
        zip_code = _text(address, "zip") if isinstance(address, dict) else ""
        country = _text(address, "country").upper() if isinstance(address, dict) else ""
        if not zip_code or not country:
            raise WireError("data_invalid", "address.zip and address.country are needed")
        async with self._db.statement() as tx:
            points = await find_pickup_points(
                tx,
                shop_id=credential.partner.shop_id,
                zip_code=zip_code,
                country=country,
                limit=PICKUP_POINTS,
            )
        return Reply(200, {"results": [showing.pickup_point(point) for point in points]})

    async def get_retour_settings(self, credential: Credential, data: Json) -> Reply:
        """How the shop takes goods back, for its return page (spec 15)."""
        settings = credential.partner.settings.get("returns")
        return Reply(200, showing.return_settings(settings if isinstance(settings, dict) else {}))

    async def create_retour_announcement(self, credential: Credential, data: Json) -> Reply:
        """Announce that goods come back (spec 15)."""
        partner = credential.partner
        order_id = _order_id(data.get("order_id"))
        items = data.get("items")
        if order_id is None or not isinstance(items, list) or not items:
            raise WireError("data_invalid", "order_id and items are needed")
        async with self._db.begin() as tx:
            order = await read_work_order(
                tx, shop_id=partner.shop_id, partner_id=partner.id, order_id=order_id
            )
            lines = {line.variant_id: line.line_no for line in order.lines}
            return_id = await announce_return(
                tx,
                shop_id=partner.shop_id,
                order_id=order_id,
                items=[_return_item(item, lines) for item in items[:200]],
                now=self._clock.now(),
            )
        return Reply(200, {"retour_id": return_id, "order_id": order_id, "status": "announced"})

    def _showing(self, credential: Credential) -> showing.Showing:
        return showing.Showing(
            zone=self._zone, currency=credential.partner.currency, now=self._clock.now()
        )


def _return_item(item: Any, lines: dict[int, int]) -> ReturnItem:
    raw = item if isinstance(item, dict) else {}
    sku, amount = whole(raw.get("sku")), whole(raw.get("amount"))
    if sku is None or amount is None or sku not in lines:
        raise WireError("data_invalid", "each item needs a sku of the order and an amount")
    reason = raw.get("reason")
    text = str(reason)[:_TEXT_MAX] if isinstance(reason, str | int) else ""
    return ReturnItem(line_no=lines[sku], quantity=amount, reason=_clean(text))


def _order_id(value: Any) -> int | None:
    """Our order number; consumers know it with ORD_ in front (spec 7)."""
    if value in (None, "", [], {}):
        return None
    text = value.strip().removeprefix("ORD_") if isinstance(value, str) else value
    number = whole(text)
    if number is None:
        raise WireError("data_invalid", "order_id must be an order number")
    if not 0 < number < _ID_MAX:
        raise NotFound("order_not_found")
    return number


def _number(data: Json, field: str, *, default: int | None, least: int) -> int | None:
    value = data.get(field)
    if value is None or value == "":
        return default
    number = whole(value)
    if number is None or not least <= number < _ID_MAX:
        raise WireError("data_invalid", f"{field} must be an integer of at least {least}")
    return number


def _page(data: Json) -> tuple[int, int]:
    """Offset and page size; without an offset everything is told."""
    offset = _number(data, "offset", default=None, least=0)
    return (0, EVERYTHING) if offset is None else (offset, CATALOGUE_PAGE)


def _ids(data: Json, field: str) -> Sequence[int] | None:
    """An integer or a list of them; None where the filter is not used."""
    value = data.get(field)
    if value is None or value == "":
        return None
    values = value if isinstance(value, list) else [value]
    numbers = [whole(entry) for entry in values]
    if len(numbers) > 1_000 or any(n is None or abs(n) >= _ID_MAX for n in numbers):
        raise WireError("data_invalid", f"{field} must be an integer or a list of integers")
    return [number for number in numbers if number is not None]


def _text(data: Json, field: str) -> str:
    value = data.get(field)
    if value is None:
        return ""
    if isinstance(value, bool | dict | list) or len(str(value)) > _TEXT_MAX:
        raise WireError("data_invalid", f"{field} must be text of at most {_TEXT_MAX} characters")
    return _clean(str(value)).strip()


def _clean(text: str) -> str:
    if any(sign == "\x00" or "\ud800" <= sign <= "\udfff" for sign in text):
        raise WireError("data_invalid", "text holds what is no character")
    return text
