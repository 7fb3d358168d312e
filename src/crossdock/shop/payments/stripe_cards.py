"""Cards through Stripe: PaymentIntents with manual capture, by the official library.

An authorisation is three calls: a PaymentIntent without a card, a PaymentMethod made from the card, and
the confirmation of the one with the other. So the first can be sent again under its idempotency key
without the card: that is how an authorisation whose answer was lost is found. A PaymentIntent that was
not confirmed by then is cancelled, so that nothing confirms it later. Captures and cancellations are
looked up by the PaymentIntent, refunds by our key in their metadata.
"""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import stripe
import structlog

from crossdock.kit.outbound import Outbound
from crossdock.shop.payments.contract import Answer, AnswerLost, Card, Question
from crossdock.shop.payments.stripe_amounts import stripe_amount
from crossdock.shop.payments.stripe_http import create_client

log = structlog.get_logger("crossdock.payments")

AMOUNT_REFUSED = "amount_not_supported"
REQUEST_REFUSED = "provider_refused"
OTHER_AMOUNT = "captured_another_amount"
AUTHENTICATION = "authentication_required"
_KEY = "crossdock_key"
_FRAUD = frozenset(
    {"fraudulent", "lost_card", "stolen_card", "pickup_card", "merchant_blacklist", "blocked"}
)
_KNOWN = frozenset(
    {
        *("insufficient_funds", "expired_card", "incorrect_number", "incorrect_cvc", "invalid_cvc"),
        *("invalid_expiry_month", "invalid_expiry_year", "processing_error", AUTHENTICATION),
    }
)
_REFUSALS = (
    stripe.CardError,
    stripe.InvalidRequestError,
    stripe.AuthenticationError,
    stripe.PermissionError,
)
"""Errors after which Stripe has done nothing; after any other it may have."""


class StripeCards:
    """A provider, in Stripe's test mode or, where `is_live`, the live one."""

    name = "stripe"

    def __init__(
        self,
        outbound: Outbound,
        *,
        secret_key: str,
        is_live: bool,
        api_url: str,
        timeout: timedelta,
    ) -> None:
        self.moves_money = is_live
        client = create_client(outbound, secret_key=secret_key, api_url=api_url, timeout=timeout)
        self._intents: Any = client.v1.payment_intents
        self._methods: Any = client.v1.payment_methods
        self._refunds: Any = client.v1.refunds

    async def authorise(self, question: Question, card: Card) -> Answer:
        """Reserve the amount; a card whose bank wants to see its holder is refused."""
        intent = await self._intent(question)
        if isinstance(intent, Answer):
            return intent
        method = await _asked(
            self._methods.create_async(
                {
                    "type": "card",
                    "card": {
                        "number": card.number,
                        "exp_month": card.month,
                        "exp_year": card.year,
                        "cvc": card.code,
                    },
                },
                {"idempotency_key": f"{question.key}-card"},
            )
        )
        if isinstance(method, Answer):
            return method
        confirmed = await _asked(
            self._intents.confirm_async(
                intent.id,
                {"payment_method": method.id, "error_on_requires_action": True},
                {"idempotency_key": f"{question.key}-confirm"},
            )
        )
        if isinstance(confirmed, Answer):
            return confirmed
        if confirmed.status != "requires_capture":
            raise AnswerLost
        return Answer(approved=True, code=confirmed.id)

    async def capture(self, question: Question) -> Answer:
        """Take the amount; Stripe releases what is left of the reservation."""
        amount = stripe_amount(question.amount_minor, question.currency)
        if amount is None:
            return Answer(approved=False, reason=AMOUNT_REFUSED)
        taken = await _asked(
            self._intents.capture_async(
                question.authorisation,
                {"amount_to_capture": amount},
                {"idempotency_key": question.key},
            )
        )
        if isinstance(taken, Answer):
            taken = await self._state_after(question, taken)
        if isinstance(taken, Answer):
            return taken
        return _taken(taken, amount)

    async def void(self, question: Question) -> Answer:
        """Cancel the PaymentIntent."""
        ended = await _asked(
            self._intents.cancel_async(
                question.authorisation, {}, {"idempotency_key": question.key}
            )
        )
        if isinstance(ended, Answer):
            ended = await self._state_after(question, ended)
        return ended if isinstance(ended, Answer) else _ended(ended, wanted="canceled")

    async def refund(self, question: Question) -> Answer:
        """Refund part or all of what was captured."""
        amount = stripe_amount(question.amount_minor, question.currency)
        if amount is None:
            return Answer(approved=False, reason=AMOUNT_REFUSED)
        refund = await _asked(
            self._refunds.create_async(
                {
                    "payment_intent": question.authorisation,
                    "amount": amount,
                    "metadata": {_KEY: question.key},
                },
                {"idempotency_key": question.key},
            )
        )
        return refund if isinstance(refund, Answer) else _refunded(refund)

    async def look_up(self, question: Question) -> Answer | None:
        """What became of the request; an authorisation that was not confirmed is cancelled."""
        if question.action == "authorise":
            return await self._look_up_authorisation(question)
        if question.action == "refund":
            return await self._look_up_refund(question)
        intent = await self._read(question.authorisation)
        if intent.status == "requires_capture":
            return None
        if question.action == "capture":
            return _taken(intent, stripe_amount(question.amount_minor, question.currency))
        return _ended(intent, wanted="canceled")

    async def _intent(self, question: Question) -> Any:
        """The PaymentIntent of this key, made by the first call and found by every later one."""
        amount = stripe_amount(question.amount_minor, question.currency)
        if amount is None:
            return Answer(approved=False, reason=AMOUNT_REFUSED)
        return await _asked(
            self._intents.create_async(
                {
                    "amount": amount,
                    "currency": question.currency.lower(),
                    "capture_method": "manual",
                    "payment_method_types": ["card"],
                    "metadata": {
                        _KEY: question.key,
                        "crossdock_reference": question.reference,
                    },
                },
                {"idempotency_key": question.key},
            )
        )

    async def _look_up_authorisation(self, question: Question) -> Answer | None:
        made = await self._intent(question)
        if isinstance(made, Answer):
            return made
        intent = await self._read(made.id)
        if intent.status in {"requires_capture", "succeeded"}:
            return Answer(approved=True, code=intent.id)
        if intent.status == "processing":
            raise AnswerLost
        failed = getattr(intent, "last_payment_error", None)
        if intent.status != "canceled":
            ended = await _asked(self._intents.cancel_async(intent.id))
            if isinstance(ended, Answer):
                raise AnswerLost
        if failed:
            return Answer(approved=False, reason=_reason(failed.to_dict()))
        return None

    async def _look_up_refund(self, question: Question) -> Answer | None:
        start: dict[str, str] = {}
        while True:
            page = await _asked(
                self._refunds.list_async(
                    {"payment_intent": question.authorisation, "limit": 100, **start}
                )
            )
            if isinstance(page, Answer):
                raise AnswerLost
            for refund in page.data:
                if refund.metadata and refund.metadata.to_dict().get(_KEY) == question.key:
                    return _refunded(refund)
            if not page.has_more:
                return None
            start = {"starting_after": page.data[-1].id}

    async def _state_after(self, question: Question, refused: Answer) -> Any:
        """The PaymentIntent where that is why a request was refused: it was captured or cancelled before,
        in Stripe's dashboard or by the end of its time. Else the refusal."""
        if refused.reason != REQUEST_REFUSED:
            return refused
        intent = await self._read(question.authorisation)
        return refused if intent.status == "requires_capture" else intent

    async def _read(self, intent_id: str) -> Any:
        intent = await _asked(self._intents.retrieve_async(intent_id))
        if isinstance(intent, Answer):
            raise AnswerLost
        return intent


