"""Promotions: prices of variants for a time; listed for the shop or a product, added, changed, ended."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crossdock.compose import Services
from crossdock.errors import CrossdockError, Invalid, NotFound, Unavailable
from crossdock.gate import Form, Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.kit.money import format_minor, parse_typed_amount
from crossdock.kit.numbers import read_number
from crossdock.shop.catalogue import (
    PROMOTION_STATES,
    OwnedProduct,
    Promotion,
    PromotionState,
    PromotionView,
    add_promotions,
    change_promotion,
    end_promotion,
    list_promotions,
    read_owned,
    read_promotion,
)
from crossdock.shop.people import Visit
from crossdock.shop.shops import Shop, read_shop
from crossdock.web.console.order_words import Word
from crossdock.web.console.paging import (
    PAGE_SIZE,
    paging,
    path_number,
    read_before,
)
from crossdock.web.console.products import PRODUCTS
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import AddRoute, Pages, Told, redirect

PROMOTIONS: Final = "/console/promotions"
_SEARCH_MAX: Final = 200
_ALL: Final = "all"
STATES: Final[Mapping[PromotionState, Word]] = {
    "running": Word(lazy("Running"), "good", "●"),
    "coming": Word(lazy("Coming"), "wait", "○"),
    "over": Word(lazy("Over"), "off", "–"),
}
_DONE: Final = {
    "added": lazy("The promotion is added. Partners see it with their next call."),
    "changed": lazy("The promotion is changed."),
    "ended": lazy("The promotion has ended."),
}


class PromotionPages:
    """The promotions of the shop, those of a product with the form to add one, and one of them."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    def routes(self, get: AddRoute, post: AddRoute) -> list[Route]:
        """The routes of these pages."""
        one, here = f"{PROMOTIONS}/{{promotion}}", f"{PRODUCTS}/{{product}}/promotions"
        return [
            get(PROMOTIONS, self.browse),
            get(here, self.of_product),
            post(here, self.add),
            get(one, self.show),
            post(one, self.change),
            post(f"{one}/end", self.end),
        ]

    async def browse(self, request: Request) -> Response:
        """The promotions of the shop by state, the newest first."""
        visit = await self._gate.require_person(request, right="products.read")
        values, now = request.query_params, self._clock.now()
        search = values.get("q", "").replace("\x00", "").strip()[:_SEARCH_MAX]
        state = next((each for each in PROMOTION_STATES if each == values.get("state", "")), None)
        async with self._db.statement() as tx:
            shop = await read_shop(tx, slug=visit.person.shop)
            found = await list_promotions(
                tx,
                shop_id=shop.id,
                now=now,
                state=state,
                search=search,
                before=read_before(values),
                limit=PAGE_SIZE + 1,
            )
        shown = found[:PAGE_SIZE]
        return self._pages.page(
            "promotions.html",
            visit=visit,
            promotions=shown,
            paging=paging(request, older=shown[-1].id if len(found) > PAGE_SIZE else None),
            states=STATES,
            state=state,
            search=search,
            shop=shop,
            now=now,
        )

    async def of_product(self, request: Request) -> Response:
        """A product's promotions, and the form that adds one."""
        visit = await self._gate.require_person(request, right="products.read")
        return await self._of_product(request, visit, typed={})

    async def add(self, request: Request) -> Response:
        """Give one variant of the product a promotion, or all of them; a mistake leaves the form as it was typed."""
        visit, form = await self._gate.require_form(request, right="products.manage")
        product_id = path_number(request, "product")
        try:
            async with self._db.begin() as tx:
                shop = await read_shop(tx, slug=visit.person.shop)
                product = await read_owned(
                    tx, shop_id=shop.id, merchant_ids=None, product_id=product_id
                )
                await add_promotions(
                    tx,
                    shop_id=shop.id,
                    variant_ids=_variants(form, product),
                    promotion=_promotion(form, shop),
                    now=self._clock.now(),
                )
        except (NotFound, Unavailable):
            raise
        except CrossdockError as error:
            return await self._of_product(request, visit, typed=form, wrong=why(error), status=400)
        return redirect(f"{PRODUCTS}/{product_id}/promotions?done=added")

    async def show(self, request: Request) -> Response:
        """One promotion with the form that changes it."""
        visit = await self._gate.require_person(request, right="products.read")
        return await self._one(request, visit, typed={})

    async def change(self, request: Request) -> Response:
        """Change the price and the times of a promotion that is not over."""
        visit, form = await self._gate.require_form(request, right="products.manage")
        promotion_id = path_number(request, "promotion")
        try:
            async with self._db.begin() as tx:
                shop = await read_shop(tx, slug=visit.person.shop)
                await change_promotion(
                    tx,
                    shop_id=shop.id,
                    promotion_id=promotion_id,
                    promotion=_promotion(form, shop),
                    now=self._clock.now(),
                )
        except (NotFound, Unavailable):
            raise
        except CrossdockError as error:
            return await self._one(request, visit, typed=form, wrong=why(error), status=400)
        return redirect(f"{PROMOTIONS}/{promotion_id}?done=changed")

    async def end(self, request: Request) -> Response:
        """End a promotion now; one that has not begun is taken away."""
        visit, _ = await self._gate.require_form(request, right="products.manage")
        async with self._db.begin() as tx:
            ended = await end_promotion(
                tx,
                shop_id=visit.person.shop_id,
                promotion_id=path_number(request, "promotion"),
                now=self._clock.now(),
            )
        return redirect(f"{PRODUCTS}/{ended.product_id}/promotions?done=ended")

    async def _of_product(
        self, request: Request, visit: Visit, *, typed: Form, wrong: str = "", status: int = 200
    ) -> Response:
        now = self._clock.now()
        async with self._db.statement() as tx:
            shop = await read_shop(tx, slug=visit.person.shop)
            product = await read_owned(
                tx, shop_id=shop.id, merchant_ids=None, product_id=path_number(request, "product")
            )
            found = await list_promotions(
                tx,
                shop_id=shop.id,
                now=now,
                product_id=product.id,
                before=read_before(request.query_params),
                limit=PAGE_SIZE + 1,
            )
        shown = found[:PAGE_SIZE]
        return self._pages.page(
            "product_promotions.html",
            visit=visit,
            status=status,
            product=product,
            promotions=shown,
            older=shown[-1].id if len(found) > PAGE_SIZE else None,
            states=STATES,
            shop=shop,
            typed=typed,
            wrong=wrong,
            done=None if wrong else _done(request),
            now=now,
        )

    async def _one(
        self, request: Request, visit: Visit, *, typed: Form, wrong: str = "", status: int = 200
    ) -> Response:
        now = self._clock.now()
        async with self._db.statement() as tx:
            shop = await read_shop(tx, slug=visit.person.shop)
            found = await read_promotion(
                tx, shop_id=shop.id, promotion_id=path_number(request, "promotion")
            )
        return self._pages.page(
            "promotion.html",
            visit=visit,
            status=status,
            promotion=found,
            state=STATES[found.state(now)],
            is_over=found.state(now) == "over",
            values={**_texts(found, shop), **typed},
            shop=shop,
            wrong=wrong,
            done=None if wrong else _done(request),
        )


