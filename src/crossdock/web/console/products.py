"""Products with their prices and stock, what each partner sees of them, and the history of a variant's levels."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.gate import Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.kit.numbers import read_number
from crossdock.kit.paging import PlacePage
from crossdock.shop.catalogue import (
    MerchantView,
    Offer,
    OwnedProduct,
    ProductChanges,
    change_product,
    find_product_of,
    merchant_of,
    offers,
    read_merchant_by_id,
    read_owned,
)
from crossdock.shop.partners import Partner, list_partners, read_partner
from crossdock.shop.people import Person, Visit
from crossdock.shop.shops import read_shop
from crossdock.shop.stock import (
    Level,
    LowPlace,
    list_low,
    read_entries,
    read_levels,
    read_levels_of,
)
from crossdock.shop.warehouse import count_variant, receive_variant, transfer_variant
from crossdock.web.console.confirming import told_of, undo_query
from crossdock.web.console.list_columns import Column, read_columns
from crossdock.web.console.paging import (
    PAGE_SIZE,
    paging,
    path_number,
    place_text,
    read_place,
)
from crossdock.web.console.product_finding import find_goods
from crossdock.web.console.rendering import Pages, Told, Undo, redirect

PRODUCTS: Final = "/console/products"
STOCK: Final = "/console/stock"
COLUMNS: Final[Mapping[str, Column]] = {
    "sku": Column("SKU"),
    "status": Column(lazy("Status")),
    "on_hand": Column(lazy("On hand"), is_number=True),
    "available": Column(lazy("Available"), is_number=True),
    "price": Column(lazy("Price"), is_number=True),
}
"""The columns of the list besides its first."""
LEVEL_COLUMNS: Final[Mapping[str, Column]] = {
    "sku": Column("SKU"),
    "pool": Column(lazy("Pool")),
    "on_hand": Column(lazy("On hand"), is_number=True),
    "available": Column(lazy("Available"), is_number=True),
    "warning_level": Column(lazy("Warning level"), is_number=True),
}
"""The columns of the list besides its first."""
_SEARCH_MAX: Final = 200
_ENTRIES: Final = 100
_POOLS: Final = ("own", "supplier")
_DONE: Final = {
    "received": lazy("The stock is received. Orders that waited for it are released now."),
    "counted": lazy("The level is corrected."),
    "transferred": lazy("The stock is moved to the other pool."),
    "same": lazy("The level is as counted already; nothing was changed."),
    "on": lazy("The product is for sale again."),
    "off": lazy("The product is out of sale. Orders that are placed stay as they are."),
}


class ProductPages:
    """The list of products, a product's page, and the page of a variant's stock."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def browse(self, request: Request) -> Response:
        """The newest products, or those that a number or a part of a name finds."""
        visit = await self._gate.require_person(request, right="products.read")
        search = request.query_params.get("q", "").replace("\x00", "").strip()[:_SEARCH_MAX]
        page = PlacePage(size=PAGE_SIZE, after=read_place(request.query_params))
        async with self._db.statement() as tx:
            shop = await read_shop(tx, slug=visit.person.shop)
            merchant = await _merchant(tx, shop.id, request.query_params.get("merchant", ""))
            found, has_more = await find_goods(
                tx,
                shop_id=shop.id,
                search=search,
                page=page,
                merchant_id=merchant.id if merchant else None,
            )
        older = place_text((found[-1].created_at, found[-1].id)) if has_more else None
        return self._pages.page(
            "products.html",
            visit=visit,
            columns=read_columns(request, COLUMNS),
            products=found,
            currency=shop.currency,
            search=search,
            merchant=merchant,
            paging=paging(request, older=older),
        )

    async def show(self, request: Request) -> Response:
        """A product with its variants and levels, and what a chosen partner sees of it."""
        visit = await self._gate.require_person(request, right="products.read")
        person, product_id = visit.person, path_number(request, "product")
        async with self._db.statement() as tx:
            shop = await read_shop(tx, slug=person.shop)
            product = await read_owned(
                tx, shop_id=shop.id, merchant_ids=None, product_id=product_id
            )
            merchant = await merchant_of(tx, shop_id=shop.id, product_id=product_id)
            levels = await read_levels_of(
                tx, shop_id=shop.id, variant_ids=[variant.id for variant in product.variants]
            )
            partners = await list_partners(tx, shop=person.shop)
            partner = await _partner(tx, person, request.query_params.get("partner", ""))
            seen = await self._offers(tx, partner, product) if partner else []
        return self._pages.page(
            "product.html",
            visit=visit,
            product=product,
            merchant=merchant,
            levels=levels,
            currency=shop.currency,
            partners=partners,
            partner=partner,
            seen={offer.id: offer for offer in seen},
            why=_why,
            done=_told(request.query_params.get("done", ""), product_id=product_id),
        )

    async def list_or_not(self, request: Request) -> Response:
        """Put a product on sale, or take it out of sale."""
        visit, form = await self._gate.require_form(request, right="products.manage")
        product_id = path_number(request, "product")
        is_on = form.get("on") == "yes"
        async with self._db.begin() as tx:
            await change_product(
                tx,
                shop_id=visit.person.shop_id,
                merchant_ids=None,
                product_id=product_id,
                changes=ProductChanges(is_enabled=is_on),
                now=self._clock.now(),
            )
        return redirect(f"{PRODUCTS}/{product_id}?done={'on' if is_on else 'off'}")

    async def stock(self, request: Request) -> Response:
        """A variant's levels and the entries that changed them, the newest first."""
        visit = await self._gate.require_person(request, right="products.read")
        shop_id, variant_id = visit.person.shop_id, path_number(request, "variant")
        async with self._db.statement() as tx:
            product = await _product_of(tx, shop_id=shop_id, variant_id=variant_id)
            levels = await read_levels(tx, shop_id=shop_id, variant_id=variant_id)
            entries = await read_entries(tx, shop_id=shop_id, variant_id=variant_id, limit=_ENTRIES)
        return self._pages.page(
            "stock.html",
            visit=visit,
            product=product,
            variant=next(each for each in product.variants if each.id == variant_id),
            levels=levels,
            entries=entries,
            is_cut=len(entries) == _ENTRIES,
            pools=_pools(levels),
            done=told_of(visit, request, _DONE),
        )

    async def low(self, request: Request) -> Response:
        """Levels that run out, the emptiest first: at or below their warning level, or a threshold."""
        visit = await self._gate.require_person(request, right="products.read")
        values = request.query_params
        at_most = read_number(values.get("at_most", ""))
        pool = next((each for each in _POOLS if each == values.get("pool", "")), None)
        async with self._db.statement() as tx:
            found, has_more = await list_low(
                tx,
                shop_id=visit.person.shop_id,
                at_most=at_most,
                pool=pool,
                after=_read_low_place(values.get("before", "")),
                limit=PAGE_SIZE,
            )
        last = found[-1] if has_more else None
        return self._pages.page(
            "low_stock.html",
            visit=visit,
            columns=read_columns(request, LEVEL_COLUMNS),
            levels=found,
            at_most=at_most,
            pool=pool,
            pools=_POOLS,
            paging=paging(
                request,
                older=f"{last.available}~{last.variant_id}~{last.pool}" if last else None,
            ),
        )

    async def transfer(self, request: Request) -> Response:
        """Move stock from one pool to the other; the page after it offers to move it back."""
        visit, form = await self._gate.require_form(request, right="stock.adjust")
        variant_id, quantity = path_number(request, "variant"), _quantity(form.get("quantity", ""))
        source = form.get("from", "")
        target = next(each for each in _POOLS if each != source)
        async with self._db.begin() as tx:
            await transfer_variant(
                tx,
                shop_id=visit.person.shop_id,
                variant_id=variant_id,
                quantity=quantity,
                source=source,
                target=target,
                reason=_reason(form.get("reason", ""), "transferred", visit.person),
                now=self._clock.now(),
            )
        here = f"{STOCK}/{variant_id}"
        undo = Undo(action=f"{here}/transfer", fields={"from": target, "quantity": str(quantity)})
        return redirect(f"{here}?done=transferred{undo_query(visit, undo)}")

    async def receive(self, request: Request) -> Response:
        """Receive stock; orders that wait for it are released right after."""
        visit, form = await self._gate.require_form(request, right="stock.adjust")
        variant_id, quantity = path_number(request, "variant"), _quantity(form.get("quantity", ""))
        pool = form.get("pool", "own")
        async with self._db.begin() as tx:
            await receive_variant(
                tx,
                shop_id=visit.person.shop_id,
                variant_id=variant_id,
                quantity=quantity,
                pool=pool,
                reason=_reason(form.get("reason", ""), "receipt", visit.person),
                now=self._clock.now(),
            )
        undo = _counted_back(visit, variant_id=variant_id, pool=pool, change=quantity)
        return redirect(f"{STOCK}/{variant_id}?done=received{undo}")

    async def count(self, request: Request) -> Response:
        """Set a level to what was counted, or change it by what an undo says."""
        visit, form = await self._gate.require_form(request, right="stock.adjust")
        variant_id, pool = path_number(request, "variant"), form.get("pool", "own")
        given = form.get("difference", "")
        async with self._db.begin() as tx:
            change = await count_variant(
                tx,
                shop_id=visit.person.shop_id,
                variant_id=variant_id,
                difference=_difference(given) if given else None,
                counted=None if given else _quantity(form.get("counted", "")),
                pool=pool,
                reason=_reason(form.get("reason", ""), "counted", visit.person),
                now=self._clock.now(),
            )
        if not change:
            return redirect(f"{STOCK}/{variant_id}?done=same")
        undo = _counted_back(visit, variant_id=variant_id, pool=pool, change=change)
        return redirect(f"{STOCK}/{variant_id}?done=counted{undo}")

    async def _offers(
        self, tx: Transaction, partner: Partner, product: OwnedProduct
    ) -> list[Offer]:
        return await offers(
            tx,
            partner=partner,
            variant_ids=[variant.id for variant in product.variants],
            now=self._clock.now(),
            own_requires_stock=self._services.own_requires_stock,
        )


