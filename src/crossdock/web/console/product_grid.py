"""The grid: prices and levels of many variants in one form, or pasted from a spreadsheet."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crossdock.compose import Services
from crossdock.errors import Invalid
from crossdock.gate import Form, Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.kit.paging import PlacePage
from crossdock.shop.people import Visit
from crossdock.shop.shops import read_shop
from crossdock.shop.warehouse import (
    GRID_MAX,
    GridLine,
    RowResult,
    edit_grid,
    find_by_sku,
    read_grid,
)
from crossdock.web.console.grid_texts import (
    COLUMNS,
    Pasted,
    changed_in,
    edits_in,
    read_pasted,
    seen_in,
    texts_of_row,
    typed_in,
    variants_in,
)
from crossdock.web.console.paging import PAGE_SIZE, Paging, paging, place_text, read_place
from crossdock.web.console.product_finding import find_goods
from crossdock.web.console.products import PRODUCTS
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import AddRoute, Pages

GRID: Final = f"{PRODUCTS}/grid"
FIELDS_MAX: Final = GRID_MAX * len(COLUMNS) * 2 + 50
_SEARCH_MAX: Final = 200
_REASONS: Final = {
    "unknown": lazy("There is no such variant."),
    "amount": lazy("A price is zero or more."),
    "sale": lazy("A sale's price is below the price."),
    "level": lazy("A level is zero or more, and at most a thousand million."),
    "serials": lazy("Its stock is its serials, so it is not entered."),
}


class ShownRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the form: what is in its fields, what its hidden ones say was shown, and what became of it."""

    line: GridLine
    values: Mapping[str, str]
    shown: Mapping[str, str]
    outcome: str = ""
    told: str = ""


