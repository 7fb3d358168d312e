"""The interface of payment providers: four requests, and a look-up of their answers.

Each request has an idempotency key. A provider returns the same answer for the same key, and
`look_up` finds the answer of a request whose response was lost, so requests are never repeated.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from crossdock.errors import Invalid

Action = Literal["authorise", "capture", "void", "refund"]

_BRANDS = (("4", "visa"), ("5", "mastercard"), ("2", "mastercard"), ("34", "amex"), ("37", "amex"))


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A card's data for the provider; never stored. Its repr hides the number."""

    number: str
    month: int
    year: int
    code: str

    def __repr__(self) -> str:
        return f"Card({self.brand}, {self.last4})"

    @property
    def brand(self) -> str:
        """The brand by the first digits: visa, mastercard, amex or other."""
        return next((name for start, name in _BRANDS if self.number.startswith(start)), "other")

    @property
    def last4(self) -> str:
        """The last four digits, which may be stored and shown."""
        return self.number[-4:]


def checked_card(*, number: str, month: int, year: int, code: str, now: datetime) -> Card:
    """Validate card data: 12 to 19 digits with a right check digit, not expired, a code of three or four digits.

    Spaces and hyphens in the number are ignored. Raises Invalid `invalid_input`, without the number, with
    the first `field` that is wrong and all `fields` that are.
    """
    digits = number.replace(" ", "").replace("-", "")
    checks = {
        "number": digits.isascii() and digits.isdigit() and _is_card_number(digits),
        "month": 1 <= month <= 12,
        "year": (year, month) >= (now.year, now.month) and year < now.year + 30,
        "code": code.isascii() and code.isdigit() and 3 <= len(code) <= 4,
    }
    if wrong := [field for field, held in checks.items() if not held]:
        message = f"The card's {wrong[0]} cannot be right."
        fields = [f"card_{field}" for field in wrong]
        raise Invalid("invalid_input", message, {"field": fields[0], "fields": fields})
    return Card(number=digits, month=month, year=year, code=code)


def _is_card_number(digits: str) -> bool:
    """Of a length that cards have, with the check digit of ISO/IEC 7812-1 (Luhn)."""
    doubled = (divmod(2 * int(digit), 10) for digit in digits[-2::-2])
    total = sum(map(int, digits[::-2])) + sum(map(sum, doubled))
    return 12 <= len(digits) <= 19 and total % 10 == 0


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a provider: our payment's reference, the amount, and the idempotency key.

    `authorisation` is the provider's own number of what it authorised; empty before that.
    """

    shop_id: int
    reference: str
    key: str
    action: Action
    amount_minor: int
    currency: str
    authorisation: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's answer: approved with its own number in `code`, or refused with the `reason`."""

    approved: bool
    code: str = ""
    reason: str = ""


class AnswerLost(Exception):
    """No answer arrived: the provider may or may not have acted; look it up."""


class Provider(Protocol):
    """A payment provider. Every method may raise AnswerLost; none is called inside a transaction."""

    name: str

    @property
    def moves_money(self) -> bool:
        """Whether real cards are charged."""

    async def authorise(self, question: Question, card: Card) -> Answer:
        """Reserve the amount on the card."""

    async def capture(self, question: Question) -> Answer:
        """Take the amount, or less of it, that was authorised under the same reference."""

    async def void(self, question: Question) -> Answer:
        """Cancel the reservation."""

    async def refund(self, question: Question) -> Answer:
        """Refund part or all of what was captured."""

    async def look_up(self, question: Question) -> Answer | None:
        """The answer to this key, or None if the request never arrived."""


Providers = Mapping[str, Provider]
