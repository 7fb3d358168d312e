"""Take an order down for a customer: lines by search, on account or by card."""

import re
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, CrossdockError, Invalid, Unavailable
from crossdock.gate import CARD_FIELDS, CARD_SHOWN_AGAIN, Form, Gate, read_card
from crossdock.kit.languages import gettext
from crossdock.kit.money import parse_typed_amount
from crossdock.kit.numbers import read_number
from crossdock.kit.paging import PlacePage
from crossdock.shop.acts import begin_act
from crossdock.shop.catalogue import Offer, OwnedProduct
from crossdock.shop.customers import Customer, browse_customers, find_customer
from crossdock.shop.orders import (
    OrderItem,
    StaffOrder,
    place_on_account,
    place_with_card,
    staff_offers,
)
from crossdock.shop.payments import Card
from crossdock.shop.people import Visit
from crossdock.shop.shops import Shop, read_shop
from crossdock.web.console.order_paths import ORDERS, to_order
from crossdock.web.console.product_finding import find_goods
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages

NEW: Final = f"{ORDERS}/new"
LINES_MAX: Final = 100
FOUND_MAX: Final = 10
_TEXT_MAX: Final = 2_000
_SHOWN_AGAIN: Final = ("customer", "number", "shipping", "comments", "payment", *CARD_SHOWN_AGAIN)
_LINE = re.compile(r"line\.([1-9][0-9]{0,17})")


