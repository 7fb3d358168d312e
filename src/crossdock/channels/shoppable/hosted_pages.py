"""The pages of the hosted checkout as responses, each framed only by the partner's own pages."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from starlette.responses import RedirectResponse, Response

from crossdock.channels.plumbing import Pages
from crossdock.channels.shoppable.errors import render_error
from crossdock.channels.shoppable.hosted_fields import PAYMENT
from crossdock.channels.shoppable.hosted_links import allowed, completion_address, origins_of
from crossdock.channels.shoppable.hosted_messages import Message, message_of
from crossdock.channels.shoppable.hosted_showing import HostedShowing, seen
from crossdock.channels.shoppable.hosted_state import FormState, Links, Receipt, Sealing
from crossdock.channels.shoppable.numbers import order_number
from crossdock.errors import CrossdockError
from crossdock.gate import Mistake, page_headers, seller_of
from crossdock.kit.clock import Clock
from crossdock.kit.countries import countries_by_name
from crossdock.kit.display import country_name
from crossdock.kit.languages import spoken
from crossdock.shop.carts import Bill, CartView
from crossdock.shop.customers import Address
from crossdock.shop.orders import OrderView
from crossdock.shop.partners import Credential, Partner
from crossdock.shop.shops import Shop

PATH = "/checkout"
DONE_PATH = f"{PATH}/done"
_IMAGES = "'self' https: data:"
_ANY_SITE = ("https:",)


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """Who sells, the cart as it is now, and what the form is bound to."""

    state: FormState
    credential: Credential
    cart: CartView
    shop: Shop

    @property
    def partner(self) -> Partner:
        """Whose cart it is."""
        return self.credential.partner

    @property
    def framed_by(self) -> tuple[str, ...]:
        """The origins whose pages may show this one in a frame."""
        return origins_of(self.partner) if self.state.may_be_framed else ()

    @property
    def links(self) -> Links:
        """The publisher's addresses that may be linked."""
        return allowed(self.state.links, origins=origins_of(self.partner))

    def having(self, **changes: Any) -> "Visit":
        """The visit with a state that differs in these fields."""
        return msgspec.structs.replace(self, state=msgspec.structs.replace(self.state, **changes))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a form's page says first, and its status."""

    mistakes: Sequence[Mistake] = ()
    notices: Sequence[str] = ()
    code: int = 200