def _done(request: Request) -> Told | None:
    text = _DONE.get(request.query_params.get("done", ""))
    return None if text is None else Told(text=text)


def _variants(form: Form, product: OwnedProduct) -> list[int]:
    """The chosen variants of the product. Raises Invalid `invalid_input` for one that is not of it."""
    chosen = form.get("variant", "")
    ids = [variant.id for variant in product.variants]
    if chosen == _ALL:
        return ids
    if read_number(chosen) not in ids:
        raise Invalid("invalid_input", gettext("Choose a variant of the product."))
    return [int(chosen)]


def _promotion(form: Form, shop: Shop) -> Promotion:
    return Promotion(
        price_minor=parse_typed_amount(form.get("price", "").strip(), currency=shop.currency),
        starts_at=_moment(form.get("starts_at", ""), shop),
        ends_at=_moment(form.get("ends_at", ""), shop),
    )


def _moment(text: str, shop: Shop) -> datetime:
    """A moment on the shop's clock. Raises Invalid `invalid_input`."""
    try:
        given = datetime.fromisoformat(text.strip())
        if given.tzinfo is None and given.year > 1:
            return given.replace(tzinfo=shop.zone)
    except ValueError:
        pass
    raise Invalid("invalid_input", gettext("Enter a day and a time."))


def _texts(found: PromotionView, shop: Shop) -> dict[str, str]:
    """The fields of the form as they are stored."""
    return {
        "price": format_minor(found.price_minor, found.currency),
        "starts_at": _local(found.starts_at, shop),
        "ends_at": _local(found.ends_at, shop),
    }


def _local(moment: datetime, shop: Shop) -> str:
    return moment.astimezone(shop.zone).replace(tzinfo=None).isoformat(timespec="minutes")
