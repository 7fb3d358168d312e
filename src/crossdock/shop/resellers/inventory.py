"""The stock of a reseller: serials that it bought, and their delivery to its customers (spec shoppex_reseller 6.10).

| from | what happens | to |
|---|---|---|
| available | it is delivered to a customer | delivered, for ever |
| available | its transfer is revoked | revoked, for ever; its serial is the merchant's again |
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound
from crossdock.kit.crypto import SecretBox
from crossdock.kit.languages import language_for
from crossdock.kit.paging import PlacePage
from crossdock.shop.mailing import Mailing
from crossdock.shop.resellers.purchasing import require_active
from crossdock.shop.shops import read_shop_by_id
from crossdock.shop.stock import stocked_serial_place

ItemState = Literal["available", "delivered", "revoked"]
_SHOWN_CHARS = 4
_MASK = "••••"


class StockItem(msgspec.Struct, frozen=True, kw_only=True):
    """A unit of a reseller's stock. `serial_preview` has its last characters, at most half and four of them."""

    id: int
    reseller_id: int
    transfer_id: int
    product_id: int
    product_name: str
    variant_id: int | None
    variant_name: str
    state: ItemState
    delivered_to: str | None
    delivered_at: datetime | None
    created_at: datetime
    serial_preview: str


class DeliveredItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item with its serial, and the mail that told its customer. Its repr hides the serial."""

    item: StockItem
    serial: str
    mail_id: int

    def __repr__(self) -> str:
        return f"DeliveredItem(id={self.item.id})"


async def list_items(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    page: PlacePage,
    box: SecretBox,
    state: ItemState | None = None,
    product_id: int | None = None,
    transfer_id: int | None = None,
) -> list[StockItem]:
    """A page of the relationship's items, the newest first; one more if there are more."""
    chosen = {
        "shop": shop_id,
        "reseller": reseller_id,
        "state": state,
        "product": product_id,
        "transfer": transfer_id,
    }
    rows = await tx.all(_PAGE, page.bounds() | chosen)
    return [_item(row, shop_id=shop_id, box=box)[0] for row in rows]


async def deliver_item(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    item_id: int,
    email: str,
    mailing: Mailing,
    now: datetime,
) -> DeliveredItem:
    """Give an item to a customer and mail its serial; the same address again gets no second mail.

    Raises NotFound `not_found`, Conflict `reseller_state` where the relationship is not active or the item
    was revoked or delivered to another address, Invalid `invalid_input` for an address that is none.
    """
    done = await tx.value(
        "select deliver_item(%s, %s, %s, %s, %s)", (shop_id, reseller_id, item_id, email, now)
    )
    if done is None:
        raise NotFound("not_found", "There is no such item.")
    if done["state"] == "available":
        require_active(done["status"])
    if done["state"] == "revoked":
        raise _not_now("The item was revoked.", done)
    if done["delivered_to"] != email:
        raise _not_now("The item was delivered to another address.", done)
    row = await tx.one(_ONE, (shop_id, reseller_id, item_id))
    assert row is not None  # it was delivered
    item, serial = _item(row, shop_id=shop_id, box=mailing.box)
    if not done["is_new"]:
        return DeliveredItem(item=item, serial=serial, mail_id=done["mail_id"])
    shop = await read_shop_by_id(tx, shop_id=shop_id)
    mail_id = await mailing.queue_mail(
        tx,
        shop_id=shop_id,
        template="item_delivery",
        to=email,
        values={"product": item.product_name, "serials": [serial]},
        language=language_for(of_shop=shop.languages),
        key=f"reseller item {item_id}",
        now=now,
    )
    await tx.run(
        "update reseller_items set mail_id = %s where shop_id = %s and id = %s",
        (mail_id, shop_id, item_id),
    )
    return DeliveredItem(item=item, serial=serial, mail_id=mail_id)


def _item(row: tuple[Any, ...], *, shop_id: int, box: SecretBox) -> tuple[StockItem, str]:
    """The item in a row, and its serial; '' where it has none any more."""
    *facts, sealed, variant_id = row
    serial = ""
    if sealed is not None:
        serial = box.open(bytes(sealed), place=stocked_serial_place(shop_id, variant_id)).decode()
    shown = min(_SHOWN_CHARS, len(serial) // 2)
    preview = _MASK + serial[len(serial) - shown :]
    values = dict(zip(StockItem.__struct_fields__, (*facts, preview), strict=True))
    return StockItem(**values), serial


def _not_now(message: str, done: dict[str, Any]) -> Conflict:
    return Conflict("reseller_state", message, {"status": done["state"]})


_SELECT = """
    select i.id, i.reseller_id, i.transfer_id, t.product_id, t.product_name, t.asked_variant_id, t.variant_name,
           i.state, i.delivered_to, i.delivered_at, i.created_at, s.sealed, s.variant_id
    from reseller_items i
    join reseller_transfers t on t.shop_id = i.shop_id and t.id = i.transfer_id
    left join serials s on s.shop_id = i.shop_id and s.id = i.serial_id
"""
_ONE = f"{_SELECT} where i.shop_id = %s and i.reseller_id = %s and i.id = %s"
_PAGE = f"""
    {_SELECT}
    where i.shop_id = %(shop)s and i.reseller_id = %(reseller)s
      and (%(state)s::text is null or i.state = %(state)s)
      and (%(product)s::bigint is null or t.product_id = %(product)s)
      and (%(transfer)s::bigint is null or i.transfer_id = %(transfer)s)
      and (i.created_at, i.id) < (%(after_time)s::timestamptz, %(after_id)s)
    order by i.created_at desc, i.id desc limit %(size)s
"""
