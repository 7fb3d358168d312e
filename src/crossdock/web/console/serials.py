"""A variant's serials: listed masked, imported from a file, revealed one at a time, removed, replaced for a buyer."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, CrossdockError, Invalid, Unavailable
from crossdock.gate import Form, Gate, receive_form
from crossdock.kit.languages import gettext, lazy, ngettext
from crossdock.kit.numbers import read_number
from crossdock.shop.acts import close_act
from crossdock.shop.catalogue import OwnedProduct, find_product_of, read_owned
from crossdock.shop.orders import replace_bought_serials
from crossdock.shop.people import Visit
from crossdock.shop.stock import (
    SERIAL_STATES,
    SERIALS_MAX,
    SerialState,
    add_serials,
    browse_serials,
    import_serials,
    remove_serials,
    reveal_serial,
)
from crossdock.web.console.order_words import Word
from crossdock.web.console.paging import (
    PAGE_SIZE,
    Paging,
    paging,
    path_number,
    read_before,
)
from crossdock.web.console.products import STOCK
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import AddRoute, Pages, Told, redirect

FILE_MAX_BYTES: Final = 8_000_000
_SEARCH_MAX: Final = 512
_REASON_MAX: Final = 200
_CHOSEN: Final = "chosen."
STATES: Final[Mapping[SerialState, Word]] = {
    "unsold": Word(lazy("Unsold"), "", "○"),
    "sold": Word(lazy("Sold"), "good", "●"),
    "returned": Word(lazy("Returned"), "off", "↩"),
    "replaced": Word(lazy("Replaced"), "off", "✕"),
    "claimed": Word(lazy("Taken out by the shop"), "off", "–"),
    "transferred": Word(lazy("At a reseller"), "", "◐"),
}


class SerialPages:
    """The serials of a variant that is sold by them, or that is to be."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock
        self._box = services.box

    def routes(self, get: AddRoute, post: AddRoute) -> list[Route]:
        """The routes of these pages."""
        here = f"{STOCK}/{{variant}}/serials"
        return [
            get(here, self.browse),
            post(here, self.add),
            post(f"{here}/remove", self.remove),
            post(f"{here}/replace", self.replace),
            post(f"{here}/{{key}}/reveal", self.reveal),
        ]

    async def browse(self, request: Request) -> Response:
        """The serials by state, masked, those that the search finds."""
        visit = await self._gate.require_person(request, right="products.read")
        return await self._page(request, visit)

    async def add(self, request: Request) -> Response:
        """Take serials in, one a line of a file or of the field: all of them, or only those that are new."""
        visit = await self._gate.require_person(request, right="stock.adjust")
        check = partial(_check, self._gate, visit)
        async with receive_form(
            request, folder=self._services.import_folder.path, check_token=check
        ) as form:
            fields, given = form.fields, form.files.get("file")
            self._gate.note(request, visit=visit, form={"new": fields.get("new", "")})
            try:
                if given is not None and given.size_bytes > FILE_MAX_BYTES:
                    raise Invalid("invalid_input", gettext("The file is too large."))
                lines = await asyncio.to_thread(_lines, given.path if given else None, fields)
                added = await self._add(
                    request, visit, lines=lines, skips_known=fields.get("new") == "yes"
                )
            except (Invalid, Conflict) as error:
                return await self._page(request, visit, wrong=why(error), status=400)
        return redirect(f"{request.url.path}?done=added&many={added}")

    async def reveal(self, request: Request) -> Response:
        """Show one serial in plain text; who asked for it is noted before it is shown."""
        visit, _ = await self._gate.require_form(request, right="serials.reveal")
        variant_id, serial_id = path_number(request, "variant"), path_number(request, "key")
        async with self._db.statement() as tx:
            text = await reveal_serial(
                tx,
                shop_id=visit.person.shop_id,
                variant_id=variant_id,
                serial_id=serial_id,
                box=self._box,
            )
        await close_act(self._db)
        return await self._page(request, visit, revealed=(serial_id, text))

    async def remove(self, request: Request) -> Response:
        """Take unsold serials out for good; asked before by the page itself."""
        visit, form = await self._gate.require_form(request, right="stock.adjust")
        variant_id = path_number(request, "variant")
        chosen = [
            number
            for name in form
            if (number := read_number(name.removeprefix(_CHOSEN))) and name.startswith(_CHOSEN)
        ]
        try:
            if not chosen or form.get("certain") != "yes":
                raise Invalid(
                    "invalid_input",
                    gettext("Choose the serials, and confirm that they are removed for good."),
                )
            async with self._db.begin() as tx:
                removed = await remove_serials(
                    tx,
                    shop_id=visit.person.shop_id,
                    variant_id=variant_id,
                    serial_ids=chosen,
                    now=self._clock.now(),
                )
        except Unavailable:
            raise
        except CrossdockError as error:
            return await self._page(request, visit, wrong=why(error), status=400)
        return redirect(f"{_here(variant_id)}?done=removed&many={removed}")

    async def replace(self, request: Request) -> Response:
        """Revoke valid serials of an order for ever, give its buyer as many others, and mail them."""
        visit, form = await self._gate.require_form(request, right="orders.manage")
        shop_id, variant_id = visit.person.shop_id, path_number(request, "variant")
        order_id, quantity = read_number(form.get("order", "").strip()), _quantity(form)
        try:
            if order_id is None:
                raise Invalid("invalid_input", gettext("Enter the order's number."))
            async with self._db.begin() as tx:
                product = await _product(tx, shop_id=shop_id, variant_id=variant_id)
                done = await replace_bought_serials(
                    tx,
                    shop_id=shop_id,
                    order_id=order_id,
                    product_id=product.id,
                    quantity=quantity,
                    overrides=form.get("overrides") == "yes",
                    reason=form.get("reason", "").strip()[:_REASON_MAX],
                    mailing=self._services.mailing,
                    now=self._clock.now(),
                )
        except Unavailable:
            raise
        except CrossdockError as error:
            return await self._page(request, visit, wrong=why(error), status=400)
        what = "mailed" if done.is_mailed else "replaced"
        return redirect(f"{_here(variant_id)}?q={order_id}&done={what}&many={done.quantity}")

    async def _add(
        self, request: Request, visit: Visit, *, lines: list[str], skips_known: bool
    ) -> int:
        shop_id, variant_id = visit.person.shop_id, path_number(request, "variant")
        async with self._db.begin() as tx:
            await _product(tx, shop_id=shop_id, variant_id=variant_id)
            values = {"shop_id": shop_id, "variant_id": variant_id}
            if skips_known:
                return await add_serials(
                    tx,
                    **values,
                    serials=[line for line in lines if line.strip()],
                    box=self._box,
                    now=self._clock.now(),
                    skips_known=True,
                )
            return await import_serials(
                tx,
                **values,
                lines=lines,
                box=self._box,
                now=self._clock.now(),
                moved=lambda _count: None,
            )

    async def _page(
        self,
        request: Request,
        visit: Visit,
        *,
        revealed: tuple[int, str] | None = None,
        wrong: str = "",
        status: int = 200,
    ) -> Response:
        shop_id, variant_id = visit.person.shop_id, path_number(request, "variant")
        values = request.query_params
        state = next((each for each in SERIAL_STATES if each == values.get("state", "")), None)
        search = values.get("q", "").replace("\x00", "").strip()[:_SEARCH_MAX]
        if revealed:
            search = str(revealed[0])
        async with self._db.statement() as tx:
            product = await _product(tx, shop_id=shop_id, variant_id=variant_id)
            found = await browse_serials(
                tx,
                shop_id=shop_id,
                variant_id=variant_id,
                box=self._box,
                state=state,
                search=search,
                before=read_before(values),
                limit=PAGE_SIZE + 1,
            )
        shown = found[:PAGE_SIZE]
        return self._pages.page(
            "serials.html",
            visit=visit,
            status=status,
            product=product,
            variant=next(each for each in product.variants if each.id == variant_id),
            serials=shown,
            states=STATES,
            state=state,
            search=search,
            paging=paging(request, older=shown[-1].id if len(found) > PAGE_SIZE else None)
            if request.method == "GET"
            else Paging(newest="", older=""),
            revealed=revealed,
            wrong=wrong,
            most=SERIALS_MAX,
            path=_here(variant_id),
            done=None if wrong or revealed else _done(values),
        )