async def _product_of(tx: Transaction, *, shop_id: int, variant_id: int) -> OwnedProduct:
    """The product that has this variant. Raises NotFound `variant_not_found`."""
    product_id = await find_product_of(tx, shop_id=shop_id, variant_id=variant_id)
    product = await read_owned(tx, shop_id=shop_id, merchant_ids=None, product_id=product_id)
    if all(variant.id != variant_id for variant in product.variants):
        raise NotFound("variant_not_found")
    return product


async def _merchant(tx: Transaction, shop_id: int, text: str) -> MerchantView | None:
    """The merchant whose goods alone are listed; None for all, and for what is no merchant of the shop."""
    merchant_id = read_number(text)
    if merchant_id is None:
        return None
    try:
        return await read_merchant_by_id(tx, shop_id=shop_id, merchant_id=merchant_id)
    except NotFound:
        return None


async def _partner(tx: Transaction, person: Person, text: str) -> Partner | None:
    """The chosen partner of the person's shop."""
    partner_id = read_number(text)
    found = None if partner_id is None else await read_partner(tx, partner_id=partner_id)
    return found if found is not None and found.shop_id == person.shop_id else None


def _told(done: str, *, product_id: int) -> Told | None:
    """What was done to a product, and the form that takes it back."""
    if done not in {"on", "off"}:
        return None
    fields = {"on": "no" if done == "on" else "yes"}
    return Told(
        text=_DONE[done], undo=Undo(action=f"{PRODUCTS}/{product_id}/listing", fields=fields)
    )