async def _asked(call: Awaitable[Any]) -> Any:
    """What Stripe answers, or an Answer with its refusal. Raises AnswerLost if it may have acted.

    The error itself goes no further: its frames hold the card.
    """
    try:
        return await call
    except stripe.StripeError as error:
        found = error.json_body if isinstance(error.json_body, dict) else {}
        kind, request_id, is_refusal = (
            type(error).__name__, error.request_id, isinstance(error, _REFUSALS)
        )  # fmt: skip
        is_card = isinstance(error, stripe.CardError)
        why = str(error) if isinstance(error, stripe.APIConnectionError) else ""
    told = found.get("error") or {}
    if is_card:
        return Answer(approved=False, reason=_reason(told))
    log.warning(
        "stripe did not do it", kind=kind, code=told.get("code"), why=why, stripe_request=request_id
    )
    if is_refusal:
        return Answer(approved=False, reason=REQUEST_REFUSED)
    raise AnswerLost


def _reason(told: Any) -> str:
    """Our word for Stripe's code and decline code."""
    code, decline = told.get("code") or "", told.get("decline_code") or ""
    if decline in _FRAUD:
        return "fraud"
    return next((word for word in (decline, code) if word in _KNOWN), "card_declined")


def _taken(intent: Any, amount: int | None) -> Answer:
    if intent.status == "succeeded" and intent.amount_received != amount:
        return Answer(approved=False, reason=OTHER_AMOUNT)
    return _ended(intent, wanted="succeeded")


def _ended(intent: Any, *, wanted: str) -> Answer:
    if intent.status == wanted:
        return Answer(approved=True, code=intent.id)
    if intent.status == "processing":
        raise AnswerLost
    return Answer(approved=False, reason=f"payment_{intent.status}")


def _refunded(refund: Any) -> Answer:
    """A pending refund is one that Stripe has accepted."""
    if refund.status in {"failed", "canceled"}:
        return Answer(approved=False, reason=f"refund_{refund.status}")
    return Answer(approved=True, code=refund.id)
