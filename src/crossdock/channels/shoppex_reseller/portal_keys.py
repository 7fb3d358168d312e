"""`/portal/v1`: the keys of a reseller's own shop, and the address for tools that can only call one."""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote

import msgspec

from crossdock.channels.shoppex_reseller.auth import RESELLER_PREFIX
from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.fulfillments import DYNAMIC
from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.channels.shoppex_reseller.routes import PORTAL, Route
from crossdock.channels.shoppex_reseller.wire import NO_CONTENT, Reply, iso, one
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.partners import KeyView
from crossdock.shop.resellers import (
    add_key,
    list_reseller_keys,
    read_reseller_of,
    revoke_key,
)

PLACEHOLDERS: Final = (
    *("api_key", "external_order_id", "customer_email", "product_id", "quantity"),
)


class ShownKey(msgspec.Struct, kw_only=True):
    """A key of the relationship; `prefix` is its beginning."""

    id: str
    prefix: str
    created_at: str | None
    last_used_at: str | None
    revoked_at: str | None


class ShownNewKey(msgspec.Struct, kw_only=True):
    """A new key and the address that works with it once its other parts are filled in.

    Both are told only now: a repeat of the call has null for them.
    """

    id: str
    api_key: str | None
    prefix: str
    created_at: str | None
    dynamic_url: str | None


class ShownAddress(msgspec.Struct, kw_only=True):
    """The address of a fulfillment, with a placeholder in braces for each of its parts."""

    url_template: str
    placeholders: Sequence[str]


class Keys:
    """The relationship's keys."""

    def __init__(self, *, public_url: str, ids: Ids, box: Callable[[], SecretBox]) -> None:
        self._public_url = public_url
        self._ids = ids
        self._box = box

    async def post(self, call: Call, tx: Transaction) -> Reply:
        """Make a key of an active relationship."""
        reseller_id = await own_reseller(call, tx)
        made = await add_key(
            tx,
            shop_id=call.shop_id,
            reseller_id=reseller_id,
            prefix=RESELLER_PREFIX,
            ids=self._ids,
            box=self._box(),
        )
        known = await list_reseller_keys(tx, shop_id=call.shop_id, reseller_id=reseller_id)
        [key] = [each for each in known if each.key == made.key]
        shown = show_key(key, ids=call.ids)
        return one(
            ShownNewKey(
                id=shown.id,
                api_key=made.secret,
                prefix=shown.prefix,
                created_at=shown.created_at,
                dynamic_url=dynamic_url(self._public_url, api_key=made.secret),
            ),
            status=201,
        )

    async def list_(self, call: Call, tx: Transaction) -> Reply:
        """The relationship's keys, those that work first; there is always one page of them."""
        known = await list_reseller_keys(
            tx, shop_id=call.shop_id, reseller_id=await own_reseller(call, tx)
        )
        shown = [show_key(key, ids=call.ids) for key in known]
        return Reply(body={"data": shown, "pagination": {"next_cursor": None, "has_more": False}})

    async def delete(self, call: Call, tx: Transaction) -> Reply:
        """Revoke a key of the relationship for ever."""
        await revoke_key(
            tx,
            shop_id=call.shop_id,
            reseller_id=await own_reseller(call, tx),
            key_id=call.number(Kind.API_KEY),
            now=call.now,
        )
        return NO_CONTENT

    async def address(self, _call: Call, _tx: Transaction) -> Reply:
        """The address for tools that can only call one; a key is filled in like the rest."""
        template = dynamic_url(self._public_url)
        return one(ShownAddress(url_template=template, placeholders=PLACEHOLDERS))


async def own_reseller(call: Call, tx: Transaction) -> int:
    """The number of the relationship that the call is about."""
    found = await read_reseller_of(tx, shop_id=call.shop_id, partner_id=call.partner.id)
    return found.id


def dynamic_url(public_url: str, *, api_key: str = "") -> str:
    """The address of a fulfillment (spec section 7.6), with placeholders, but for a key that is given."""
    key = quote(api_key, safe="") or "{api_key}"
    query = "&".join(f"{name}={{{name}}}" for name in PLACEHOLDERS[1:])
    return f"{public_url.rstrip('/')}{DYNAMIC}?api_key={key}&{query}"


def show_key(key: KeyView, *, ids: WireIds) -> ShownKey:
    """A key as it is told."""
    return ShownKey(
        id=ids.write(Kind.API_KEY, key.id),
        prefix=f"{key.hint}…",
        created_at=iso(key.created_at),
        last_used_at=iso(key.last_used_at),
        revoked_at=iso(key.disabled_at),
    )


def create_routes(keys: Keys) -> tuple[Route, ...]:
    """The routes of this file."""
    path = f"{PORTAL}/api-keys"
    return (
        Route(
            method="POST", path=path, name="createApiKey",
            summary="Make a key of an active relationship; it is told only now.",
            writes=keys.post, status=201, answer=ShownNewKey, body={},
            told_once=("api_key", "dynamic_url"),
        ),
        Route(
            method="GET", path=path, name="listApiKeys",
            summary="The relationship's keys, those that work first.", reads=keys.list_,
            answer=ShownKey, listed="cursor",
        ),
        Route(
            method="DELETE", path=f"{path}/{{id}}", name="revokeApiKey",
            summary="Revoke a key for ever.", writes=keys.delete, status=204,
        ),
        Route(
            method="GET", path=f"{PORTAL}/dynamic-url", name="getDynamicUrl",
            summary="The address of a fulfillment, for tools that can only call an address.",
            reads=keys.address, answer=ShownAddress,
        ),
    )  # fmt: skip
