"""Edit a product on a page: its words, the prices of its variants, its shipping, its pictures."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, Invalid, Unavailable
from crossdock.gate import Form, Gate, receive_form
from crossdock.kit.languages import gettext, lazy
from crossdock.shop.catalogue import (
    OrderTermsChanges,
    OwnedProduct,
    OwnedVariant,
    Picture,
    ProductChanges,
    ProductTerms,
    Translation,
    VariantPrices,
    change_product,
    lock_catalogue,
    price_variants,
    read_owned,
    read_pictures,
    read_terms,
    read_translations,
    read_variant_prices,
    set_terms,
    set_translations,
)
from crossdock.shop.media import add_pictures, keep_image, remove_picture
from crossdock.shop.people import Visit
from crossdock.shop.shops import Shop, read_shop
from crossdock.web.console.confirming import told_of, undo_query
from crossdock.web.console.order_paths import number_of
from crossdock.web.console.product_edits import (
    PRICES,
    EditedMeanwhile,
    Stale,
    changed_prices,
    changed_translations,
    edits_of,
    marks_of,
    shown_again,
    texts_of,
    undone,
    without_marks,
)
from crossdock.web.console.product_order_terms import (
    ORDER_TERMS,
    TYPES,
    changed_order_terms,
    filled_rows,
    worded,
)
from crossdock.web.console.product_terms import TERMS, USERS, changed_terms
from crossdock.web.console.products import PRODUCTS
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages, Told, Undo, redirect

PICTURES: Final = f"{PRODUCTS}/pictures"
"""Where pictures are sent: one path, which may take larger bodies."""
FIELDS_MAX: Final = 4_000
_NAME_MAX: Final = 500
_TEXT_MAX: Final = 50_000
_ALT_MAX: Final = 500
_DONE: Final = {
    "saved": lazy("Saved. Partners see it with their next call."),
    "picture": lazy("The picture is added."),
    "removed": lazy("The picture is taken away."),
}


class ProductEditing:
    """The page on which a product is edited."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def show(self, request: Request) -> Response:
        """The product's words and prices in fields, and its pictures."""
        visit = await self._gate.require_person(request, right="products.manage")
        return await self._page(visit, _product(request), done=told_of(visit, request, _DONE))

    async def save(self, request: Request) -> Response:
        """Save what was changed of words, prices and shipping; a mistake is told on the page, and nothing is saved.

        Nor is anything where somebody else changed one of these fields since the page was opened.
        """
        visit, form = await self._gate.require_form(
            request, right="products.manage", fields_max=FIELDS_MAX
        )
        self._gate.note(request, visit=visit, form=without_marks(form))
        product_id = _product(request)
        try:
            async with self._db.begin() as tx:
                before = await self._save(tx, visit, product_id, form)
        except Unavailable:
            raise
        except EditedMeanwhile as meanwhile:
            return await self._page(
                visit, product_id, typed=form, stale=meanwhile.stale, status=409
            )
        except Invalid as error:
            return await self._page(visit, product_id, wrong=why(error), typed=form, status=400)
        here = f"{PRODUCTS}/{product_id}/edit"
        undo = undo_query(visit, Undo(action=here, fields=before)) if before else ""
        return redirect(f"{here}?done=saved{undo}")

    async def add_picture(self, request: Request) -> Response:
        """Add a picture to the product, as its first if asked."""
        visit = await self._gate.require_person(request, right="products.manage")

        def check(token: str) -> None:
            self._gate.check_form(visit, form_token=token)

        folder = self._services.import_folder.path
        async with receive_form(request, folder=folder, check_token=check) as form:
            self._gate.note(request, visit=visit, form=form.fields)
            product_id = number_of(form.fields.get("product", ""))
            given = form.files.get("file")
            try:
                if given is None:
                    raise Invalid("invalid_input", gettext("Choose a picture."))
                body = await asyncio.to_thread(given.path.read_bytes)
                await self._add(visit, product_id, body=body, fields=form.fields)
            except Invalid as error:
                return await self._page(visit, product_id, wrong=why(error), status=400)
        return redirect(f"{PRODUCTS}/{product_id}/edit?done=picture#pictures")

    async def remove_picture(self, request: Request) -> Response:
        """Take a picture away that staff added."""
        visit, form = await self._gate.require_form(request, right="products.manage")
        product_id, shop_id = _product(request), visit.person.shop_id
        async with self._db.begin() as tx:
            product = await _read(tx, visit, product_id)
            await remove_picture(
                tx,
                shop_id=shop_id,
                sku=product.variants[0].sku,
                checksum=form.get("checksum", ""),
                now=self._clock.now(),
            )
        return redirect(f"{PRODUCTS}/{product_id}/edit?done=removed#pictures")

    async def _save(self, tx: Transaction, visit: Visit, product_id: int, form: Form) -> Form:
        """Save the edits; the form that takes them back."""
        shop = await read_shop(tx, slug=visit.person.shop)
        await lock_catalogue(tx, shop_id=shop.id)
        page = await _read_page(tx, shop, product_id)
        known = page.prices
        edits = edits_of(form, page.texts, product=page.product)
        if edits.stale:
            raise EditedMeanwhile(edits.stale)
        changed, now = edits.changed, self._clock.now()
        if changed.keys() & {"name", "description", *ORDER_TERMS}:
            await self._change(tx, page.product, changed, shop_id=shop.id, now=now)
        priced = [key for key in known if any(f"{kind}.{key}" in changed for kind, _ in PRICES)]
        if priced:
            prices = {
                key: changed_prices(changed, known[key], variant_id=key, currency=shop.currency)
                for key in priced
            }
            await price_variants(tx, shop_id=shop.id, prices=prices, now=now)
        if changed.keys() & TERMS:
            terms = changed_terms(changed, page.terms, currency=shop.currency)
            await set_terms(tx, shop_id=shop.id, product_id=product_id, terms=terms, now=now)
        if translated := changed_translations(changed, page.translations):
            await set_translations(
                tx, shop_id=shop.id, product_id=product_id, translations=translated, now=now
            )
        stored = await _read_page(tx, shop, product_id)
        return undone(page.texts, stored.texts)

    async def _change(
        self,
        tx: Transaction,
        product: OwnedProduct,
        changed: Mapping[str, str],
        *,
        shop_id: int,
        now: datetime,
    ) -> None:
        """Change the product's words, and what it asks of an order for it."""
        asked = changed.keys() & ORDER_TERMS
        terms = changed_order_terms(changed, product.order_terms) if asked else OrderTermsChanges()
        changes = ProductChanges(
            name=_plain(changed.get("name"), most=_NAME_MAX, is_line=True),
            description=_plain(changed.get("description"), most=_TEXT_MAX),
            order_terms=terms,
        )
        try:
            await change_product(
                tx,
                shop_id=shop_id,
                merchant_ids=None,
                product_id=product.id,
                changes=changes,
                now=now,
            )
        except Invalid as error:
            raise worded(error) if asked else error from error

    async def _add(self, visit: Visit, product_id: int, *, body: bytes, fields: Form) -> None:
        shop_id = visit.person.shop_id
        async with self._db.statement() as tx:
            product = await _read(tx, visit, product_id)
        image = await keep_image(self._services.media, shop_id=shop_id, partner_id=None, body=body)
        async with self._db.begin() as tx:
            await add_pictures(
                tx,
                shop_id=shop_id,
                sku=product.variants[0].sku,
                images=[image],
                alt=fields.get("alt", "").replace("\x00", "").strip()[:_ALT_MAX],
                is_first=fields.get("first") == "yes",
                now=self._clock.now(),
            )

    async def _page(
        self,
        visit: Visit,
        product_id: int,
        *,
        done: Told | None = None,
        wrong: str = "",
        typed: Form | None = None,
        stale: Sequence[Stale] = (),
        status: int = 200,
    ) -> Response:
        async with self._db.begin() as tx:
            shop = await read_shop(tx, slug=visit.person.shop)
            page = await _read_page(tx, shop, product_id)
            pictures = await _pictures(tx, shop_id=shop.id, variants=page.product.variants)
        values, marks = page.texts, marks_of(page.texts)
        if typed is not None:
            values, marks = shown_again(typed, page.texts, is_told=bool(stale))
        return self._pages.page(
            "product_edit.html",
            visit=visit,
            status=status,
            product=page.product,
            main_language=shop.languages[0],
            languages=list(page.translations),
            values=values,
            marks=marks,
            stale=stale,
            users=USERS,
            types=TYPES,
            rows=filled_rows(values),
            pictures=pictures,
            currency=shop.currency,
            most_mb=self._services.media.reader.limits.bytes_max // 1_000_000,
            done=done,
            wrong=wrong,
        )


