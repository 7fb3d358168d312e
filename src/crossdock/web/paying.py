"""The page of a hosted payment: an invoice or an order, a card's fields, and what became of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import jinja2
import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from crossdock.compose import Services
from crossdock.errors import NotFound, Refused, Unavailable
from crossdock.gate import (
    CARD_DECLINED,
    CARD_SHOWN_AGAIN,
    Mistake,
    buyer_language,
    page_headers,
    read_card,
    read_form,
    seller_of,
)
from crossdock.kit.display import money_text
from crossdock.kit.languages import lazy, speaking, spoken
from crossdock.shop.invoices import PAYMENT_PAGES, Payable, find_payable, pay_payable
from crossdock.shop.partners import FailedCalls
from crossdock.shop.payments import Card, provider_for

_DONE: Final = "done"
_GONE: Final = 410
_OTHER_SITE: Final = lazy("This form was sent by another site. Enter the card here.")
_DECLINES_PER_MINUTE: Final = 5
"""Declined cards of one address, and of one payment, before they wait: nobody tries out stolen cards here."""
_TOO_MANY: Final = lazy("Several cards were declined. Wait a minute before you try another one.")
_UNSETTLED: Final = lazy(
    "The bank has not answered. Wait a minute before you try again: a card that was reserved"
    " meanwhile is let go of, and you are charged once."
)


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    """What the page says where there is nothing to pay. `look` is how its mark looks."""

    pill: str
    look: str
    title: str
    text: str
    status: int = 200


_MESSAGES: Final = {
    "confirming": _Message(
        pill=lazy("Being confirmed"),
        look="wait",
        title=lazy("Your payment is being confirmed"),
        text=lazy(
            "The bank has not answered yet. This page looks again by itself; nothing is charged twice."
        ),
    ),
    "suspended": _Message(
        pill=lazy("Not now"),
        look="bad",
        title=lazy("This shop takes no payments now"),
        text=lazy("Nothing was charged. Ask the shop what happens to your order."),
        status=403,
    ),
    "paid": _Message(
        pill=lazy("Paid"),
        look="good",
        title=lazy("Thank you, it is paid"),
        text=lazy("Keep this page as your receipt."),
    ),
    "refunded": _Message(
        pill=lazy("Refunded"),
        look="wait",
        title=lazy("This payment was refunded"),
        text=lazy("The whole amount was given back to the card or account that it came from."),
    ),
    "expired": _Message(
        pill=lazy("Expired"),
        look="bad",
        title=lazy("The time to pay is over"),
        text=lazy("Nothing was charged. Ask the shop for a new link if you still want to pay."),
        status=_GONE,
    ),
    "voided": _Message(
        pill=lazy("Cancelled"),
        look="bad",
        title=lazy("There is nothing to pay any more"),
        text=lazy("The shop cancelled this payment. Nothing was charged."),
        status=_GONE,
    ),
}


class PaymentPages:
    """Shows and answers the pages of hosted payments."""

    def __init__(
        self,
        services: Services,
        *,
        templates: jinja2.Environment,
        source: Callable[[Request], str],
    ) -> None:
        self._services = services
        self._clock = services.runtime.clock
        self._source = source
        self._declined = FailedCalls(self._clock, per_minute=_DECLINES_PER_MINUTE)
        self._templates = templates

    async def answer(self, request: Request) -> Response | None:
        """The page of what the address names, or None for an address that names nothing.

        A form that was sent pays it; its answer leads back to the page, which a reload shows again.
        """
        payable = await self._find(request.path_params["token"])
        if payable is None:
            return None
        language = buyer_language(
            request, of_shop=payable.shop.languages, named=payable.language, country=payable.country
        )
        with speaking(language):
            return await self._answer(request, payable)

    async def _answer(self, request: Request, payable: Payable) -> Response:
        if request.method != "POST" or payable.standing != "open":
            return self._shown(payable, is_done=_DONE in request.query_params)
        try:
            form = await read_form(request)
        except Refused:
            return self._open(payable, notices=[_OTHER_SITE], status=403)
        card = read_card(form, now=self._clock.now())
        if not isinstance(card, Card):
            return self._open(payable, form=form, mistakes=card, status=422)
        return await self._pay(payable, form, card=card, counted=self._counted(request, payable))

    async def _find(self, token: str) -> Payable | None:
        try:
            async with self._services.runtime.database.statement() as tx:
                return await find_payable(tx, token=token, now=self._clock.now())
        except NotFound:
            return None

    def _counted(self, request: Request, payable: Payable) -> tuple[str, str]:
        """What declined cards are counted for: the caller's address, and the payment."""
        return self._source(request), f"{payable.kind} {payable.id}"

    async def _pay(
        self,
        payable: Payable,
        form: Mapping[str, str],
        *,
        card: Card,
        counted: tuple[str, str],
    ) -> Response:
        try:
            for each in counted:
                self._declined.check(each)
        except Unavailable:
            return self._open(payable, form=form, notices=[_TOO_MANY], status=429)
        try:
            await pay_payable(
                self._services.paying, payable, card=card, provider=self._services.card_provider
            )
        except Unavailable as error:
            if error.code != "payment_unsettled":
                raise
            return self._open(payable, form=form, notices=[_UNSETTLED], status=503)
        except Refused as error:
            if error.code != "payment_declined":
                return self._to_page(payable)  # it tells what became of it meanwhile
            for each in counted:
                self._declined.note(each)
            declined = Mistake(field="card_number", text=CARD_DECLINED)
            return self._open(payable, form=form, mistakes=[declined], status=422)
        return self._to_page(payable, query=f"?{_DONE}")

    def _to_page(self, payable: Payable, *, query: str = "") -> Response:
        address = f"{PAYMENT_PAGES}{payable.token}{query}"
        return RedirectResponse(address, status_code=303, headers=page_headers())

    def _shown(self, payable: Payable, *, is_done: bool) -> Response:
        if payable.standing == "open":
            return self._open(payable)
        message = _MESSAGES[payable.standing]
        onward = _web_address(payable.return_url) if payable.standing == "paid" else ""
        return self._page(
            "payment_over.html",
            payable,
            status=message.status,
            message=message,
            onward=onward,
            goes_on=is_done,
        )

    def _open(
        self,
        payable: Payable,
        *,
        form: Mapping[str, str] | None = None,
        mistakes: Sequence[Mistake] = (),
        notices: Sequence[str] = (),
        status: int = 200,
    ) -> Response:
        given = form or {}
        return self._page(
            "payment.html",
            payable,
            status=status,
            values={name: given.get(name, "") for name in CARD_SHOWN_AGAIN},
            mistakes=mistakes,
            notices=notices,
            wrong={mistake.field: mistake.text for mistake in mistakes},
            back=_web_address(payable.cancel_url),
            no_money_moves=not self._moves_money(payable),
        )

    def _moves_money(self, payable: Payable) -> bool:
        providers = self._services.paying.providers
        taker = provider_for(providers, self._services.card_provider, is_test=payable.is_test)
        return providers[taker].moves_money

    def _page(self, template: str, payable: Payable, *, status: int, **values: object) -> Response:
        html = self._templates.get_template(template).render(
            payable=payable,
            seller=seller_of(payable.shop),
            money=lambda minor: money_text(minor, payable.currency, language=spoken()),
            **values,
        )
        headers = page_headers()
        if payable.standing == "confirming":
            headers["Refresh"] = "5"
        return HTMLResponse(html, status_code=status, headers=headers)


def _web_address(address: str) -> str:
    """The address if it is one of the web, '' for any other: what is linked must not run anything."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.hostname else ""