def _here(variant_id: int) -> str:
    return f"{STOCK}/{variant_id}/serials"


def _check(gate: Gate, visit: Visit, token: str) -> None:
    gate.check_form(visit, form_token=token)


def _lines(path: Path | None, fields: Form) -> list[str]:
    """The lines of the file, else of the field. Raises Invalid `invalid_input` for what is no text."""
    if path is None:
        return fields.get("keys", "").splitlines()
    try:
        return path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise Invalid("invalid_input", gettext("The file is not UTF-8 text.")) from None


def _quantity(form: Form) -> int:
    return read_number(form.get("quantity", "").strip()) or 0


async def _product(tx: Transaction, *, shop_id: int, variant_id: int) -> OwnedProduct:
    product_id = await find_product_of(tx, shop_id=shop_id, variant_id=variant_id)
    return await read_owned(tx, shop_id=shop_id, merchant_ids=None, product_id=product_id)


def _done(values: Mapping[str, str]) -> Told | None:
    """What was done, by the address."""
    many = read_number(values.get("many", "")) or 0
    texts = {
        "added": ngettext("%(num)s serial was added.", "%(num)s serials were added.", many),
        "removed": ngettext("%(num)s serial was removed.", "%(num)s serials were removed.", many),
        "mailed": ngettext(
            "%(num)s serial was replaced; its buyer is mailed the new one.",
            "%(num)s serials were replaced; their buyer is mailed the new ones.",
            many,
        ),
        "replaced": ngettext(
            "%(num)s serial was replaced.", "%(num)s serials were replaced.", many
        ),
    }
    text = texts.get(values.get("done", ""))
    return None if text is None else Told(text=text % {"num": many})
