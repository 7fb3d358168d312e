"""`/dev/v1/resellers/{id}/inventory`: what resellers have in stock, and its delivery (spec sections 6.10, 8.5)."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.purchases import ONE, READ, WRITE, number_of
from crossdock.channels.shoppex_reseller.relationships import ShownMail
from crossdock.channels.shoppex_reseller.routes import Reads, Route, Writes
from crossdock.channels.shoppex_reseller.wire import Reply, iso, one
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.crypto import SecretBox
from crossdock.shop.mailing import Mailing
from crossdock.shop.resellers import ItemState, StockItem, deliver_item, list_items, read_reseller

STATES: Final[dict[str, ItemState]] = {
    "AVAILABLE": "available",
    "DELIVERED": "delivered",
    "REVOKED": "revoked",
}


class ShownItem(msgspec.Struct, kw_only=True):
    """A unit of a reseller's stock; its serial is told when it is delivered, and only its end before."""

    id: str
    reseller_relationship_id: str
    stock_transfer_id: str
    product_id: str
    product_title: str
    variant_id: str | None
    variant_title: str | None
    status: str
    serial_preview: str
    delivered_to: str | None
    delivered_at: str | None
    created_at: str | None


class ShownDelivery(ShownItem, kw_only=True):
    """A delivered item with its serial, and the mail to its customer."""

    serial: str
    email_delivery: ShownMail


def create_list(box: Callable[[], SecretBox]) -> Reads:
    """Answers the route that lists items."""

    async def act(call: Call, tx: Transaction) -> Reply:
        page, filters = call.place_page(Kind.ITEM), call.filters()
        state = filters.choice("status", STATES)
        product = filters.text("product_id")
        transfer = filters.text("stock_transfer_id")
        filters.check()
        reseller_id = call.number(Kind.RELATIONSHIP)
        await read_reseller(tx, shop_id=call.shop_id, reseller_id=reseller_id)  # or 404
        found = await list_items(
            tx,
            shop_id=call.shop_id,
            reseller_id=reseller_id,
            page=page,
            box=box(),
            state=state,
            product_id=number_of(call, Kind.PRODUCT, product) if product else None,
            transfer_id=number_of(call, Kind.TRANSFER, transfer) if transfer else None,
        )
        return cursor_list(
            found,
            page=page,
            kind=Kind.ITEM,
            ids=call.ids,
            place=lambda each: (each.created_at, each.id),
            show=lambda each: ShownItem(**_facts(call, each)),
        )

    return act


def create_deliver(mailing: Callable[[], Mailing]) -> Writes:
    """Answers the route that delivers an item to a customer of the reseller's."""

    async def act(call: Call, tx: Transaction) -> Reply:
        reseller_id = call.number(Kind.RELATIONSHIP)
        item_id = call.number(Kind.ITEM, "itemId")
        fields = call.fields()
        email = fields.email("email", required=True)
        fields.check()
        assert email is not None  # required
        done = await deliver_item(
            tx,
            shop_id=call.shop_id,
            reseller_id=reseller_id,
            item_id=item_id,
            email=email,
            mailing=mailing(),
            now=call.now,
        )
        mail_id = call.ids.write(Kind.EVENT, done.mail_id)
        shown = ShownDelivery(
            **_facts(call, done.item),
            serial=done.serial,
            email_delivery=ShownMail(status="queued", event_id=mail_id, error=None),
        )
        return one(shown)

    return act


def _facts(call: Call, item: StockItem) -> dict[str, Any]:
    variant_id = item.variant_id
    return {
        "id": call.ids.write(Kind.ITEM, item.id),
        "reseller_relationship_id": call.ids.write(Kind.RELATIONSHIP, item.reseller_id),
        "stock_transfer_id": call.ids.write(Kind.TRANSFER, item.transfer_id),
        "product_id": call.ids.write(Kind.PRODUCT, item.product_id),
        "product_title": item.product_name,
        "variant_id": None if variant_id is None else call.ids.write(Kind.VARIANT, variant_id),
        "variant_title": None if variant_id is None else item.variant_name,
        "status": item.state.upper(),
        "serial_preview": item.serial_preview,
        "delivered_to": item.delivered_to,
        "delivered_at": iso(item.delivered_at),
        "created_at": iso(item.created_at),
    }


_FILTERS: Final[dict[str, dict[str, Any]]] = {
    "status": {"type": "string", "enum": [*STATES]},
    "product_id": {"type": "string"},
    "stock_transfer_id": {"type": "string"},
}


def create_routes(
    *, box: Callable[[], SecretBox], mailing: Callable[[], Mailing]
) -> tuple[Route, ...]:
    """The routes of inventories."""
    return (
        Route(
            method="GET", covers="shop", path=f"{ONE}/inventory", name="listResellerInventory",
            summary="What the reseller has in stock, newest first; serials are masked.",
            scope=READ, reads=create_list(box), answer=ShownItem, listed="cursor", query=_FILTERS,
        ),
        Route(
            method="POST", covers="shop", path=f"{ONE}/inventory/{{itemId}}/deliver", name="deliverInventoryItem",
            summary="Deliver an item to a customer by mail, once.",
            scope=WRITE, writes=create_deliver(mailing), answer=ShownDelivery,
            body={"email": {"type": "string", "format": "email"}}, required=("email",),
        ),
    )  # fmt: skip