def _why(offer: Offer | None) -> str:
    """Why a partner cannot buy a variant, or ''."""
    if offer is None:
        return gettext("Its merchant is not visible to the partner.")
    if not offer.visible:
        return gettext("It is out of sale, or not listed for partners.")
    if offer.price_minor is None:
        return gettext("It has no price for the partner.")
    if not offer.allowed or offer.quantity == 0:
        return gettext("There is none that the partner may buy now.")
    return ""


def _read_low_place(text: str) -> LowPlace | None:
    """The place that an address names; None for the first page, and for what is no place."""
    available, _, rest = text.partition("~")
    variant, _, pool = rest.partition("~")
    number, sign = read_number(available.removeprefix("-")), -1 if available[:1] == "-" else 1
    variant_id = read_number(variant)
    if number is None or variant_id is None or pool not in _POOLS:
        return None
    return sign * number, variant_id, pool


def _pools(levels: list[Level]) -> list[str]:
    """The pools that stock may come into, those that the variant has first."""
    return list(dict.fromkeys([*(level.pool for level in levels), *_POOLS]))


def _reason(text: str, otherwise: str, person: Person) -> str:
    """The reason of an entry, with who made it."""
    return f"{text.strip()[:200] or otherwise} ({person.label})"


def _counted_back(visit: Visit, *, variant_id: int, pool: str, change: int) -> str:
    """The undo of a change of what is on hand: the same change the other way, whatever was sold meanwhile."""
    fields = {"pool": pool, "difference": str(-change)}
    return undo_query(visit, Undo(action=f"{STOCK}/{variant_id}/count", fields=fields))


def _difference(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    return sign * _quantity(text.removeprefix("-"))


def _quantity(text: str) -> int:
    wanted = read_number(text.strip(), digits_max=12)
    if wanted is None:
        raise Invalid(
            "invalid_input", gettext("A quantity is a whole number."), {"field": "quantity"}
        )
    return wanted
