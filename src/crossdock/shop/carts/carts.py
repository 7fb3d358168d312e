"""Carts: create, change, read, delete, and purge; each is one statement."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import psycopg

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from crossdock.kit.clock import Clock
from crossdock.kit.ids import Ids
from crossdock.kit.numbers import read_number
from crossdock.shop.carts.model import CartView, RawCart
from crossdock.shop.catalogue import VariantName
from crossdock.shop.partners import Partner

PutMode = Literal["set", "add"]

TOO_MANY_LINES = "CD022"
ITEMS_MAX = 1_000
_QUANTITY_MAX = 10**9
_PURGED_MAX = 1_000
_BUSY_S = 5
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class CartItem(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of one variant, by its id or by a name that the caller has for it."""

    variant: int | VariantName
    quantity: int


_FIRST_REVISION = 1


class CartRules(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may choose: see the settings section of carts."""

    put_mode: PutMode = "set"
    line_max: int = 12
    lines_max: int = 100
    keep_days: int = 1826
    keep_empty_days: int = 90


class Carts(msgspec.Struct, frozen=True, kw_only=True):
    """The dependencies of carts, set once in compose.py."""

    db: Database
    clock: Clock
    ids: Ids
    rules: CartRules = CartRules()
    own_requires_stock: bool = False


async def create_cart(service: Carts, *, partner: Partner) -> CartView:
    """A new, empty cart of the partner, under an id that nobody can guess."""
    now, cart_id = service.clock.now(), service.ids.uuid()
    async with service.db.statement() as tx:
        await tx.run(
            "insert into carts (shop_id, id, partner_id, currency, revision, created_at, updated_at, expires_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                partner.shop_id,
                cart_id,
                partner.id,
                partner.currency,
                _FIRST_REVISION,
                now,
                now,
                now + timedelta(days=service.rules.keep_empty_days),
            ),
        )
    return CartView(
        id=str(cart_id),
        partner_id=partner.id,
        currency=partner.currency,
        revision=_FIRST_REVISION,
        created_at=now,
        updated_at=now,
        order_id=None,
        product_url="",
        merchants=(),
        missing=(),
    )


async def read_cart(service: Carts, *, partner: Partner, cart_id: str) -> CartView:
    """The cart at the prices of now. Raises NotFound `cart_not_found`, also for another partner's.

    What a checkout that died held for it is released, so that it does not lower the quantities.
    """
    now = service.clock.now()
    cart = await read_raw(service, partner=partner, cart_id=cart_id, now=now)
    return cart.seen(line_max=service.rules.line_max)


async def read_raw(service: Carts, *, partner: Partner, cart_id: str, now: datetime) -> RawCart:
    """The cart as `read_cart` reads it, with all of its lines and who has claimed it.

    What is held for it is released in a transaction of its own: who releases and then holds locks levels
    in two rounds, and two of them can wait for each other.
    """
    key = (partner.shop_id, checked_id(cart_id), partner.id)
    cart = await _read(service, key, partner=partner, now=now)
    if cart.has_stale_holds(now):
        async with service.db.statement() as tx:
            await tx.run("select release_stale_holds(%s, %s, %s, %s)", (*key, now))
        cart = await _read(service, key, partner=partner, now=now)
    return cart


async def _read(
    service: Carts, key: tuple[int, str, int], *, partner: Partner, now: datetime
) -> RawCart:
    async with service.db.statement() as tx:
        text = await tx.value(
            "select cart_view(%s, %s, %s, %s::jsonb, %s)", (*key, terms_of(service, partner), now)
        )
    return found(text)


async def put_items(
    service: Carts,
    *,
    partner: Partner,
    cart_id: str,
    items: Sequence[CartItem],
    mode: PutMode | None = None,
) -> CartView:
    """Set the quantities of these variants, or add to them where the mode says so; returns the cart.

    Items of one variant count as their sum; a line that is set to 0 goes. A variant that the partner
    does not see or that cannot be bought now is skipped, so that it is missing in the answer; a
    quantity is lowered to `line_max` and to what can be bought (spec shoppable 6.4).

    Raises NotFound `cart_not_found`, Conflict `cart_ordered` with the `order_id`, Unavailable `busy`
    while it is being checked out, Invalid `invalid_input` for a quantity below zero, Refused
    `too_large` for more lines than a cart may have; nothing is changed then.
    """
    if any(item.quantity < 0 for item in items):
        raise Invalid("invalid_input", "A quantity is not below zero.", {"field": "quantity"})
    if len(items) > ITEMS_MAX:
        raise _too_large(ITEMS_MAX)
    adds = (mode or service.rules.put_mode) == "add"
    return await _change(service, partner=partner, cart_id=cart_id, items=items, adds=adds)


async def lower_cart(service: Carts, *, partner: Partner, cart_id: str) -> None:
    """Lower the cart to what there is, so that its shopper sees that, and can check it out."""
    cart = await read_cart(service, partner=partner, cart_id=cart_id)
    less = [
        CartItem(variant=line.variant_id, quantity=line.quantity)
        for line in cart.lines
        if line.quantity < line.wanted
    ]
    if less:
        await put_items(service, partner=partner, cart_id=cart_id, items=less, mode="set")


async def remove_items(
    service: Carts, *, partner: Partner, cart_id: str, variants: Sequence[int | VariantName]
) -> CartView:
    """Take whole lines out; one that is not there is fine. Raises as `put_items` does."""
    items = [CartItem(variant=variant, quantity=0) for variant in variants]
    return await _change(service, partner=partner, cart_id=cart_id, items=items, adds=False)


async def clear_cart(service: Carts, *, partner: Partner, cart_id: str) -> CartView:
    """Take all lines out and keep the cart. Raises as `put_items` does."""
    return await _change(
        service, partner=partner, cart_id=cart_id, items=(), adds=False, clears=True
    )


async def delete_cart(service: Carts, *, partner: Partner, cart_id: str) -> None:
    """Delete the cart; an order that was made of it stays. Raises as `read_cart`, and `busy` as `put_items`."""
    key = (partner.shop_id, checked_id(cart_id), partner.id)
    async with service.db.statement() as tx:
        deleted = await tx.value("select delete_cart(%s, %s, %s, %s)", (*key, service.clock.now()))
    if deleted is None:
        raise NotFound("cart_not_found")
    if not deleted:
        raise busy()


async def purge_carts(tx: Transaction, *, now: datetime) -> int:
    """Delete carts that nobody has changed for so long that they expired, some of them; how many.

    By both clocks, the database's too, so that a clock set ahead deletes nothing.
    """
    return await tx.run(
        "delete from carts c using (select shop_id, id from carts"
        " where expires_at <= least(%s, clock_timestamp()) order by expires_at limit %s"
        " for update skip locked) due where c.shop_id = due.shop_id and c.id = due.id",
        (now, _PURGED_MAX),
    )


async def _change(
    service: Carts,
    *,
    partner: Partner,
    cart_id: str,
    items: Sequence[CartItem],
    adds: bool,
    clears: bool = False,
) -> CartView:
    rules, now = service.rules, service.clock.now()
    values = (
        partner.shop_id,
        checked_id(cart_id),
        partner.id,
        terms_of(service, partner),
        msgspec.json.encode([_asked(item) for item in items]).decode(),
        adds,
        clears,
        rules.line_max,
        rules.lines_max,
        now + timedelta(days=rules.keep_days),
        now + timedelta(days=rules.keep_empty_days),
        now,
    )
    try:
        async with service.db.statement() as tx:
            text = await tx.value(_CHANGE, values)
    except psycopg.Error as error:
        if error.sqlstate != TOO_MANY_LINES:
            raise
        raise _too_large(rules.lines_max) from error
    cart = found(text)
    refuse_taken(cart, now=now)
    return cart.seen(line_max=rules.line_max)


_CHANGE = "select change_cart(%s, %s, %s, %s::jsonb, %s::jsonb, %s, %s, %s::bigint, %s::bigint, %s, %s, %s)"


def terms_of(service: Carts, partner: Partner) -> str:
    """What the partner's offers depend on, as the SQL functions of carts read it."""
    terms = {
        "merchants": partner.merchant_ids,
        "price_list": partner.price_list_id,
        "backorder": partner.backorder,
        "own_requires_stock": service.own_requires_stock,
    }
    return msgspec.json.encode(terms).decode()


def checked_id(cart_id: str) -> str:
    """The id as a parameter. Raises NotFound `cart_not_found` for a text that is none."""
    text = cart_id.lower()
    if not _ID.fullmatch(text):
        raise NotFound("cart_not_found")
    return text


def found(text: str | None) -> RawCart:
    """The cart of an answer. Raises NotFound `cart_not_found` where there is none."""
    if text is None:
        raise NotFound("cart_not_found")
    return _decode(text)


def refuse_taken(cart: RawCart, *, now: datetime) -> None:
    """Raise Conflict `cart_ordered` with the `order_id` of what it became, `busy` while a checkout has it."""
    if cart.order_id is not None:
        raise Conflict("cart_ordered", data={"order_id": cart.order_id})
    if cart.is_claimed(now):
        raise busy()


def busy() -> Unavailable:
    """The error while a checkout has the cart."""
    message = "The cart is being checked out; try again in a moment."
    return Unavailable("busy", message, {"retry_after_s": _BUSY_S, "held_by": "checkout"})


def _asked(item: CartItem) -> dict[str, Any]:
    quantity = min(item.quantity, _QUANTITY_MAX)
    if isinstance(item.variant, int):
        return {"variant_id": _small(item.variant), "quantity": quantity}
    if item.variant.kind == "id":
        return {"variant_id": read_number(item.variant.text) or 0, "quantity": quantity}
    return {"kind": item.variant.kind, "text": item.variant.text, "quantity": quantity}


def _small(number: int) -> int:
    """A number that is no id of ours, rather than one that the database cannot hold."""
    return number if 0 <= number < 2**63 else 0


def _too_large(most: int) -> Refused:
    return Refused("too_large", f"A cart has at most {most} lines.", {"lines_max": most})


_decode = msgspec.json.Decoder(RawCart).decode
