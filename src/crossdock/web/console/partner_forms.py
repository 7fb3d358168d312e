"""Forms that add a partner of any channel and change its terms."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, Invalid, NotFound
from crossdock.gate import Form, Gate
from crossdock.kit.languages import gettext
from crossdock.kit.money import format_minor
from crossdock.shop.catalogue import MerchantView, list_merchants
from crossdock.shop.customers import Customer, browse_customers, find_customer
from crossdock.shop.partners import (
    ANY_TEXT,
    Admitted,
    Admitting,
    ChannelFacts,
    PartnerView,
    admit_partner,
    change_terms,
    is_secret,
    list_partners,
)
from crossdock.shop.people import Visit
from crossdock.shop.pricing import PriceList, list_price_lists
from crossdock.shop.shops import Shop, read_shop_by_id
from crossdock.web.console.paging import path_number
from crossdock.web.console.partner_calls import HOURS
from crossdock.web.console.partner_reading import PARTNERS, partner_page
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages, redirect

_BOXES_MAX: Final = 12
_AMOUNTS: Final = ("min_amount", "max_amount")
_REFUSED: Final = {"invalid_input", "exists", "not_found"}


class PartnerForms:
    """The form for a new partner, and the one for the terms of a partner that there is."""

    def __init__(
        self,
        gate: Gate,
        pages: Pages,
        *,
        services: Services,
        facts: Mapping[str, ChannelFacts],
        rate_limit_per_minute: int,
    ) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._facts = facts
        self._rate_limit_per_minute = rate_limit_per_minute
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def ask_new(self, request: Request) -> Response:
        """The choice of a channel, then the form for a partner of it."""
        visit = await self._gate.require_person(request, right="partners.manage")
        channel = request.query_params.get("channel", "")
        if channel not in self._facts:
            customer = request.query_params.get("customer", "")[:254]
            return self._pages.page(
                "partner_new.html",
                visit=visit,
                channels=list(self._facts.values()),
                kept=f"&{urlencode({'customer': customer})}" if customer else "",
            )
        facts = self._facts[channel]
        form = {f"permission:{name}": "yes" for name in facts.given} | {
            "permissions": ",".join(facts.given),
            "customer": request.query_params.get("customer", "")[:254],
        }
        return await self._form(visit, facts=facts, form=form)

    async def add(self, request: Request) -> Response:
        """Add the partner, and show its key this once."""
        visit, form = await self._gate.require_form(request, right="partners.manage")
        facts = self._facts.get(form.get("channel", ""))
        if facts is None:
            raise Invalid("invalid_input", gettext("Choose a channel."), {"field": "channel"})
        try:
            async with self._db.begin() as tx:
                admitted = await admit_partner(
                    tx,
                    admitting=await self._admitting(tx, visit, facts=facts),
                    name=form.get("name", ""),
                    words=await self._words(tx, visit, facts=facts, form=form, is_new=True),
                    is_test=form.get("is_test") == "yes",
                )
        except CrossdockError as error:
            if error.code not in _REFUSED:
                raise
            return await self._form(visit, facts=facts, form=form, error=error)
        return await self._added(visit, admitted=admitted, facts=facts)

    async def ask_terms(self, request: Request) -> Response:
        """The form with the partner's present terms."""
        visit = await self._gate.require_person(request, right="partners.manage")
        partner, facts = await self._read(request, visit)
        async with self._db.statement() as tx:
            shop = await read_shop_by_id(tx, shop_id=visit.person.shop_id)
            customer = await _email_of(tx, visit, partner=partner)
        form = _present(partner, currency=shop.currency) | {"customer": customer}
        return await self._form(visit, facts=facts, form=form, partner=partner)

    async def change(self, request: Request) -> Response:
        """Change the terms, from the partner's next request on."""
        visit, form = await self._gate.require_form(request, right="partners.manage")
        partner, facts = await self._read(request, visit)
        try:
            async with self._db.begin() as tx:
                await change_terms(
                    tx,
                    admitting=await self._admitting(tx, visit, facts=facts),
                    partner_id=partner.id,
                    words=await self._words(tx, visit, facts=facts, form=form, is_new=False),
                )
        except CrossdockError as error:
            if error.code not in _REFUSED:
                raise
            return await self._form(visit, facts=facts, form=form, partner=partner, error=error)
        return redirect(f"{PARTNERS}/{partner.id}?done=terms")

    async def _added(self, visit: Visit, *, admitted: Admitted, facts: ChannelFacts) -> Response:
        shown: dict[str, str] = {}
        for each in admitted.created:
            shown |= {facts.shown_as.get(name, name): text for name, text in each.shown.items()}
        async with self._db.statement() as tx:
            (partner,) = await list_partners(
                tx, shop=visit.person.shop, partner_id=admitted.partner_id
            )
            return await partner_page(
                tx,
                self._pages,
                visit=visit,
                partner=partner,
                now=self._clock.now(),
                hours=HOURS,
                created=shown,
                is_new=True,
                can_order=admitted.can_order,
            )

    async def _form(
        self,
        visit: Visit,
        *,
        facts: ChannelFacts,
        form: Form,
        partner: PartnerView | None = None,
        error: CrossdockError | None = None,
    ) -> Response:
        async with self._db.statement() as tx:
            shop, merchants, lists, customers = await self._choices(tx, visit)
        return self._pages.page(
            "partner_form.html",
            visit=visit,
            status=422 if error else 200,
            facts=facts,
            form=form,
            partner=partner,
            error=why(error) if error else "",
            currency=shop.currency,
            merchants=merchants,
            has_boxes=len(facts.permissions) <= _BOXES_MAX,
            merchants_as_boxes=len(merchants) <= _BOXES_MAX,
            price_lists=lists,
            customers=customers,
            settings={name: _kind(known) for name, known in facts.settings.items()},
            known=facts.settings,
            limit=self._rate_limit_per_minute,
        )

    async def _choices(
        self, tx: Transaction, visit: Visit
    ) -> tuple[Shop, list[MerchantView], list[PriceList], list[Customer]]:
        shop_id = visit.person.shop_id
        return (
            await read_shop_by_id(tx, shop_id=shop_id),
            await list_merchants(tx, shop_id=shop_id),
            await list_price_lists(tx, shop_id=shop_id),
            (await browse_customers(tx, shop_id=shop_id))[0],
        )

    async def _admitting(self, tx: Transaction, visit: Visit, *, facts: ChannelFacts) -> Admitting:
        services = self._services
        return Admitting(
            shop=await read_shop_by_id(tx, shop_id=visit.person.shop_id),
            facts=facts,
            ids=services.ids,
            box=lambda: services.box,
            outbound=services.outbound,
        )

    async def _words(
        self, tx: Transaction, visit: Visit, *, facts: ChannelFacts, form: Form, is_new: bool
    ) -> dict[str, str]:
        """The form as the words of `partner set`; what is empty is none, an empty secret stays as it is."""
        merchants = await list_merchants(tx, shop_id=visit.person.shop_id)
        words = {
            "customer": form.get("customer", "").strip() or "none",
            "backorder": "yes" if form.get("backorder") == "yes" else "no",
            "price_list": form.get("price_list", "") or "none",
            "rate_limit_per_minute": form.get("rate_limit", "").strip() or "none",
            "permissions": _listed(form, "permission", facts.permissions)
            if len(facts.permissions) <= _BOXES_MAX
            else form.get("permissions", ""),
        }
        words |= {name: form.get(name, "").strip() or "none" for name in _AMOUNTS}
        if len(merchants) <= _BOXES_MAX:
            chosen = _listed(form, "merchant", [str(each.id) for each in merchants])
            words["visible_merchants"] = "all" if form.get("merchants") != "some" else chosen
        else:
            words["visible_merchants"] = form.get("visible_merchants", "").strip() or "all"
        for name, known in facts.settings.items():
            text = form.get(f"own_secret:{name}" if is_secret(known) else f"own:{name}", "").strip()
            if text or not (is_secret(known) or is_new):
                words[name] = text or "none"
        return words

    async def _read(self, request: Request, visit: Visit) -> tuple[PartnerView, ChannelFacts]:
        async with self._db.statement() as tx:
            found = await list_partners(
                tx, shop=visit.person.shop, partner_id=path_number(request, "partner")
            )
        if not found or found[0].channel not in self._facts:
            raise NotFound("not_found", gettext("The shop has no such partner."))
        return found[0], self._facts[found[0].channel]