class StaffOrderPages:
    """The page of an order that is being taken down. Its state is in its form alone until it is placed."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def show(self, request: Request) -> Response:
        """An empty order; `?customer=` fills in whose it is."""
        visit = await self._gate.require_person(request, right="orders.manage")
        form = {"customer": request.query_params.get("customer", "")}
        return await self._page(visit, form, lines={})

    async def act(self, request: Request) -> Response:
        """Find goods, add or drop a line, or place the order, as the pressed button says."""
        visit, form = await self._gate.require_form(
            request,
            right="orders.manage",
            fields_max=LINES_MAX + 50,
            personal=("comments", "search"),
        )
        try:
            lines = _lines(form)
            if form.get("do") == "place":
                return await self._place(visit, form, lines=lines)
        except Unavailable:
            raise
        except Conflict as error:
            if error.code != "partner_order_exists":
                raise
            begin_act(None)  # it was noted when it was placed
            return to_order(error.data["order_id"], "placed_before")
        except CrossdockError as error:
            typed = {int(m[1]): text for name, text in form.items() if (m := _LINE.fullmatch(name))}
            return await self._page(
                visit,
                form,
                lines={key: _whole(text) or 0 for key, text in typed.items()},
                typed=typed,
                wrong=why(error),
                status=400,
            )
        return await self._changed(visit, form, lines=lines)

    async def _changed(self, visit: Visit, form: Form, *, lines: dict[int, int]) -> Response:
        """The page after a search, and with one line more or less."""
        if form.get("drop"):
            lines.pop(_id(form["drop"]), None)
        elif form.get("add"):
            lines[_id(form["add"])] = lines.get(_id(form["add"]), 0) + 1
        elif search := form.get("search", "").replace("\x00", "").strip():
            found = await self._find(visit, search)
            exact = [v for p in found for v in p.variants if v.sku.lower() == search.lower()]
            if len(exact) != 1:
                return await self._page(visit, form, lines=lines, found=found)
            lines[exact[0].id] = lines.get(exact[0].id, 0) + 1
        return await self._page(visit, form, lines=lines)

    async def _find(self, visit: Visit, search: str) -> list[OwnedProduct]:
        async with self._db.statement() as tx:
            found, _ = await find_goods(
                tx,
                shop_id=visit.person.shop_id,
                search=search[:200],
                page=PlacePage(size=FOUND_MAX),
            )
        return found

    async def _place(self, visit: Visit, form: Form, *, lines: Mapping[int, int]) -> Response:
        services, now = self._services, self._clock.now()
        async with self._db.statement() as tx:
            shop = await read_shop(tx, slug=visit.person.shop)
            customer = await _customer(tx, shop_id=shop.id, who=form.get("customer", ""))
        if customer is None:
            raise Invalid("invalid_input", gettext("Choose a customer of the shop."))
        order = _order(form, shop=shop, customer=customer, lines=lines)
        if form.get("payment") != "card":
            placed = await place_on_account(services.placing, shop=shop, order=order)
            return to_order(placed.id, "placed")
        card = read_card(form, now=now)
        if not isinstance(card, Card):
            raise Invalid("invalid_input", " ".join(mistake.text for mistake in card))
        placed = await place_with_card(
            services.placing,
            services.paying,
            shop=shop,
            order=order,
            card=card,
            provider=services.card_provider,
        )
        return to_order(placed.id, "placed")

    async def _page(
        self,
        visit: Visit,
        form: Mapping[str, str],
        *,
        lines: Mapping[int, int],
        typed: Mapping[int, str] | None = None,
        found: list[OwnedProduct] | None = None,
        wrong: str = "",
        status: int = 200,
    ) -> Response:
        async with self._db.statement() as tx:
            shop = await read_shop(tx, slug=visit.person.shop)
            customer = await _customer(tx, shop_id=shop.id, who=form.get("customer", ""))
            customers, _ = await browse_customers(tx, shop_id=shop.id)
        shown = [*lines, *(v.id for p in found or () for v in p.variants)]
        offers: dict[int, Offer] = {}
        if shown:
            offers = await staff_offers(self._services.placing, shop=shop, variant_ids=shown)
        return self._pages.page(
            "order_new.html",
            visit=visit,
            status=status,
            values={name: form.get(name, "") for name in _SHOWN_AGAIN},
            once=form.get("once") or self._services.placing.ids.random_token(20),
            search=form.get("search", "") if found is not None else "",
            lines={key: many for key, many in lines.items() if key in offers},
            typed=typed or {},
            offers=offers,
            total=_total(lines, offers),
            found=found,
            customer=customer,
            customers=[each for each in customers if each.active and not each.missing],
            currency=shop.currency,
            takes_cards=self._services.card_provider == "sandbox",
            card_fields=CARD_FIELDS,
            wrong=wrong,
        )


async def _customer(tx: Transaction, *, shop_id: int, who: str) -> Customer | None:
    return await find_customer(tx, shop_id=shop_id, who=who) if who.strip() else None


def _order(form: Form, *, shop: Shop, customer: Customer, lines: Mapping[int, int]) -> StaffOrder:
    items = tuple(OrderItem(variant_id=key, quantity=many) for key, many in lines.items() if many)
    if not items:
        raise Invalid("invalid_input", gettext("An order has at least one line."))
    shipping = form.get("shipping", "").strip() or "0"
    return StaffOrder(
        customer_id=customer.id,
        items=items,
        number=form.get("number", "").replace("\x00", "").strip()[:100],
        comments=form.get("comments", "").replace("\x00", "").strip()[:_TEXT_MAX],
        shipping_minor=parse_typed_amount(shipping, currency=shop.currency),
        once=f"console:{form.get('once', '')[:40]}",
    )


def _lines(form: Form) -> dict[int, int]:
    """The quantity of each variant. Raises Invalid `invalid_input`."""
    found: dict[int, int] = {}
    for name, text in form.items():
        if place := _LINE.fullmatch(name):
            many = _whole(text)
            if not many:
                message = gettext("A quantity is a whole number above zero.")
                raise Invalid("invalid_input", message, {"field": name})
            found[int(place[1])] = many
    return found


def _whole(text: str) -> int | None:
    """The whole number of a field, of at most nine digits; None for any other text."""
    return read_number(text.strip(), digits_max=9)


def _total(lines: Mapping[int, int], offers: Mapping[int, Offer]) -> int:
    return sum(
        many * (offers[key].price_minor or 0) for key, many in lines.items() if key in offers
    )


def _id(text: str) -> int:
    return read_number(text) or 0
