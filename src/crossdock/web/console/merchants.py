"""Merchants: whose goods the shop sells, on which terms, and what was sold of them."""

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError
from crossdock.gate import Form, Gate
from crossdock.kit.countries import countries_by_name
from crossdock.kit.languages import lazy, spoken
from crossdock.shop.catalogue import (
    MERCHANT_WORDS,
    MerchantView,
    add_merchant,
    browse_merchants,
    merchant_changes,
    merchant_record,
    merchant_words,
    read_merchant_by_id,
    set_merchant,
)
from crossdock.shop.dispatch import list_connectors
from crossdock.shop.ledger import AccountView, LedgerEntry, list_accounts, list_entries
from crossdock.shop.people import Visit
from crossdock.shop.shops import Shop, read_shop_by_id
from crossdock.web.console.confirming import told_of, undo_query
from crossdock.web.console.list_columns import Column, read_columns
from crossdock.web.console.paging import PAGE_SIZE, paging, path_number, read_before
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import AddRoute, Pages, Undo, redirect

MERCHANTS: Final = "/console/merchants"
COLUMNS: Final[Mapping[str, Column]] = {
    "connector": Column(lazy("Connector")),
    "shipping": Column(lazy("Shipping")),
    "status": Column(lazy("Status")),
    "products": Column(lazy("Products"), is_number=True),
}
"""The columns of the list besides its first."""
_DONE: Final = {
    "added": lazy("The merchant is added. An import that names it adds its goods."),
    "changed": lazy("The changes are saved. Carts have the new terms at once."),
    "on": lazy("The merchant's goods are for sale again."),
    "off": lazy("The merchant's goods are out of sale. Orders that are placed stay as they are."),
}
_REFUSED: Final = {"invalid_input", "exists"}
_STATES: Final = {"on": True, "off": False}
_TEXT_MAX: Final = 200
_ENTRIES: Final = 10


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """What was sold of a merchant's goods in a currency: its own part, and the shop's share."""

    currency: str
    own: AccountView | None = None
    share: AccountView | None = None
    latest: tuple[LedgerEntry, ...] = ()

    @property
    def own_minor(self) -> int:
        """What the merchant's account has."""
        return self.own.balance_minor if self.own else 0

    @property
    def share_minor(self) -> int:
        """What the shop's share came to."""
        return self.share.balance_minor if self.share else 0


