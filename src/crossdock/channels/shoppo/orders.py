"""Orders: the list, the objects of an order by id, and what a partner does with them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from crossdock.channels.shoppo.connections import LENGTH, Connection, connection, read_paging
from crossdock.channels.shoppo.errors import WireError
from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.order_fields import ORDER_TYPES
from crossdock.channels.shoppo.order_filters import read_filters
from crossdock.channels.shoppo.order_rows import (
    ItemRow,
    OrderPayload,
    OrderRow,
    PackageRow,
    order_row,
    sections_of,
)
from crossdock.channels.shoppo.ordering import (
    RULES,
    depict_for,
    read_request,
    read_required,
    refusal,
)
from crossdock.channels.shoppo.rows import ProductRow, SkuRow
from crossdock.channels.shoppo.settings import ShoppoSettings
from crossdock.channels.shoppo.subjects import Call, Subject
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, NotFound, Refused, Unavailable
from crossdock.shop.orders import (
    AwaitingTerms,
    OrderFilters,
    Placing,
    browse_orders,
    cancel_freely,
    charge_order,
    count_orders,
    order_of_package,
    place_awaiting,
    read_order,
)

_ORDERS = "order"
_ID_MAX = 2**63 - 1


class Orders:
    """The subject of orders."""

    def __init__(self, placing: Placing, *, settings: ShoppoSettings) -> None:
        self._placing = placing
        self._db = placing.db
        self._settings = settings
        self._terms = AwaitingTerms(
            pay_within_s=settings.pay_within_s,
            release_after_s=settings.free_cancel_s or None,
            ships_per_line=settings.shipping_per == "line",
        )

    def subject(self) -> Subject:
        """The types, the list, the objects and the mutations of orders."""
        return Subject(
            types=ORDER_TYPES,
            queries={"orderList": self.list},
            mutations={
                "createOrder": self.create,
                "setOrderAsPaid": self.pay,
                "cancelOrderItem": self.cancel_item,
                "cancelOrder": self.cancel,
            },
            rows={OrderRow: "Order", ItemRow: "OrderItem", PackageRow: "ShippingPackage"},
            nodes={
                Kind.ORDER: self.order,
                Kind.ORDER_ITEM: self.item,
                Kind.PACKAGE: self.package,
                Kind.PRODUCT_SNAPSHOT: self.product_snapshot,
                Kind.SKU_SNAPSHOT: self.sku_snapshot,
            },
        )

    async def list(
        self, call: Call, arguments: Mapping[str, Any], names: frozenset[str]
    ) -> Connection:
        """A page of the caller's orders."""
        paging = read_paging(arguments, listed=_ORDERS)
        filters, line = read_filters(call, arguments.get("filters") or {})
        caller = {"shop_id": call.partner.shop_id, "partner_id": call.partner.id}
        async with self._db.statement() as tx:
            if line is not None:
                filters = await _with_ordered(tx, call, filters, line=line)
            views, has_more = await browse_orders(
                tx, **caller, page=paging, filters=filters, sections=sections_of(names)
            )
            length = -1
            if LENGTH in names:
                length = await count_orders(tx, **caller, filters=filters)
        return connection(
            [order_row(view) for view in views],
            paging=paging, has_more=has_more, length=length, listed=_ORDERS,
            place=lambda row: (row.view.placed_at, row.view.id),
        )  # fmt: skip

    async def create(
        self, call: Call, arguments: Mapping[str, Any], names: frozenset[str]
    ) -> OrderPayload:
        """createOrder: the order, or the first one if it was sent before."""
        request, digest = read_request(call, arguments)
        try:
            placed = await place_awaiting(
                self._placing,
                partner=call.partner,
                request=request,
                request_hash=digest,
                rules=RULES,
                terms=self._terms,
                depict=depict_for(call, own_requires_stock=self._placing.own_requires_stock),
            )
        except Unavailable:
            raise
        except CrossdockError as error:
            raise refusal(error, call) from error
        return OrderPayload(order=await self._read(call, placed.id, names))

    async def pay(
        self, call: Call, arguments: Mapping[str, Any], names: frozenset[str]
    ) -> OrderPayload:
        """setOrderAsPaid."""
        order_id, _ = _number(call, arguments["orderId"], kind=Kind.ORDER)
        charge = read_required(arguments["chargeId"], field="chargeId")
        async with self._db.statement() as tx:
            await charge_order(
                tx,
                shop_id=call.partner.shop_id,
                partner_id=call.partner.id,
                order_id=order_id,
                charge=charge,
                now=self._placing.clock.now(),
            )
        return OrderPayload(order=await self._read(call, order_id, names))

    async def cancel_item(
        self, call: Call, arguments: Mapping[str, Any], names: frozenset[str]
    ) -> OrderPayload:
        """cancelOrderItem."""
        order_id, line_no = _number(call, arguments["orderItemId"], kind=Kind.ORDER_ITEM)
        try:
            await self._cancel(call, order_id, line_no=line_no)
        except Refused as refused:
            raise _not_cancellable(refused, code="ORDER_ITEM_NOT_CANCELLABLE") from refused
        row = await self._read(call, order_id, names | {"orderItem"})
        return OrderPayload(item=_item(row, line_no))

    async def cancel(
        self, call: Call, arguments: Mapping[str, Any], names: frozenset[str]
    ) -> OrderPayload:
        """cancelOrder."""
        order_id, _ = _number(call, arguments["orderId"], kind=Kind.ORDER)
        try:
            await self._cancel(call, order_id)
        except Refused as refused:
            raise _not_cancellable(refused, code="ORDER_NOT_CANCELLABLE") from refused
        return OrderPayload(order=await self._read(call, order_id, names))

    async def order(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> OrderRow | None:
        """An order of the caller's."""
        if number > _ID_MAX:
            return None
        async with self._db.statement() as tx:
            try:
                view = await read_order(
                    tx,
                    shop_id=call.partner.shop_id,
                    partner_id=call.partner.id,
                    order_id=number,
                    sections=sections_of(names),
                )
            except NotFound:
                return None
        return order_row(view)

    async def item(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> ItemRow | None:
        """An item of an order of the caller's."""
        return _item(await self.order(call, number, 0, names | {"orderItem"}), place)

    async def package(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> PackageRow | None:
        """A package of an order of the caller's, once it has a number."""
        if number > _ID_MAX:
            return None
        async with self._db.statement() as tx:
            order_id = await order_of_package(
                tx,
                shop_id=call.partner.shop_id,
                partner_id=call.partner.id,
                package_id=number,
            )
        if order_id is None:
            return None
        row = await self.order(call, order_id, 0, names | {"orderItem", "shippingPackage"})
        packages = [item.package for item in row.items] if row else []
        found = (each for each in packages if each is not None and each.id == number)
        return next((PackageRow(each) for each in found), None)

    async def sku_snapshot(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> SkuRow | None:
        """A Sku as it was ordered."""
        item = await self.item(call, number, place, names | {"sku"})
        return None if item is None else item.sku

    async def product_snapshot(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> ProductRow | None:
        """A product as it was ordered."""
        sku = await self.sku_snapshot(call, number, place, names)
        return None if sku is None else sku.product

    async def _read(self, call: Call, order_id: int, names: frozenset[str]) -> OrderRow:
        row = await self.order(call, order_id, 0, names)
        if row is None:
            raise NotFound("order_not_found")
        return row

    async def _cancel(self, call: Call, order_id: int, *, line_no: int | None = None) -> None:
        now, shop_id = self._placing.clock.now(), call.partner.shop_id
        async with self._db.begin() as tx:
            await cancel_freely(
                tx,
                shop_id=shop_id,
                partner_id=call.partner.id,
                order_id=order_id,
                line_no=line_no,
                allows_unpaid=self._settings.allow_cancel_open,
                now=now,
            )


def _item(row: OrderRow | None, line_no: int) -> ItemRow | None:
    items = row.items if row else []
    return next((item for item in items if item.line.line_no == line_no), None)


def _number(call: Call, text: str, *, kind: Kind) -> tuple[int, int]:
    """The number and place of an id of this kind. Raises NotFound, as for the order of another."""
    found = call.ids.decode(text)
    if found is None or found[0] != kind or found[1] > _ID_MAX:
        raise NotFound("order_not_found")
    return found[1], found[2]


def _not_cancellable(refused: Refused, *, code: str) -> CrossdockError:
    if refused.code != "order_state":
        return refused
    text = "Only what is PAID is cancelled; open a customer service ticket."
    return WireError(code, text)


async def _with_ordered(
    tx: Transaction, call: Call, filters: OrderFilters, *, line: tuple[int, int]
) -> OrderFilters:
    """The filters with the variant of an order's line, if the order is the caller's."""
    order_id, line_no = line
    try:
        view = await read_order(
            tx, shop_id=call.partner.shop_id, partner_id=call.partner.id, order_id=order_id
        )
    except NotFound:
        return filters
    variants = tuple(each.variant_id for each in view.lines if each.line_no == line_no)
    return msgspec.structs.replace(filters, variant_ids=variants)
