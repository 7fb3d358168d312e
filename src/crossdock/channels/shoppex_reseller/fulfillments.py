"""`/reseller/v1`: what a reseller's own shop calls with its key (spec section 7)."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.endpoint import KEY_LENGTH_MAX
from crossdock.channels.shoppex_reseller.errors import NO_RESELLER, WireError
from crossdock.channels.shoppex_reseller.fields import Fields
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.routes import RESELLER, Route
from crossdock.channels.shoppex_reseller.wire import Reply, iso, one, text
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.resellers import (
    Fulfilment,
    FulfilmentRequest,
    LimitUnit,
    fulfil,
    read_fulfilment,
)

ORDER_ID_MAX: Final = 128
QUANTITY_MAX: Final = 1_000
_NOTHING: Final = -1
"""Stands for an id that is none, which names no product and no variant."""


class ShownFulfillment(msgspec.Struct, kw_only=True):
    """A fulfillment; `reused`: an earlier request made it, and this one debited nothing."""

    id: str
    reseller_relationship_id: str
    external_order_id: str
    idempotency_key: str | None
    status: str
    delivered: bool
    product_id: str
    product_title: str
    variant_id: str | None
    variant_title: str | None
    quantity: int
    customer_email: str
    unit_wholesale_price: str | None
    total: str | None
    currency: str
    balance_after: str | None
    serials: tuple[str, ...]
    reused: bool
    created_at: str | None
    delivered_at: str | None


class Fulfilling:
    """Fulfils requests, in a transaction that sees to their repeats itself (spec sections 4, 7.5)."""

    def __init__(
        self, db: Database, *, ids: Ids, box: Callable[[], SecretBox], limits: LimitUnit
    ) -> None:
        self._db = db
        self._limits: LimitUnit = limits
        self._ids = ids
        self._box = box

    async def post(self, call: Call) -> Reply:
        """A fulfillment by a JSON body; the header's key goes before the body's."""
        fields = call.fields()
        key = fields.text("idempotency_key", nullable=True, longest=KEY_LENGTH_MAX)
        if key == "":
            fields.refuse("idempotency_key", f"must have 1 to {KEY_LENGTH_MAX} characters")
        return await self._fulfil(call, fields, key=call.key or key)

    async def dynamic(self, call: Call) -> Reply:
        """A fulfillment by an address alone (spec section 7.6)."""
        fields = call.filters()
        as_text = (call.query.get("format") or "").lower() == "text" or call.wants_text
        reply = await self._fulfil(call, fields, key=call.key, is_dynamic=True)
        if as_text and reply.body is not None:
            serials = reply.body["data"].serials
            return Reply(status=reply.status, plain="\n".join(serials))
        return reply

    async def get(self, call: Call, tx: Transaction) -> Reply:
        """One fulfillment of the caller's."""
        found = await read_fulfilment(
            tx,
            shop_id=call.shop_id,
            partner_id=call.partner.id,
            fulfilment_id=call.number(Kind.FULFILLMENT),
            box=self._box(),
        )
        return one(_show(call, found, reused=False))

    async def _fulfil(
        self, call: Call, fields: Fields, *, key: str | None, is_dynamic: bool = False
    ) -> Reply:
        request = _read(call, fields, key=key, is_dynamic=is_dynamic)
        try:
            async with self._db.begin() as tx:
                made = await fulfil(
                    tx,
                    partner=call.partner,
                    request=request,
                    ids=self._ids,
                    box=self._box(),
                    now=call.now,
                    limits=self._limits,
                )
        except Refused as refused:
            if refused.code == "credential_unknown":  # suspended since the key was looked at
                raise WireError("UNAUTHORIZED", NO_RESELLER) from refused
            raise
        shown = _show(call, made.fulfilment, reused=made.is_replayed)
        return one(shown, status=200 if made.is_replayed else 201)


