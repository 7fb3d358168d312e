"""The fields of payments and checkout sessions, as they are told and as they are sent (spec section 13)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.custom_fields import is_web_address, read_custom_fields
from crossdock.channels.shoppex_reseller.fields import Fields
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.invoice_fields import gateway_of
from crossdock.channels.shoppex_reseller.invoice_happenings import STATUSES
from crossdock.channels.shoppex_reseller.openapi import AMOUNT, TEXT, WHOLE
from crossdock.channels.shoppex_reseller.wire import number, seconds
from crossdock.errors import Invalid
from crossdock.kit.money import exponent
from crossdock.shop.invoices import Invoice, InvoiceState

TITLE_MAX: Final = 128
NAME_MAX: Final = 64
QUANTITY_MAX: Final = 10_000
NOTE_MAX: Final = 2_000
URL_MAX: Final = 2_000
GATEWAYS_MAX: Final = 20
TOTAL_MAX: Final = 10**14


class ShownPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment: `value` is what one unit costs, `total` what is asked for. `url` is where it is paid."""

    id: str
    uniqid: str
    title: str
    email: str
    value: Decimal | None
    quantity: int
    total: Decimal | None
    currency: str
    status: str
    gateway: str | None
    url: str
    url_branded: str
    checkout_url: str
    session_id: str
    return_url: str | None
    cancel_url: str | None
    custom_fields: dict[str, Any]
    expires_at: int | None
    paid_at: int | None
    created_at: int | None
    updated_at: int | None


class NewPayment(ShownPayment, frozen=True, kw_only=True):
    """A payment that was made; `webhook_secret` signs the calls of its `webhook`, null where it has none."""

    webhook_secret: str | None


