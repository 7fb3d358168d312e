"""Acts in the audit log: named by area and by what was done, with the many chosen orders as a number."""

from datetime import UTC, datetime

import pytest

from crossdock.kit.languages import speaking
from crossdock.shop.acts import ActView
from crossdock.web.console.act_names import ACT_NAMES
from crossdock.web.console.act_words import told

PICKING = "work"


def act(subject: str, **details: str) -> ActView:
    return ActView(
        id=1,
        done_at=datetime(2026, 3, 2, tzinfo=UTC),
        person_id=1,
        actor="noor@x.example",
        act=subject,
        subject=subject,
        details=details,
        source="",
    )


@pytest.mark.parametrize(
    ("path", "what", "subject"),
    [
        ("/console/people/7/password", "Reset the password", "Person 7"),
        ("/console/account/password", "Change the password", "Own account"),
        ("/console/orders/7/packages/2/ship", "Ship a package", "Order 7"),
        ("/console/orders/7/lines/3/cancel", "Cancel a line", "Order 7"),
        (f"/console/orders/7/{PICKING}/unpick", "Put back on the shelf", "Order 7"),
        ("/console/payouts/7", "Decide on a payout", "Payout 7"),
        ("/console/customers/7", "Change", "Customer 7"),
        ("/console/orders/7/some-thing", "Some thing", "Order 7"),
    ],
)
def test_say_what_was_done_to_what(path, what, subject):
    shown = told(act(path))
    assert (shown.what, shown.subject) == (what, subject)


def test_of_a_bulk_tell_how_many_orders_were_chosen():
    shown = told(
        act("/console/orders/bulk", **{"action": "cancel", "order.7": "yes", "order.8": "yes"})
    )
    assert shown.what == "Work on several orders"
    assert shown.details == {"chosen": "2 orders", "action": "cancel"}


def test_are_told_in_the_language_of_who_reads():
    with speaking("de"):
        assert told(act("/console/people/7/sessions")).what == "Sitzungen beenden"
        assert [
            str(name) for names in ACT_NAMES.values() for name in names.values() if not str(name)
        ] == []