def _read(call: Call, fields: Fields, *, key: str | None, is_dynamic: bool) -> FulfilmentRequest:
    """The request. Raises WireError VALIDATION_ERROR.

    An id that is none is left to the core, which looks at the programme and the mode before it.
    """
    order_id = fields.text("external_order_id", required=True, longest=ORDER_ID_MAX)
    email = fields.email("customer_email", required=True)
    product = fields.text("product_id", required=True)
    variant = fields.text("variant_id", nullable=True)
    quantity = fields.whole(
        "quantity", least=1, most=QUANTITY_MAX, required=is_dynamic, nullable=True
    )
    fields.check()
    assert order_id is not None  # required, and so are the others
    assert email is not None
    assert product is not None
    return FulfilmentRequest(
        external_order_id=order_id,
        customer_email=email,
        product_id=_number(call, Kind.PRODUCT, product),
        variant_id=_number(call, Kind.VARIANT, variant) if variant else None,
        quantity=quantity or 1,
        key=key,
        is_test=call.credential.is_test,
    )


def _number(call: Call, kind: Kind, shown: str) -> int:
    found = call.ids.find(kind, shown)
    return _NOTHING if found is None else found


def _show(call: Call, found: Fulfilment, *, reused: bool) -> ShownFulfillment:
    variant_id = found.variant_id
    return ShownFulfillment(
        id=call.ids.write(Kind.FULFILLMENT, found.id),
        reseller_relationship_id=call.ids.write(Kind.RELATIONSHIP, found.reseller_id),
        external_order_id=found.external_order_id,
        idempotency_key=found.key,
        status="DELIVERED",
        delivered=True,
        product_id=call.ids.write(Kind.PRODUCT, found.product_id),
        product_title=found.product_name,
        variant_id=None if variant_id is None else call.ids.write(Kind.VARIANT, variant_id),
        variant_title=None if variant_id is None else found.variant_name,
        quantity=found.quantity,
        customer_email=found.customer_email,
        unit_wholesale_price=text(found.unit_minor, found.currency),
        total=text(found.total_minor, found.currency),
        currency=found.currency,
        balance_after=text(found.balance_after_minor, found.currency),
        serials=found.serials,
        reused=reused,
        created_at=iso(found.created_at),
        delivered_at=iso(found.created_at),
    )


_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "external_order_id": {"type": "string", "minLength": 1, "maxLength": ORDER_ID_MAX},
    "customer_email": {"type": "string", "format": "email"},
    "product_id": {"type": "string"},
    "variant_id": {"type": ["string", "null"]},
    "quantity": {"type": ["integer", "null"], "minimum": 1, "maximum": QUANTITY_MAX, "default": 1},
}
_REQUIRED: Final = ("external_order_id", "customer_email", "product_id")
DYNAMIC: Final = f"{RESELLER}/fulfillments/dynamic"
_BY_ADDRESS: Final = "Fulfill by an address alone: the key is in the query."


def create_routes(fulfilling: Fulfilling) -> tuple[Route, ...]:
    """The routes of fulfillments."""
    query = {"api_key": {"type": "string"}, **_FIELDS, "format": {"type": "string"}}
    return (
        Route(
            method="POST",
            path=f"{RESELLER}/fulfillments",
            name="createFulfillment",
            summary="Debit the balance and deliver serials, once for a key or an order.",
            acts=fulfilling.post,
            status=201,
            answer=ShownFulfillment,
            body={**_FIELDS, "idempotency_key": {"type": ["string", "null"]}},
            required=_REQUIRED,
            pace="fulfillments",
        ),
        Route(
            method="GET",
            path=DYNAMIC,
            name="getDynamicFulfillment",
            summary=_BY_ADDRESS,
            acts=fulfilling.dynamic,
            status=201,
            answer=ShownFulfillment,
            query=query,
            pace="fulfillments",
            token_in_query="api_key",
        ),
        Route(
            method="POST",
            path=DYNAMIC,
            name="postDynamicFulfillment",
            summary=_BY_ADDRESS,
            acts=fulfilling.dynamic,
            status=201,
            answer=ShownFulfillment,
            query=query,
            pace="fulfillments",
            token_in_query="api_key",
        ),
        Route(
            method="GET",
            path=f"{RESELLER}/fulfillments/{{id}}",
            name="getFulfillment",
            summary="One fulfillment of the caller's.",
            reads=fulfilling.get,
            answer=ShownFulfillment,
        ),
    )