class HostedPages:
    """Renders the pages."""

    def __init__(self, sealing: Sealing, *, showing: HostedShowing, clock: Clock) -> None:
        self._sealing = sealing
        self._showing = showing
        self._clock = clock
        self._pages = Pages(Path(__file__).parent / "templates", headers=_headers())

    def now(self) -> int:
        """Unix time in seconds."""
        return int(self._clock.now().timestamp())

    def delivery(self, visit: Visit, values: Mapping[str, str], *, told: Told) -> Response:
        """The form of the first step."""
        summary = self._showing.cart(visit.cart, bill=None, shown=visit.state.shown)
        return self._form("delivery.html", visit, told=told, values=values, summary=summary)

    def payment(
        self, visit: Visit, form: Mapping[str, str], *, told: Told, shipping: Address, bill: Bill
    ) -> Response:
        """The form of the second step, whose total is what the shopper agrees to."""
        return self._form(
            "payment.html",
            visit.having(total_minor=bill.total_minor),
            told=told,
            values={name: form.get(name, "") for name in PAYMENT},
            summary=self._showing.cart(visit.cart, bill=bill, shown=visit.state.shown),
            shipping=shipping,
            address=_address_lines(shipping),
        )

    def _form(self, template: str, visit: Visit, *, told: Told, **values: Any) -> Response:
        state = visit.having(opened_at=self.now(), shown=seen(visit.cart)).state
        return self._pages.page(
            template,
            code=told.code,
            headers=_headers(visit.framed_by),
            form=self._sealing.form(state),
            action=PATH,
            seller=seller_of(visit.shop),
            publisher=visit.partner.name,
            is_test=visit.credential.is_test,
            links=visit.links,
            countries=countries_by_name(spoken()),
            mistakes=told.mistakes,
            notices=told.notices,
            wrong={mistake.field: mistake.text for mistake in told.mistakes},
            **values,
        )

    def waiting(self, visit: Visit, *, retry_after_s: int) -> Response:
        """The page while an order is being placed; its button looks again."""
        return self._pages.page(
            "wait.html",
            code=503,
            headers={**_headers(visit.framed_by), "Retry-After": str(retry_after_s)},
            form=self._sealing.form(visit.state),
            action=PATH,
            seller=seller_of(visit.shop),
            is_test=visit.credential.is_test,
        )

    def to_receipt(self, visit: Visit, order_id: int) -> Response:
        """303 to the confirmation: a browser's form may be answered with an address of this page only."""
        receipt = Receipt(
            shop_id=visit.partner.shop_id,
            partner_id=visit.partner.id,
            partner_name=visit.partner.name,
            order_id=order_id,
            made_at=self.now(),
            cart_id=visit.cart.id,
            framed_by=visit.framed_by,
            links=visit.links,
        )
        address = f"{DONE_PATH}?receipt={self._sealing.receipt(receipt)}"
        return RedirectResponse(address, status_code=303, headers=_headers(visit.framed_by))

    def confirmation(self, receipt: Receipt, order: OrderView, *, shop: Shop) -> Response:
        """The order, and the way on to the publisher's page where there is one."""
        onward = receipt.links.order_complete
        return self._pages.page(
            "done.html",
            headers=_headers(receipt.framed_by),
            seller=seller_of(shop),
            publisher=receipt.partner_name,
            is_test=order.is_test,
            order=order,
            address=_address_lines(order.shipping),
            number=order_number(order.id),
            summary=self._showing.order(order),
            links=receipt.links,
            onward=onward and completion_address(onward, order=order, cart_id=receipt.cart_id),
        )

    def expired(self, receipt: Receipt, message: Message, *, shop: Shop) -> Response:
        """The confirmation of an order that was placed a while ago."""
        return self._plain(
            message,
            code=410,
            headers=_headers(receipt.framed_by),
            number=order_number(receipt.order_id),
            links=receipt.links,
            shop=shop,
        )

    def message(self, message: Message, *, visit: Visit, number: str = "") -> Response:
        """A page without a form."""
        headers = _headers(visit.framed_by)
        return self._plain(
            message, code=200, headers=headers, number=number, links=visit.links, shop=visit.shop
        )

    def refusal(self, error: CrossdockError) -> Response:
        """The page of an error, before it is known whose page this is.

        Every https page may frame it: it has neither a form nor a link, and a shopper in a permitted
        frame must see what is wrong.
        """
        told = render_error(error, "GET")
        headers = _headers(_ANY_SITE)
        if "Retry-After" in told.headers:
            headers["Retry-After"] = told.headers["Retry-After"]
        return self._plain(message_of(error), code=told.status, headers=headers)

    def _plain(
        self,
        message: Message,
        *,
        code: int,
        headers: Mapping[str, str],
        number: str = "",
        links: Links | None = None,
        shop: Shop | None = None,
    ) -> Response:
        return self._pages.page(
            "message.html",
            code=code,
            headers=headers,
            seller=seller_of(shop) if shop else None,
            is_test=False,
            title=message.title,
            text=message.text,
            number=number,
            links=links or Links(),
        )


def _headers(framed_by: Sequence[str] = ()) -> dict[str, str]:
    return page_headers(images=_IMAGES, framed_by=framed_by)


def _address_lines(address: Address) -> list[str]:
    """The address as it is shown for a check."""
    place = " ".join(filter(None, (address.city, address.state, address.postcode)))
    lines = (
        f"{address.first_name} {address.last_name}",
        address.company,
        address.address_1,
        address.address_2,
        place,
        country_name(address.country, language=spoken()),
    )
    return [line for line in lines if line.strip()]