class MerchantPages:
    """The list, a merchant's page, and the form that adds or changes one."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    def routes(self, get: AddRoute, post: AddRoute) -> list[Route]:
        """The routes of these pages."""
        one = f"{MERCHANTS}/{{merchant}}"
        return [
            get(MERCHANTS, self.browse),
            get(f"{MERCHANTS}/new", self.ask_new),
            post(f"{MERCHANTS}/new", self.add),
            get(one, self.show),
            get(f"{one}/edit", self.ask_change),
            post(f"{one}/edit", self.change),
            post(f"{one}/listing", self.switch),
        ]

    async def browse(self, request: Request) -> Response:
        """Merchants by name, those that the search finds, in sale or out of it."""
        visit = await self._gate.require_person(request, right="products.read")
        values = request.query_params
        search = values.get("q", "").replace("\x00", "").strip()[:_TEXT_MAX]
        state = values.get("state", "")
        async with self._db.statement() as tx:
            shop = await read_shop_by_id(tx, shop_id=visit.person.shop_id)
            found = await browse_merchants(
                tx,
                shop_id=shop.id,
                search=search,
                enabled=_STATES.get(state),
                after=read_before(values),
                limit=PAGE_SIZE + 1,
            )
        shown, has_more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
        return self._pages.page(
            "merchants.html",
            visit=visit,
            columns=read_columns(request, COLUMNS),
            merchants=shown,
            search=search,
            state=state if state in _STATES else "",
            currency=shop.currency,
            paging=paging(request, older=shown[-1].id if has_more else None),
        )

    async def show(self, request: Request) -> Response:
        """A merchant with its terms, and for who may see the accounts, what was sold of its goods."""
        visit = await self._gate.require_person(request, right="products.read")
        async with self._db.statement() as tx:
            shop, merchant = await self._read(tx, request, visit)
            sold = await _sold(tx, merchant, shop) if visit.person.may("ledger.read") else []
        return self._pages.page(
            "merchant.html",
            visit=visit,
            merchant=merchant,
            currency=shop.currency,
            sold=sold,
            done=told_of(visit, request, _DONE),
        )

    async def ask_new(self, request: Request) -> Response:
        """The form for a new merchant."""
        visit = await self._gate.require_person(request, right="products.manage")
        return await self._form(visit, form={})

    async def add(self, request: Request) -> Response:
        """Add a merchant with its terms."""
        visit, form = await self._gate.require_form(
            request, right="products.manage", personal=("email",)
        )
        name = form.get("name", "").replace("\x00", "").strip()
        try:
            async with self._db.begin() as tx:
                shop = await read_shop_by_id(tx, shop_id=visit.person.shop_id)
                changes = await _changes(tx, form, shop)
                merchant = await add_merchant(
                    tx,
                    shop_id=shop.id,
                    record=merchant_record({"name": name} | changes),
                    now=self._clock.now(),
                )
        except CrossdockError as error:
            if error.code not in _REFUSED:
                raise
            return await self._form(visit, form=form, error=error)
        return redirect(f"{MERCHANTS}/{merchant.id}?done=added")

    async def ask_change(self, request: Request) -> Response:
        """The form with the merchant's present terms."""
        visit = await self._gate.require_person(request, right="products.manage")
        async with self._db.statement() as tx:
            shop, merchant = await self._read(tx, request, visit)
        form = merchant_words(merchant, currency=shop.currency)
        return await self._form(visit, form=form, merchant=merchant)

    async def change(self, request: Request) -> Response:
        """Change the terms; the page after it offers to take it back."""
        visit, form = await self._gate.require_form(
            request, right="products.manage", personal=("email",)
        )
        async with self._db.statement() as tx:
            shop, merchant = await self._read(tx, request, visit)
        try:
            async with self._db.begin() as tx:
                await set_merchant(
                    tx,
                    shop_id=shop.id,
                    who=merchant.slug,
                    changes=await _changes(tx, form, shop),
                    now=self._clock.now(),
                )
        except CrossdockError as error:
            if error.code not in _REFUSED:
                raise
            return await self._form(visit, form=form, merchant=merchant, error=error)
        before = merchant_words(merchant, currency=shop.currency)
        here = f"{MERCHANTS}/{merchant.id}"
        undo = undo_query(visit, Undo(action=f"{here}/edit", fields=before))
        return redirect(f"{here}?done=changed{undo}")

    async def switch(self, request: Request) -> Response:
        """Take all of a merchant's goods out of sale, or put them on sale again."""
        visit, form = await self._gate.require_form(request, right="products.manage")
        is_on = form.get("on") == "yes"
        async with self._db.begin() as tx:
            shop, merchant = await self._read(tx, request, visit)
            await set_merchant(
                tx,
                shop_id=shop.id,
                who=merchant.slug,
                changes={"enabled": is_on},
                now=self._clock.now(),
            )
        here = f"{MERCHANTS}/{merchant.id}"
        undo = Undo(action=f"{here}/listing", fields={"on": "no" if is_on else "yes"})
        return redirect(f"{here}?done={'on' if is_on else 'off'}{undo_query(visit, undo)}")

    async def _read(
        self, tx: Transaction, request: Request, visit: Visit
    ) -> tuple[Shop, MerchantView]:
        shop = await read_shop_by_id(tx, shop_id=visit.person.shop_id)
        merchant_id = path_number(request, "merchant")
        return shop, await read_merchant_by_id(tx, shop_id=shop.id, merchant_id=merchant_id)

    async def _form(
        self,
        visit: Visit,
        *,
        form: Form,
        merchant: MerchantView | None = None,
        error: CrossdockError | None = None,
    ) -> Response:
        async with self._db.statement() as tx:
            shop = await read_shop_by_id(tx, shop_id=visit.person.shop_id)
            connectors = await list_connectors(tx, shop_id=shop.id)
        return self._pages.page(
            "merchant_form.html",
            visit=visit,
            status=422 if error else 200,
            form=form,
            merchant=merchant,
            error=why(error) if error else "",
            wrong=error.data.get("field", "") if error else "",
            currency=shop.currency,
            countries=countries_by_name(spoken()),
            connectors=connectors,
        )


async def _changes(tx: Transaction, form: Form, shop: Shop) -> dict[str, object]:
    """What the fields of the form say."""
    words = {name: form[name].replace("\x00", "") for name in MERCHANT_WORDS if name in form}
    known = [connector.name for connector in await list_connectors(tx, shop_id=shop.id)]
    return merchant_changes(words, currency=shop.currency, connectors=known)


async def _sold(tx: Transaction, merchant: MerchantView, shop: Shop) -> list[Sold]:
    """What was sold of the merchant's goods, by currency; nothing yet is a sum of the shop's currency."""
    found: dict[str, dict[str, AccountView]] = {}
    for account in await list_accounts(tx, shop_id=shop.id, owner=f"merchant:{merchant.id}"):
        found.setdefault(account.currency, {})[account.kind] = account
    sold: list[Sold] = []
    for currency, accounts in (found or {shop.currency: {}}).items():
        own = accounts.get("sales")
        latest = (
            await list_entries(tx, shop_id=shop.id, account_id=own.id, limit=_ENTRIES)
            if own
            else []
        )
        sold.append(
            Sold(
                currency=currency,
                own=own,
                share=accounts.get("commission"),
                latest=tuple(latest),
            )
        )
    return sold
