"""Whose key it is: the shop, and what the key may do (spec section 13)."""

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.routes import DEV, Route
from crossdock.channels.shoppex_reseller.wire import Reply, one
from crossdock.db.unit_of_work import Transaction
from crossdock.shop.partners import GRANT_KEY
from crossdock.shop.shops import read_shop_by_id


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The key's shop."""

    id: str
    name: str
    store_name: str
    slug: str
    currency: str
    email: str | None
    status: str


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a key may do; `*` is every scope. `auth_type` is `api_key`, or `oauth` for an app's token."""

    auth_type: str
    scopes: list[str]
    shop_id: str


def routes() -> tuple[Route, ...]:
    """The routes of this file."""
    return (
        Route(
            method="GET", covers="merchants", path=f"{DEV}/me", name="getMe",
            summary="Read the shop of the key", reads=_me, answer=Me,
        ),
        Route(
            method="GET", covers="merchants", path=f"{DEV}/me/capabilities", name="getCapabilities",
            summary="Read what the key may do", reads=_capabilities, answer=Capabilities,
        ),
    )  # fmt: skip


async def _me(call: Call, tx: Transaction) -> Reply:
    shop = await read_shop_by_id(tx, shop_id=call.shop_id)
    return one(
        Me(
            id=call.ids.write(Kind.SHOP, shop.id),
            name=shop.name,
            store_name=shop.name,
            slug=shop.slug,
            currency=shop.currency,
            email=shop.email,
            status="ACTIVE",
        )
    )


async def _capabilities(call: Call, _tx: Transaction) -> Reply:
    return one(
        Capabilities(
            auth_type="oauth" if call.credential.public_key.startswith(GRANT_KEY) else "api_key",
            scopes=sorted(call.partner.permissions),
            shop_id=call.ids.write(Kind.SHOP, call.shop_id),
        )
    )