class ShownSession(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout session: a payment in other words."""

    id: str
    uniqid: str
    url: str
    status: str
    amount: Decimal | None
    currency: str
    customer_email: str
    success_url: str | None
    cancel_url: str | None
    metadata: dict[str, Any]
    expires_at: int | None
    created_at: int | None


_URL: Final = {"type": ["string", "null"], "format": "uri", "maxLength": URL_MAX}
_CUSTOM: Final = {
    "type": ["object", "null"],
    "additionalProperties": {"type": ["string", "number", "boolean"]},
}
_EMAIL: Final = {"type": "string", "format": "email"}
_CURRENCY: Final = {"type": "string", "minLength": 3, "maxLength": 3}
SENT: Final[dict[str, dict[str, Any]]] = {
    "title": {"type": "string", "minLength": 1, "maxLength": TITLE_MAX},
    "email": _EMAIL,
    "value": AMOUNT,
    "currency": _CURRENCY,
    "quantity": {"type": ["integer", "null"], "minimum": 1, "maximum": QUANTITY_MAX},
    "gateway": {"type": ["string", "null"], "maxLength": NAME_MAX},
    "webhook": _URL,
    "return_url": _URL,
    "cancel_url": _URL,
    "custom_fields": _CUSTOM,
}
SESSION: Final[dict[str, dict[str, Any]]] = {
    "product": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": TEXT, "quantity": WHOLE},
    },
    "amount": AMOUNT,
    "currency": _CURRENCY,
    "customer_email": _EMAIL,
    "success_url": _URL,
    "cancel_url": _URL,
    "metadata": _CUSTOM,
}
COMPLETED: Final = {"note": TEXT, "suppress_emails": {"type": "boolean"}}
STATES_BY_WORD: Final[dict[str, list[InvoiceState]]] = {}
for _state, _word in STATUSES.items():
    STATES_BY_WORD.setdefault(_word, []).append(_state)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is asked to pay."""

    title: str
    email: str
    unit_minor: int
    quantity: int
    currency: str
    return_url: str
    cancel_url: str
    metadata: dict[str, Any]
    webhook: str = ""


def shown_payment(call: Call, payment: Invoice) -> ShownPayment:
    """A payment as it is told."""
    shown, url = call.ids.write(Kind.INVOICE, payment.id), call.pay_url + payment.token
    return ShownPayment(
        id=shown,
        uniqid=shown,
        title=payment.title,
        email=payment.email,
        value=number(payment.unit_minor, payment.currency),
        quantity=payment.quantity,
        total=number(payment.total_minor, payment.currency),
        currency=payment.currency,
        status=STATUSES[payment.state],
        gateway=gateway_of(payment),
        url=url,
        url_branded=url,
        checkout_url=url,
        session_id=shown,
        return_url=payment.return_url or None,
        cancel_url=payment.cancel_url or None,
        custom_fields=dict(payment.metadata.get("custom_fields") or {}),
        expires_at=seconds(payment.expires_at),
        paid_at=seconds(payment.paid_at),
        created_at=seconds(payment.created_at),
        updated_at=seconds(payment.updated_at),
    )


def new_payment(call: Call, payment: Invoice, *, secret: str | None) -> NewPayment:
    """The same of one that was made just now."""
    shown = msgspec.structs.asdict(shown_payment(call, payment))
    return NewPayment(**shown, webhook_secret=secret)


def shown_session(call: Call, payment: Invoice) -> ShownSession:
    """A payment as a checkout session."""
    shown = call.ids.write(Kind.INVOICE, payment.id)
    return ShownSession(
        id=shown,
        uniqid=shown,
        url=call.pay_url + payment.token,
        status=STATUSES[payment.state],
        amount=number(payment.total_minor, payment.currency),
        currency=payment.currency,
        customer_email=payment.email,
        success_url=payment.return_url or None,
        cancel_url=payment.cancel_url or None,
        metadata=dict(payment.metadata.get("custom_fields") or {}),
        expires_at=seconds(payment.expires_at),
        created_at=seconds(payment.created_at),
    )


def read_payment(call: Call) -> Asked:
    """The payment that is asked for. Raises WireError VALIDATION_ERROR."""
    fields = call.fields()
    title = fields.text("title", required=True, longest=TITLE_MAX)
    email = fields.email("email", required=True)
    currency = _currency(call, fields)
    value = fields.amount("value", currency=currency, required=True)
    quantity = fields.whole("quantity", least=1, most=QUANTITY_MAX, nullable=True) or 1
    metadata = {
        "gateway": fields.text("gateway", nullable=True, longest=NAME_MAX),
        "gateways": fields.texts("gateways", most=GATEWAYS_MAX, nullable=True),
        "crypto_gateway": fields.text("crypto_gateway", nullable=True, longest=NAME_MAX),
        "custom_fields": read_custom_fields(fields, "custom_fields"),
    }
    webhook = fields.text("webhook", nullable=True, longest=URL_MAX) or ""
    asked = _asked(
        fields,
        title=title,
        email=email,
        value=value,
        name="value",
        quantity=quantity,
        currency=currency,
        urls=("return_url", "cancel_url"),
        metadata=metadata,
    )
    return msgspec.structs.replace(asked, webhook=webhook)


def read_session(call: Call) -> Asked:
    """The same, in the words of a checkout session."""
    fields = call.fields()
    product = Fields(_product(call, fields), within="product.")
    title = product.text("name", required=True, longest=TITLE_MAX)
    quantity = product.whole("quantity", least=1, most=QUANTITY_MAX, nullable=True) or 1
    fields.wrong += product.wrong
    email = fields.email("customer_email", required=True)
    currency = _currency(call, fields)
    amount = fields.amount("amount", currency=currency, required=True)
    return _asked(
        fields,
        title=title,
        email=email,
        value=amount,
        name="amount",
        quantity=quantity,
        currency=currency,
        urls=("success_url", "cancel_url"),
        metadata={"custom_fields": read_custom_fields(fields, "metadata")},
    )


def _asked(
    fields: Fields,
    *,
    title: str | None,
    email: str | None,
    value: int | None,
    name: str,
    quantity: int,
    currency: str,
    urls: tuple[str, str],
    metadata: Mapping[str, Any],
) -> Asked:
    return_url, cancel_url = (_url(fields, each) for each in urls)
    if value is not None and not 0 < value * quantity <= TOTAL_MAX:
        fields.refuse(
            name, "must be at least the smallest amount of the currency, and not too large"
        )
    fields.check()
    return Asked(
        title=title or "",
        email=email or "",
        unit_minor=value or 0,
        quantity=quantity,
        currency=currency,
        return_url=return_url,
        cancel_url=cancel_url,
        metadata={key: each for key, each in metadata.items() if each},
    )


def _currency(call: Call, fields: Fields) -> str:
    """The currency; the shop's where it is wrong, so that the amount is read all the same."""
    found = (fields.text("currency", required=True) or "").upper()
    try:
        exponent(found)
    except Invalid:
        if found:
            fields.refuse("currency", "must be a currency code of three letters")
        return call.currency
    return found


def _url(fields: Fields, name: str) -> str:
    found = fields.text(name, nullable=True, longest=URL_MAX) or ""
    if found and not is_web_address(found):
        fields.refuse(name, "must be an http or https URL")
    return found


def _product(call: Call, fields: Fields) -> Mapping[str, Any]:
    found = call.body.get("product")
    if isinstance(found, dict):
        return found
    fields.refuse("product", "is required" if found is None else "must be an object")
    return {"name": "-"}
