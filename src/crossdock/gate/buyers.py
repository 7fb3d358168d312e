"""Whose page a buyer sees, and in which language it is: that of the order, else the browser's, else the shop's."""

from collections.abc import Iterable
from typing import Final

import msgspec
from starlette.requests import Request

from crossdock.db.unit_of_work import Database
from crossdock.errors import Unavailable
from crossdock.kit.languages import language_for
from crossdock.shop.media import image_file_url
from crossdock.shop.shops import Shop, find_only_shop

_LOGO_EDGE: Final = 100
"""The short edge of the logo's version: some 40 pixels are shown, on fine screens twice that."""


class Seller(msgspec.Struct, frozen=True, kw_only=True):
    """Who the page is of: the shop's name, and the local address of its logo, or ''."""

    name: str
    logo: str


def seller_of(shop: Shop) -> Seller:
    """The shop as its buyers see it."""
    return seller_named(shop.name, logo=shop.logo)


def seller_named(name: str, *, logo: str) -> Seller:
    """The same of a shop's name, and the file of its logo."""
    return Seller(name=name, logo=image_file_url(logo, edge=_LOGO_EDGE))


def buyer_language(
    request: Request, *, of_shop: Iterable[str] = (), named: str = "", country: str = ""
) -> str:
    """The buyer's language: the one `named` in the order, that of its `country`, and so on."""
    return language_for(
        named=named,
        country=country,
        accepted=request.headers.get("accept-language", ""),
        of_shop=of_shop,
    )


async def only_shop(db: Database) -> Shop | None:
    """The shop that a page of no order is of: the server's only one; None where there is no telling."""
    try:
        async with db.statement() as tx:
            return await find_only_shop(tx)
    except Unavailable:
        return None
