"""Customers: the buyers for whom partners order, with their addresses and their sales rep."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, NotFound
from crossdock.gate import Form, Gate
from crossdock.kit.countries import countries_by_name
from crossdock.kit.languages import gettext, lazy, spoken
from crossdock.kit.numbers import read_number
from crossdock.shop.acts import EVERY_FIELD
from crossdock.shop.customers import (
    Address,
    Customer,
    CustomerChange,
    SalesRep,
    add_customer,
    browse_customers,
    find_customer,
    list_sales_reps,
    set_customer,
)
from crossdock.shop.people import Visit
from crossdock.web.console.area_words import FIELD_WORDS
from crossdock.web.console.list_columns import Column, read_columns
from crossdock.web.console.paging import paging, path_number, read_before
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages, redirect

CUSTOMERS: Final = "/console/customers"
FIELDS: Final = {name: text for name, text in FIELD_WORDS.items() if name != "email"}
COLUMNS: Final[Mapping[str, Column]] = {
    "email": Column(lazy("E-mail")),
    "city": Column(lazy("City")),
    "orders": Column(lazy("Orders for it")),
}
"""The columns of the list besides its first."""
_DONE: Final = {
    "added": lazy("The customer is added."),
    "changed": lazy("The changes are saved."),
    "on": lazy("Orders for the customer are accepted again."),
    "off": lazy("Orders for the customer are refused from now on."),
}
_REFUSED: Final = {"invalid_input", "exists", "not_found"}
_TEXT_MAX: Final = 200


class CustomerPages:
    """The list, the form for a new customer, and a customer's page."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database

    async def browse(self, request: Request) -> Response:
        """The newest customers, or those that the search finds."""
        visit = await self._gate.require_person(request, right="customers.read")
        search = request.query_params.get("q", "").replace("\x00", "").strip()[:_TEXT_MAX]
        async with self._db.statement() as tx:
            customers, has_more = await browse_customers(
                tx,
                shop_id=visit.person.shop_id,
                search=search,
                before=read_before(request.query_params),
            )
        return self._pages.page(
            "customers.html",
            visit=visit,
            columns=read_columns(request, COLUMNS),
            customers=customers,
            search=search,
            paging=paging(request, older=customers[-1].id if has_more else None),
        )

    async def ask_new(self, request: Request) -> Response:
        """The form for a new customer."""
        visit = await self._gate.require_person(request, right="customers.manage")
        return await self._form(visit, form={"same": "yes"})

    async def add(self, request: Request) -> Response:
        """Add a customer; without a shipping address of its own, parcels go to the billing address."""
        visit, form = await self._gate.require_form(
            request, right="customers.manage", personal=EVERY_FIELD
        )
        email = form.get("email", "").strip()
        billing = Address(email=email, **_address(form, "billing"))
        is_same = form.get("same") == "yes"
        shipping = billing if is_same else Address(**_address(form, "shipping"))
        try:
            async with self._db.begin() as tx:
                customer_id = await add_customer(
                    tx,
                    shop_id=visit.person.shop_id,
                    email=email,
                    billing=billing,
                    shipping=shipping,
                )
                if rep := _rep(form):
                    change = CustomerChange(sales_rep_id=rep)
                    await set_customer(
                        tx, shop_id=visit.person.shop_id, customer_id=customer_id, change=change
                    )
        except CrossdockError as error:
            if error.code not in _REFUSED:
                raise
            return await self._form(visit, form=form, error=error)
        return redirect(f"{CUSTOMERS}/{customer_id}?done=added")

    async def show(self, request: Request) -> Response:
        """A customer, with the form that changes it for those who may."""
        visit = await self._gate.require_person(request, right="customers.read")
        async with self._db.statement() as tx:
            customer = await self._read(tx, request, visit)
        return await self._form(
            visit,
            form=_present(customer),
            customer=customer,
            done=_DONE.get(request.query_params.get("done", ""), ""),
        )

    async def change(self, request: Request) -> Response:
        """Change a customer. Orders that were placed keep their addresses."""
        visit, form = await self._gate.require_form(
            request, right="customers.manage", personal=EVERY_FIELD
        )
        async with self._db.statement() as tx:
            customer = await self._read(tx, request, visit)
        email = form.get("email", "").strip()
        billing = _address(form, "billing") | {"email": email}
        is_same = form.get("same") == "yes"
        change = CustomerChange(
            email=email,
            sales_rep_id=_rep(form),
            billing=billing,
            shipping=billing if is_same else _address(form, "shipping"),
        )
        try:
            async with self._db.begin() as tx:
                await set_customer(
                    tx, shop_id=visit.person.shop_id, customer_id=customer.id, change=change
                )
        except CrossdockError as error:
            if error.code not in _REFUSED:
                raise
            return await self._form(visit, form=form, customer=customer, error=error)
        return redirect(f"{CUSTOMERS}/{customer.id}?done=changed")

    async def switch(self, request: Request) -> Response:
        """Refuse orders for a customer, or accept them again."""
        visit, form = await self._gate.require_form(request, right="customers.manage")
        is_on = form.get("on") == "yes"
        async with self._db.begin() as tx:
            customer = await self._read(tx, request, visit)
            await set_customer(
                tx,
                shop_id=visit.person.shop_id,
                customer_id=customer.id,
                change=CustomerChange(active=is_on),
            )
        return redirect(f"{CUSTOMERS}/{customer.id}?done={'on' if is_on else 'off'}")

    async def _read(self, tx: Transaction, request: Request, visit: Visit) -> Customer:
        who = str(path_number(request, "customer"))
        found = await find_customer(tx, shop_id=visit.person.shop_id, who=who)
        if found is None:
            raise NotFound("not_found", gettext("The shop has no such customer."))
        return found

    async def _form(
        self,
        visit: Visit,
        *,
        form: Form,
        customer: Customer | None = None,
        done: str = "",
        error: CrossdockError | None = None,
    ) -> Response:
        async with self._db.statement() as tx:
            reps: list[SalesRep] = await list_sales_reps(tx, shop_id=visit.person.shop_id)
        return self._pages.page(
            "customer.html",
            visit=visit,
            status=422 if error else 200,
            form=form,
            customer=customer,
            done=done,
            error=why(error) if error else "",
            fields=FIELDS,
            countries=countries_by_name(spoken()),
            reps=[rep for rep in reps if rep.active or str(rep.id) == form.get("sales_rep")],
            may_change=visit.person.may("customers.manage"),
        )


def _address(form: Form, kind: str) -> dict[str, str]:
    return {name: form.get(f"{kind}_{name}", "").strip()[:_TEXT_MAX] for name in FIELDS}


def _rep(form: Form) -> int | None:
    return read_number(form.get("sales_rep", ""))


def _present(customer: Customer) -> Mapping[str, str]:
    """The customer as the fields of the form."""
    found: dict[str, str] = {
        "email": customer.email,
        "sales_rep": str(customer.sales_rep_id or ""),
    }
    for kind in ("billing", "shipping"):
        parts: dict[str, Any] = msgspec.structs.asdict(getattr(customer, kind))
        found |= {f"{kind}_{name}": parts[name] for name in FIELDS}
    if all(found[f"billing_{name}"] == found[f"shipping_{name}"] for name in FIELDS):
        found["same"] = "yes"
    return found
