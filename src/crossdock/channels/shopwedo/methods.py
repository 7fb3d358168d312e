"""What each method does, between parsing its data and building its response."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from crossdock.channels.plumbing import Rendered
from crossdock.channels.shopwedo import fields, showing
from crossdock.channels.shopwedo.errors import OrderRefused, WireError
from crossdock.channels.shopwedo.lists import WholeLists
from crossdock.channels.shopwedo.ordering import OrderReader
from crossdock.channels.shopwedo.returning import read_return_items
from crossdock.channels.shopwedo.wire import Json
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Conflict, CrossdockError, NotFound, Refused, Unavailable
from crossdock.kit.clock import Clock
from crossdock.kit.countries import find_country, no_country
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.catalogue import (
    all_categories,
    all_posts,
    all_products,
    known_names,
    list_categories,
    list_posts,
    list_products,
)
from crossdock.shop.orders import (
    OrderView,
    Section,
    cancel_order,
    place,
    read_order,
    refuse_second,
)
from crossdock.shop.partners import Credential
from crossdock.shop.stock import list_stock
from crossdock.shop.warehouse import (
    announce_return,
    find_pickup_points,
    list_returnable,
    read_told_serials,
)

STOCK_PAGE = 50
PICKUP_POINTS = 20


class Reply(msgspec.Struct, frozen=True):
    """The status and the body of a response."""

    status: int
    body: Any


Method = Callable[[Credential, Json], Awaitable[Reply | Rendered]]


class Methods:
    """The API's methods."""

    def __init__(
        self,
        db: Database,
        *,
        clock: Clock,
        ids: Ids,
        box: SecretBox,
        lists: WholeLists,
        public_url: str,
    ) -> None:
        self._db = db
        self._lists = lists
        self._ids = ids
        self._clock = clock
        self._box = box
        self._public_url = public_url

    def table(self) -> dict[str, Method]:
        """Every method by its wire name, which is case-sensitive."""
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
        """The token is valid; the response is empty."""
        return Reply(202, {})

    async def create_order(self, credential: Credential, data: Json) -> Reply:
        """Create an order, and release it if requested (spec 6)."""
        partner = credential.partner
        reader = OrderReader(data, partner=partner)
        draft = reader.read(order_key=self._ids.order_key(), is_test=credential.is_test)
        if draft is None:
            async with self._db.statement() as tx:
                known = await known_names(tx, partner=partner, names=filter(None, reader.names))
            raise reader.refusal(known=known)
        try:
            async with self._db.statement() as tx:
                placed = await place(tx, draft=draft, now=self._clock.now())
            refuse_second(placed)
        except NotFound as error:
            unknown = error.data["line_numbers"]
            raise reader.refusal_of(number - 1 for number in unknown) from None
        except Conflict:
            taken = {"external_order_id": ["already used"]}
            raise OrderRefused("order_invalid_data", errors=taken) from None
        except Unavailable:
            raise
        except CrossdockError as error:
            raise OrderRefused("order_creation_failed", error.message) from error
        return Reply(201, {"order_id": placed.id})

    async def get_order(self, credential: Credential, data: Json) -> Reply:
        """One order in a list; in a nested list if requested by the client's own number (spec 7)."""
        partner = credential.partner
        order_id = fields.order_id(data.get("order_id"))
        number = fields.text(data, "external_order_id")
        if order_id is None and not number:
            raise WireError("data_invalid", "order_id is needed")
        async with self._db.statement() as tx:
            order = await read_order(
                tx,
                shop_id=partner.shop_id,
                partner_id=partner.id,
                order_id=order_id,
                partner_order_id=None if order_id is not None else number,
                sections=("lines", "packages"),
            )
            serials = await read_told_serials(
                tx, shop_id=partner.shop_id, order_id=order.id, box=self._box
            )
        shown = self._showing(credential).order(
            order, serials=serials, shop_id=int(credential.public_key)
        )
        return Reply(200, [shown] if order_id is not None else [[shown]])

    async def cancel_order(self, credential: Credential, data: Json) -> Reply:
        """Cancel an order before its fulfilment starts (spec 8)."""
        partner = credential.partner
        order_id = fields.order_id(data.get("order_id"))
        if order_id is None:
            raise WireError("data_invalid", "order_id is needed")
        async with self._db.begin() as tx:
            await self._own_order(tx, credential, order_id=order_id)
            await cancel_order(
                tx,
                shop_id=partner.shop_id,
                order_id=order_id,
                by="partner",
                now=self._clock.now(),
            )
        return Reply(200, {"order_id": order_id, "status_string": "cancelled"})

    async def get_stock(self, credential: Credential, data: Json) -> Reply:
        """A page of stock items, by id unless the partner's setting asks for a list (spec 9)."""
        limit = fields.number(data, "limit", default=STOCK_PAGE, least=1)
        offset = fields.number(data, "offset", default=0, least=0)
        sku = fields.number(data, "sku", default=None, least=0)
        async with self._db.statement() as tx:
            items = await list_stock(
                tx,
                partner=credential.partner,
                variant_id=sku,
                reference=fields.text(data, "reference") or None,
                limit=min(limit or STOCK_PAGE, STOCK_PAGE),
                offset=offset or 0,
            )
        view = self._showing(credential)
        shown = [view.stock_item(item) for item in items]
        as_list = credential.partner.settings.get("stock_as_list") is True
        return Reply(200, shown if as_list else showing.keyed_by_sku(shown))

    async def get_products(self, credential: Credential, data: Json) -> Reply | Rendered:
        """Products and their variants (spec 10)."""
        partner, now, view = credential.partner, self._clock.now(), self._showing(credential)
        offset = fields.offset(data)
        product_ids, category_ids = fields.ids(data, "product_id"), fields.ids(data, "category_id")
        if offset is None:
            return await self._lists.render(
                lambda tx: all_products(
                    tx, partner=partner, now=now, product_ids=product_ids, category_ids=category_ids
                ),
                partner=partner,
                show=view.product,
            )
        async with self._db.statement() as tx:
            products = await list_products(
                tx,
                partner=partner,
                now=now,
                product_ids=product_ids,
                category_ids=category_ids,
                offset=offset,
            )
        return Reply(200, [view.product(product) for product in products])

    async def get_categories(self, credential: Credential, data: Json) -> Reply | Rendered:
        """The category tree, flat (spec 11)."""
        partner, view = credential.partner, self._showing(credential)
        shop_id, offset = partner.shop_id, fields.offset(data)
        category_ids = fields.ids(data, "category_id")
        if offset is None:
            return await self._lists.render(
                lambda tx: all_categories(tx, shop_id=shop_id, category_ids=category_ids),
                partner=partner,
                show=view.category,
            )
        async with self._db.statement() as tx:
            categories = await list_categories(
                tx, shop_id=shop_id, category_ids=category_ids, offset=offset
            )
        return Reply(200, [view.category(category) for category in categories])

    async def get_blog_posts(self, credential: Credential, data: Json) -> Reply | Rendered:
        """Blog posts, the newest first (spec 12)."""
        partner, view = credential.partner, self._showing(credential)
        shop_id, offset, post_ids = (
            partner.shop_id, fields.offset(data), fields.ids(data, "post_id")
        )  # fmt: skip
        if offset is None:
            return await self._lists.render(
                lambda tx: all_posts(tx, shop_id=shop_id, post_ids=post_ids),
                partner=partner,
                show=view.post,
            )
        async with self._db.statement() as tx:
            posts = await list_posts(tx, shop_id=shop_id, post_ids=post_ids, offset=offset)
        return Reply(200, [view.post(post) for post in posts])

    async def pudo(self, credential: Credential, data: Json) -> Reply:
        """Pick-up points near an address (spec 15)."""
        address = data.get("address")
        zip_code = fields.text(address, "zip") if isinstance(address, dict) else ""
        named = fields.text(address, "country") if isinstance(address, dict) else ""
        if not zip_code or not named:
            raise WireError("data_invalid", "address.zip and address.country are needed")
        country = find_country(named)
        if country is None:
            raise WireError("data_invalid", f"address.country: {no_country(named)}")
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
        """The shop's return settings, for its return page (spec 15)."""
        settings = credential.partner.settings.get("returns")
        return Reply(200, showing.return_settings(settings if isinstance(settings, dict) else {}))

    async def create_retour_announcement(self, credential: Credential, data: Json) -> Reply:
        """Announce a return (spec 15)."""
        partner = credential.partner
        order_id = fields.order_id(data.get("order_id"))
        if order_id is None:
            raise WireError("data_invalid", "order_id is needed")
        items = fields.items(data)
        shop_id, now = partner.shop_id, self._clock.now()
        async with self._db.begin() as tx:
            order = await self._own_order(tx, credential, order_id=order_id, sections=("lines",))
            left = await list_returnable(tx, shop_id=shop_id, order_id=order_id)
            found = read_return_items(items, lines=order.lines, left=left)
            try:
                return_id = await announce_return(
                    tx, shop_id=shop_id, order_id=order_id, items=found, now=now
                )
            except Refused as error:
                raise WireError("order_not_returnable", error.message) from error
        return Reply(200, {"retour_id": return_id, "order_id": order_id, "status": "announced"})

    async def _own_order(
        self,
        tx: Transaction,
        credential: Credential,
        *,
        order_id: int,
        sections: Sequence[Section] = (),
    ) -> OrderView:
        """The caller's order. Raises NotFound `order_not_found`, also for an order of another shop."""
        partner = credential.partner
        return await read_order(
            tx,
            shop_id=partner.shop_id,
            partner_id=partner.id,
            order_id=order_id,
            sections=sections,
        )

    def _showing(self, credential: Credential) -> showing.Showing:
        return showing.Showing(
            partner=credential.partner,
            now=self._clock.now(),
            public_url=self._public_url,
        )
