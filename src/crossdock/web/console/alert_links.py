"""What alerts are about, each with the page that shows it to who may see it.

The order of an alert is a column of it. Everything else is read from its subject, or from what its sentence says of it:
both are written where the alert is raised, and kept.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from crossdock.kit.languages import lazy
from crossdock.kit.numbers import read_number
from crossdock.shop.alerts import Alert
from crossdock.shop.people import Person, Right


class Thing(NamedTuple):
    """A kind of thing that alerts are about: who may see it, its page, its name with the number."""

    right: Right
    path: str
    name: str


class AlertLink(NamedTuple):
    """The page of what an alert is about."""

    path: str
    text: str


THINGS: Final = {
    "order": Thing("orders.read", "/console/orders/{}", lazy("order %(number)s")),
    "delivery": Thing("deliveries.read", "/console/deliveries/{}", lazy("delivery %(number)s")),
    "mail": Thing("mail.read", "/console/mail/{}", lazy("mail %(number)s")),
    "customer": Thing("customers.read", "/console/customers/{}", lazy("customer %(number)s")),
    "ticket": Thing("tickets.read", "/console/tickets/{}", lazy("ticket %(number)s")),
    "claim": Thing("payouts.manage", "/console/payouts/{}", lazy("payout %(number)s")),
    "reseller": Thing("partners.manage", "/console/resellers/{}", lazy("reseller %(number)s")),
    "event": Thing("events.read", "/console/events/{}", lazy("event %(number)s")),
    "subject": Thing("events.read", "/console/events?subject={}", lazy("events about %(number)s")),
    "payment": Thing(
        "ledger.read",
        "/console/money/payments?before={next}#payment-{}",
        lazy("payment %(number)s"),
    ),
    "webhook": Thing(
        "deliveries.read", "/console/endpoints#webhook-{}", lazy("webhook %(number)s")
    ),
    "search": Thing("search.manage", "/console/search-desk", lazy("the search")),
}


class _Place(NamedTuple):
    """Alerts of these kinds name a thing in this part of them, where the pattern's one group is its number."""

    kinds: re.Pattern[str]
    part: Callable[[Alert], str]
    thing: str
    pattern: re.Pattern[str]


def _place(kinds: str, part: Callable[[Alert], str], thing: str, pattern: str) -> _Place:
    return _Place(re.compile(kinds), part, thing, re.compile(pattern))


def _subject(alert: Alert) -> str:
    return alert.subject


def _message(alert: Alert) -> str:
    return alert.message


_OF_PAYMENTS = "payment_unsettled|capture_refused|refund_refused"
_PLACES: Final = (
    _place("(?!job_).*_failed", _message, "delivery", r"\(delivery (\d+)\)$"),
    _place("mail_failed", _subject, "mail", r" (\d+)$"),
    _place("sales_rep_missing", _message, "customer", r" customer (\d+);"),
    _place("payout_overdue|job_failed", _subject, "claim", r"(?:^| )claim:(\d+)$"),
    _place(
        "commission_unreleased|stock_credit_left|job_failed",
        _subject,
        "reseller",
        r"(?:^| )reseller:(\d+)$",
    ),
    _place("stock_transfer_short", _message, "reseller", r" allocate (\d+) \d+$"),
    _place("invoice_paid_late", _subject, "payment", r"^payment:(\d+)$"),
    _place(_OF_PAYMENTS, _message, "payment", r" payment (\d+)(?: of |, asked )"),
    _place("job_failed", _subject, "payment", r" payment (\d+)$"),
    _place("job_failed", _subject, "ticket", r" ticket (\d+)$"),
    _place("webhook_paused", _subject, "webhook", r"^(\d+)$"),
    _place("event_set_aside", _subject, "order", r" orders:(\d+)$"),
    _place("event_set_aside", _subject, "ticket", r" tickets:(\d+)$"),
    _place("event_set_aside", _subject, "event", r" \w+:number (\d+)$"),
    _place("event_set_aside", _subject, "subject", r" (?!orders:|tickets:)\w+:(\d+)$"),
)


def alert_links(alert: Alert, person: Person) -> list[AlertLink]:
    """The pages of what the alert is about; a name without a page where the person may not see it."""
    return [
        AlertLink(
            thing.path.format(number, next=number + 1) if person.may(thing.right) else "",
            str(thing.name) % {"number": number},
        )
        for thing, number in _things(alert)
    ]


def _things(alert: Alert) -> Iterator[tuple[Thing, int]]:
    if alert.order_id is not None:
        yield THINGS["order"], alert.order_id
    if alert.kind == "search_behind":
        yield THINGS["search"], 0
    for place in _PLACES:
        found = place.kinds.fullmatch(alert.kind) and place.pattern.search(place.part(alert))
        if found and (number := read_number(found[1])) is not None:
            yield THINGS[place.thing], number