async def _read(tx: Transaction, visit: Visit, product_id: int) -> OwnedProduct:
    return await read_owned(
        tx, shop_id=visit.person.shop_id, merchant_ids=None, product_id=product_id
    )


class _Page(NamedTuple):
    """What the page edits, and every field of it as it is stored; a language without texts has fields too."""

    product: OwnedProduct
    prices: dict[int, VariantPrices]
    terms: ProductTerms
    translations: dict[str, Translation]
    texts: dict[str, str]


async def _read_page(tx: Transaction, shop: Shop, product_id: int) -> _Page:
    product = await read_owned(tx, shop_id=shop.id, merchant_ids=None, product_id=product_id)
    ids = [variant.id for variant in product.variants]
    prices = await read_variant_prices(tx, shop_id=shop.id, variant_ids=ids)
    terms = await read_terms(tx, shop_id=shop.id, product_id=product_id)
    stored = await read_translations(tx, shop_id=shop.id, product_id=product_id)
    none: dict[str, Translation] = {language: {} for language in shop.languages[1:]}
    translations = none | stored
    texts = texts_of(product, prices, terms, translations, currency=shop.currency)
    return _Page(product, prices, terms, translations, texts)


async def _pictures(
    tx: Transaction, *, shop_id: int, variants: Sequence[OwnedVariant]
) -> list[Picture]:
    """The product's pictures; none where several merchants have its SKU, so that it is not known whose they are."""
    try:
        _, pictures = await read_pictures(tx, shop_id=shop_id, sku=variants[0].sku)
    except CrossdockError:
        return []
    return pictures


def _plain(text: str | None, *, most: int, is_line: bool = False) -> str | None:
    if text is None:
        return None
    kept = text.replace("\x00", "")
    return (kept.strip() if is_line else kept)[:most]


def _product(request: Request) -> int:
    return number_of(request.path_params["product"])
