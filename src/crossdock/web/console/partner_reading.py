"""The partner of a path, and its page, which several forms lead back to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.languages import gettext, lazy
from crossdock.shop.catalogue import list_merchants
from crossdock.shop.customers import find_customer
from crossdock.shop.partners import CALLS_KEPT, PartnerView, list_calls, list_partners
from crossdock.shop.people import Person, Visit
from crossdock.shop.pricing import list_price_lists
from crossdock.shop.shops import read_shop_by_id
from crossdock.web.console.call_words import is_accepted, verdict
from crossdock.web.console.paging import path_number
from crossdock.web.console.rendering import Pages

PARTNERS: Final = "/console/partners"
OVERLAPS_S: Final = {
    "0": lazy("stops working at once"),
    "3600": lazy("works for one more hour"),
    "86400": lazy("works for one more day"),
    "604800": lazy("works for one more week"),
}


async def partner_of(tx: Transaction, request: Request, person: Person) -> PartnerView:
    """The partner of the path, if it is of the person's shop. Raises NotFound `not_found`."""
    found = await list_partners(tx, shop=person.shop, partner_id=path_number(request, "partner"))
    if found:
        return found[0]
    raise NotFound("not_found", gettext("The shop has no such partner."))


class NamedTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner's terms mean by their numbers, by name; '' and None for none."""

    customer: str
    price_list: str
    merchants: list[str]
    currency: str


async def _named(tx: Transaction, *, shop_id: int, partner: PartnerView) -> NamedTerms:
    customer = None
    if partner.customer_id is not None:
        customer = await find_customer(tx, shop_id=shop_id, who=str(partner.customer_id))
    lists = await list_price_lists(tx, shop_id=shop_id)
    merchants = await list_merchants(tx, shop_id=shop_id) if partner.visible_merchants else []
    return NamedTerms(
        customer=(customer.billing.company or customer.email) if customer else "",
        price_list=next((each.name for each in lists if each.id == partner.price_list_id), ""),
        merchants=[each.name for each in merchants if each.id in (partner.visible_merchants or ())],
        currency=(await read_shop_by_id(tx, shop_id=shop_id)).currency,
    )


async def partner_page(
    tx: Transaction,
    pages: Pages,
    *,
    visit: Visit,
    partner: PartnerView,
    now: datetime,
    hours: Mapping[str, str],
    done: str = "",
    created: Mapping[str, str] | None = None,
    is_new: bool = False,
    can_order: bool = True,
) -> Response:
    """The partner's page; `created` is a new secret by its names, shown this once."""
    calls = await list_calls(tx, shop_id=visit.person.shop_id, partner_id=partner.id)
    return pages.page(
        "partner_terms.html",
        visit=visit,
        partner=partner,
        named=await _named(tx, shop_id=visit.person.shop_id, partner=partner),
        overlaps=OVERLAPS_S,
        now=now,
        done=done,
        created=created,
        is_new=is_new,
        can_order=can_order,
        calls=calls,
        calls_kept=CALLS_KEPT,
        hours=hours,
        is_watched=partner.watched_until is not None and partner.watched_until > now,
        verdict=verdict,
        is_accepted=is_accepted,
    )