class GridPages:
    """The page with the grid. What cannot be saved of it stays typed, with the reason beside it."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    def routes(self, get: AddRoute, post: AddRoute) -> list[Route]:
        """The routes of the grid."""
        return [
            get(GRID, self.show),
            post(GRID, self.save),
            post(f"{GRID}/paste", self.paste),
        ]

    async def show(self, request: Request) -> Response:
        """The variants of the products that a search finds, the newest first."""
        visit = await self._visit(request)
        search = request.query_params.get("q", "").replace("\x00", "").strip()[:_SEARCH_MAX]
        page = PlacePage(size=PAGE_SIZE, after=read_place(request.query_params))
        async with self._db.statement() as tx:
            shop = await read_shop(tx, slug=visit.person.shop)
            found, has_more = await find_goods(tx, shop_id=shop.id, search=search, page=page)
            ids = [variant.id for product in found for variant in product.variants]
            lines = await read_grid(tx, shop_id=shop.id, variant_ids=ids[:GRID_MAX])
        older = place_text((found[-1].created_at, found[-1].id)) if has_more else None
        return self._page(
            visit,
            [_stored(line, currency=shop.currency) for line in lines.values()],
            currency=shop.currency,
            search=search,
            cut=max(0, len(ids) - GRID_MAX),
            paging=paging(request, older=older),
        )

    async def paste(self, request: Request) -> Response:
        """The pasted rows in the grid; nothing is saved yet."""
        visit = await self._visit(request)
        form = await self._gate.checked_form(request, visit=visit)
        async with self._db.statement() as tx:
            shop = await read_shop(tx, slug=visit.person.shop)
            try:
                pasted = read_pasted(form.get("pasted", ""), most=GRID_MAX)
            except Invalid as error:
                return self._page(
                    visit,
                    [],
                    currency=shop.currency,
                    is_pasted=True,
                    pasted=form.get("pasted", ""),
                    wrong=why(error),
                )
            found = await find_by_sku(tx, shop_id=shop.id, skus=list(pasted))
            ids = [each[0] for each in found.values() if len(each) == 1]
            lines = await read_grid(tx, shop_id=shop.id, variant_ids=ids)
        return self._page(
            visit,
            [
                _stored(line, currency=shop.currency, typed=pasted[line.sku])
                for line in lines.values()
            ],
            currency=shop.currency,
            is_pasted=True,
            unknown=[sku for sku in pasted if sku not in found],
            shared=[sku for sku, each in found.items() if len(each) > 1],
        )

    async def save(self, request: Request) -> Response:
        """Save the rows that were changed and can be saved; each says what became of it."""
        visit = await self._visit(request)
        form = await self._gate.checked_form(request, visit=visit, fields_max=FIELDS_MAX)
        self._gate.note(request, visit=visit, form=changed_in(form))
        ids = variants_in(form)
        if len(ids) > GRID_MAX:
            raise Invalid("invalid_input", gettext("These are too many rows at once."))
        async with self._db.begin() as tx:
            shop = await read_shop(tx, slug=visit.person.shop)
            edits, mistakes = edits_in(form, currency=shop.currency)
            results = await edit_grid(
                tx,
                shop_id=shop.id,
                edits=edits,
                reason=f"grid ({visit.person.label})",
                now=self._clock.now(),
            )
            lines = await read_grid(tx, shop_id=shop.id, variant_ids=ids)
        rows = []
        for variant_id, line in lines.items():
            stored = _stored(line, currency=shop.currency)
            if variant_id in mistakes:
                rows.append(_refused(stored, form, told=mistakes[variant_id]))
            elif variant_id in results:
                rows.append(_result(stored, form, results[variant_id]))
            else:
                rows.append(stored)
        return self._page(visit, rows, currency=shop.currency, is_saved=True)

    async def _visit(self, request: Request) -> Visit:
        """Somebody who may set both prices and levels."""
        await self._gate.require_person(request, right="stock.adjust")
        return await self._gate.require_person(request, right="products.manage")

    def _page(
        self,
        visit: Visit,
        rows: Sequence[ShownRow],
        *,
        currency: str,
        search: str | None = None,
        cut: int = 0,
        paging: Paging | None = None,
        is_pasted: bool = False,
        is_saved: bool = False,
        unknown: Sequence[str] = (),
        shared: Sequence[str] = (),
        pasted: str = "",
        wrong: str = "",
    ) -> Response:
        return self._pages.page(
            "product_grid.html",
            visit=visit,
            status=400 if wrong else 200,
            rows=rows,
            currency=currency,
            search=search,
            cut=cut,
            paging=paging,
            is_pasted=is_pasted,
            is_saved=is_saved,
            unknown=unknown,
            shared=shared,
            pasted=pasted,
            wrong=wrong,
            columns=COLUMNS,
            most=GRID_MAX,
            saved=sum(row.outcome == "saved" for row in rows),
            left=sum(row.outcome in {"stale", "refused"} for row in rows),
        )


def _stored(line: GridLine, *, currency: str, typed: Pasted | None = None) -> ShownRow:
    """A row as it is stored, with what was pasted typed into it."""
    stored = texts_of_row(line.row, currency=currency)
    return ShownRow(line=line, values={**stored, **(typed or {})}, shown=stored)


def _refused(stored: ShownRow, form: Form, *, told: str) -> ShownRow:
    """A row that stays as it was sent."""
    number = stored.line.variant_id
    return msgspec.structs.replace(
        stored,
        values=typed_in(form, number, stored.shown),
        shown=seen_in(form, number, stored.shown),
        outcome="refused",
        told=told,
    )


def _result(stored: ShownRow, form: Form, result: RowResult) -> ShownRow:
    """A row after it was sent: as it is stored, or as it was typed where that could not be saved."""
    if result.outcome == "same":
        return stored
    if result.outcome == "saved":
        return msgspec.structs.replace(stored, outcome="saved", told=gettext("Saved."))
    if result.outcome == "refused":
        return _refused(stored, form, told=str(_REASONS[result.reason]))
    number = stored.line.variant_id
    seen = seen_in(form, number, stored.shown)
    changed = [
        f"{COLUMNS[name]} {text or '–'}"
        for name, text in stored.shown.items()
        if text != seen[name]
    ]
    told = gettext("Changed meanwhile, now: %(values)s. Save again to write over it.")
    return msgspec.structs.replace(
        stored,
        values={
            name: stored.shown[name] if text == seen[name] else text
            for name, text in typed_in(form, number, stored.shown).items()
        },
        outcome="stale",
        told=told % {"values": ", ".join(changed)},
    )
