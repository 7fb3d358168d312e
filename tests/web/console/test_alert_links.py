"""An alert leads to what it is about..."""

import ast
from collections.abc import Iterator

import pytest

from crossdock.kit.languages import speaking
from crossdock.shop.alerts import Alert
from crossdock.shop.people import Person, Role
from crossdock.web.console.alert_links import alert_links
from tests.support.factories import moment
from tests.support.processes import ROOT

ABOUT_NO_SINGLE_THING = {
    "payment_provider_unknown",  # all open payments with it
    "consumer_stuck",  # a part of the server
    "disk_low",  # a disk
}
COMPUTED = {
    "src/crossdock/shop/deliveries/recording.py": "mail_failed",
    "src/crossdock/shop/payments/settling.py": "refund_refused",
}
"""What a kind that is computed may be."""
NUMBER = "7"
"""What stands for each value of a sentence."""


def somebody(role: Role) -> Person:
    return Person(
        id=1, shop_id=1, shop="acme", partner_id=None, email="a@b.example", name="", role=role,
        active=True, has_totp=False, recovery_codes_left=0, created_at=moment("2026-03-02T12:00:00+00:00"),
        last_seen_at=None,
    )  # fmt: skip


def alert(kind: str, *, message: str = "", subject: str = "", order_id: int | None = None) -> Alert:
    return Alert(
        shop="acme", id=1, kind=kind, message=message, order_id=order_id, subject=subject,
        created_at=moment("2026-03-02T12:00:00+00:00"), seen_at=None, seen_by="",
    )  # fmt: skip


def raised() -> Iterator[tuple[str, Alert]]:
    """Every alert that a call of `raise_alert` raises, as (file, alert), with NUMBER for each value."""
    for path in sorted((ROOT / "src/crossdock").rglob("*.py")):
        file = str(path.relative_to(ROOT))
        if file.startswith("src/crossdock/shop/alerts/"):
            continue  # passes on what it is given, with a piece of work of any kind
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for each in _raised_in(function, of=COMPUTED.get(file, "")):
                    yield file, each


def _raised_in(function: ast.AST, *, of: str) -> Iterator[Alert]:
    nodes = list(ast.walk(function))
    texts = {
        target.id: node.value
        for node in nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "raise_alert":
            given = {word.arg: word.value for word in node.keywords}
            kind = given["kind"]
            yield alert(
                str(kind.value) if isinstance(kind, ast.Constant) else of,
                message=_text(given["message"], texts),
                subject=_text(given.get("subject", ast.Constant("")), texts),
                order_id=7 if "order_id" in given else None,
            )


def _text(node: ast.expr, texts: dict[str, ast.expr]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(each, texts) for each in node.values)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, texts)
    if isinstance(node, ast.Name) and isinstance(texts.get(node.id), ast.JoinedStr):
        return _text(texts[node.id], {})
    return NUMBER


def test_whatever_code_raises_it():
    found = list(raised())
    without = {each.kind for _, each in found if not alert_links(each, somebody("owner"))}

    assert len(found) > 15
    assert without == ABOUT_NO_SINGLE_THING - {"disk_low"} | {"event_set_aside"}


@pytest.mark.parametrize(
    ("of", "leads"),
    [
        (
            alert("dispatch_failed", message="Order 12 was not sent to depot: no (delivery 9)", order_id=12),
            [("/console/orders/12", "order 12"), ("/console/deliveries/9", "delivery 9")],
        ),
        (
            alert("x_failed", message="A (delivery 3) of it was not sent: (delivery 8) (delivery 9)"),
            [("/console/deliveries/9", "delivery 9")],
        ),
        (
            alert("mail_failed", message="Mail 4: no (delivery 9)", subject="ada@x.example 4"),
            [("/console/deliveries/9", "delivery 9"), ("/console/mail/4", "mail 4")],
        ),
        (
            alert("invoice_paid_late", subject="payment:5"),
            [("/console/money/payments?before=6#payment-5", "payment 5")],
        ),
        (
            alert(
                "refund_refused", message="x refused to refund 1 EUR of payment 5 of order 12: no.", order_id=12
            ),
            [("/console/orders/12", "order 12"), ("/console/money/payments?before=6#payment-5", "payment 5")],
        ),
        (alert("payout_overdue", subject="claim:5"), [("/console/payouts/5", "payout 5")]),
        (alert("job_failed", subject="keep_commissions claim:5"), [("/console/payouts/5", "payout 5")]),
        (alert("job_failed", subject="close_tickets ticket 5"), [("/console/tickets/5", "ticket 5")]),
        (alert("job_failed", subject="fetch_images https://x.example/payment-5"), []),
        (alert("event_set_aside", subject="mail orders:5"), [("/console/orders/5", "order 5")]),
        (alert("event_set_aside", subject="mail stock:5"), [("/console/events?subject=5", "events about 5")]),
        (alert("event_set_aside", subject="mail stock:number 5"), [("/console/events/5", "event 5")]),
        (alert("webhook_paused", subject="5"), [("/console/endpoints#webhook-5", "webhook 5")]),
        (alert("search_behind"), [("/console/search-desk", "the search")]),
    ],
)  # fmt: skip
def test_by_what_it_says(of, leads):
    assert [tuple(each) for each in alert_links(of, somebody("owner"))] == leads


def test_only_where_one_may_see_that_and_in_ones_language():
    of = alert("payout_overdue", subject="claim:5")
    with speaking("nl"):
        assert [tuple(each) for each in alert_links(of, somebody("viewer"))] == [
            ("", "uitbetaling 5")
        ]