def _listed(form: Form, kind: str, names: "tuple[str, ...] | list[str]") -> str:
    """The boxes of this kind that are ticked, with commas; '' for none."""
    return ",".join(name for name in names if form.get(f"{kind}:{name}") == "yes") or (
        "none" if kind == "permission" else ""
    )


def _kind(known: tuple[str, ...]) -> str:
    """How a channel's setting is asked for."""
    if is_secret(known):
        return "secret"
    if known in {("yes", "no"), ("no", "yes")} or (
        len(known) > 1 and not any(word in known for word in (ANY_TEXT,))
    ):
        return "choice"
    return "text"


async def _email_of(tx: Transaction, visit: Visit, *, partner: PartnerView) -> str:
    if partner.customer_id is None:
        return ""
    who = str(partner.customer_id)
    found = await find_customer(tx, shop_id=visit.person.shop_id, who=who)
    return found.email if found else ""


def _present(partner: PartnerView, *, currency: str) -> dict[str, str]:
    """The partner's terms as the fields of the form."""
    own = {
        f"own:{name}": _text(value)
        for name, value in partner.settings.items()
        if name != "rate_limit_per_minute"
    }
    limit = partner.settings.get("rate_limit_per_minute")
    merchants = partner.visible_merchants
    return {
        "backorder": "yes" if partner.backorder else "",
        "price_list": str(partner.price_list_id or ""),
        "rate_limit": "" if limit is None else str(limit),
        "permissions": ",".join(partner.permissions),
        "merchants": "all" if merchants is None else "some",
        "visible_merchants": "all" if merchants is None else ",".join(map(str, merchants)),
        "min_amount": _amount(partner.min_amount_minor, currency),
        "max_amount": _amount(partner.max_amount_minor, currency),
        **{f"permission:{name}": "yes" for name in partner.permissions},
        **{f"merchant:{each}": "yes" for each in merchants or ()},
        **own,
    }


def _amount(minor: int | None, currency: str) -> str:
    return "" if minor is None else format_minor(minor, currency)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return str(value)
