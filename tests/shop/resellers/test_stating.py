"""A statement of a prepaid balance..."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pypdfium2 as pdfium
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid, NotFound
from crossdock.kit.clock import FrozenClock
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.resellers import (
    STATEMENT_LINES_MAX,
    Statement,
    StatementLine,
    prepaid_owner,
    read_balance,
    read_buckets,
    read_lines,
    read_statement,
    statement_csv,
    statement_pdf,
    stream_lines,
)
from crossdock.shop.warehouse import LabelFonts
from tests.support.earning import book, claim, decide, give_back, line, sold
from tests.support.reselling import Reselling


async def _statement(selling: Reselling, reseller_id: int, **span: Any) -> Statement:
    async with selling.database.statement() as tx:
        return await read_statement(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller_id,
            **{"until": selling.clock.now() + timedelta(seconds=1), **span},
        )


async def _lines(selling: Reselling, reseller_id: int, **span: Any) -> list[StatementLine]:
    statement = await _statement(selling, reseller_id, **span)
    return [line async for line in stream_lines(selling.database, statement=statement)]


async def _post(selling: Reselling, reseller_id: int, *amounts: int, reason: str = "") -> None:
    """Top up by each amount, in one transaction."""
    transfers = [
        Transfer(
            debit=Account("bank"), credit=Account("prepaid", prepaid_owner(reseller_id)),
            amount_minor=amount, currency="USD", kind="top_up", reason=reason,
        )
        for amount in amounts
    ]  # fmt: skip
    async with selling.database.begin() as tx:
        await post_transfers(
            tx, shop_id=selling.shop.id, transfers=transfers, now=selling.clock.now()
        )


async def test_adds_up_to_the_balance_and_names_each_cause(
    database: Database, clock: FrozenClock
) -> None:
    selling = await Reselling.open(database, clock)
    licence = await selling.licence("K-1", "K-2")
    reseller, partner = await selling.reseller(credit_minor=5_000)
    other, _ = await selling.reseller("other@example.com", credit_minor=77)
    clock.move(timedelta(hours=1))
    made = await selling.fulfil(partner, licence, external_order_id="order-7")
    clock.move(timedelta(hours=1))
    async with database.begin() as tx:
        await selling.credit(tx, reseller, -100)
        balance = await read_balance(tx, shop_id=selling.shop.id, reseller_id=reseller.id)

    lines = await _lines(selling, reseller.id)

    assert [(each.kind, each.amount_minor, each.balance_minor) for each in lines] == [
        ("top_up", 5_000, 5_000),
        ("fulfilment", -1_000, 4_000),
        ("adjustment", -100, 3_900),
    ]
    assert sum(each.amount_minor for each in lines) == balance.balance_minor == 3_900
    debit = lines[1]
    assert (debit.fulfilment_id, debit.order_id, debit.external_order_id) == (
        made.fulfilment.id,
        made.fulfilment.order_id,
        "order-7",
    )
    later = await _lines(selling, reseller.id, since=debit.at, until=lines[2].at)
    assert later == [debit]
    assert [each.amount_minor for each in await _lines(selling, other.id)] == [77]


async def test_begins_and_ends_with_the_balances_of_its_period(
    database: Database, clock: FrozenClock
) -> None:
    selling = await Reselling.open(database, clock)
    reseller, _ = await selling.reseller(credit_minor=5_000)
    noon = clock.now()
    clock.move(timedelta(hours=1))
    await _post(selling, reseller.id, 100, 200)
    clock.move(timedelta(hours=1))
    await _post(selling, reseller.id, 7)

    whole = await _statement(selling, reseller.id)
    assert (whole.opening_minor, whole.closing_minor, whole.lines) == (0, 5_307, 4)
    span = {"since": noon + timedelta(hours=1), "until": noon + timedelta(hours=2)}
    middle = await _statement(selling, reseller.id, **span)
    assert (middle.opening_minor, middle.closing_minor, middle.lines) == (5_000, 5_300, 2)
    balances = [line.balance_minor for line in await _lines(selling, reseller.id, **span)]
    assert balances == [5_100, 5_300]
    after = await _statement(selling, reseller.id, since=noon + timedelta(hours=3))
    assert (after.opening_minor, after.closing_minor, after.lines) == (5_307, 5_307, 0)
    with pytest.raises(NotFound):
        await _statement(selling, reseller.id + 1_000)


async def test_tells_every_line_however_many(database: Database, clock: FrozenClock) -> None:
    selling = await Reselling.open(database, clock)
    reseller, _ = await selling.reseller()
    amounts = list(range(1, 2_502))
    await _post(selling, reseller.id, *amounts)

    lines = await _lines(selling, reseller.id)

    assert [line.amount_minor for line in lines] == amounts
    assert [line.balance_minor for line in lines] == [n * (n + 1) // 2 for n in amounts]
    statement = await _statement(selling, reseller.id)
    async with database.statement() as tx:
        page = await read_lines(tx, statement=statement, after_id=lines[1_999].entry_id, limit=3)
    assert page == lines[2_000:2_003]


async def test_of_commission_tells_what_was_earned_taken_back_and_paid_out(
    database: Database, clock: FrozenClock
) -> None:
    selling = await Reselling.open(database, clock, default_commission_bp=5000)
    goods = await selling.licence()
    reseller, _ = await selling.reseller(credit_minor=5_000)
    order_id = await sold(selling, reseller, line(selling, goods, price_minor=20_000))
    clock.move(timedelta(hours=1))
    await give_back(selling, order_id, 5_000)
    await book(selling)
    kept = await claim(selling, reseller, 2_000)
    for action in ("approve", "complete"):
        await decide(selling, reseller, kept.id, action)
    refused = await claim(selling, reseller, 1_000)
    await decide(selling, reseller, refused.id, "reject")
    await claim(selling, reseller, 500)

    lines = await _lines(selling, reseller.id, purse="commission")

    assert [(each.kind, each.amount_minor, each.balance_minor) for each in lines] == [
        ("commission_earned", 10_000, 10_000),
        ("commission_reversed", -2_500, 7_500),
        ("payout", -2_000, 5_500),
    ]
    assert [each.order_id for each in lines] == [order_id, order_id, None]
    assert lines[2].reason == f"payout {kept.id}"
    statement = await _statement(selling, reseller.id, purse="commission", since=lines[1].at)
    assert (statement.opening_minor, statement.closing_minor, statement.lines) == (10_000, 5_500, 2)
    async with database.statement() as tx:
        later = await read_lines(tx, statement=statement, after_id=lines[1].entry_id)
        found = await read_buckets(tx, shop_id=selling.shop.id, reseller_id=reseller.id)
    assert later == lines[2:]
    owed = found.pending_minor + found.available_minor + found.reserved_minor
    assert owed == lines[-1].balance_minor
    made = statement_pdf(statement, lines[1:], fonts=LabelFonts(usual=()), now=clock.now())
    text = pdfium.PdfDocument(made)[0].get_textpage().get_text_bounded()
    for told in ("Statement of commission", f"order {order_id}", f"payout {kept.id}", "$55.00"):
        assert told in text


async def test_is_read_by_a_spreadsheet(database: Database, clock: FrozenClock) -> None:
    selling = await Reselling.open(database, clock)
    reseller, _ = await selling.reseller(credit_minor=5_000)
    await _post(selling, reseller.id, 100, reason='=HYPERLINK("http://x"), yes')
    await _post(selling, reseller.id, 100, reason="＠SUM(1)")
    statement = await _statement(selling, reseller.id)
    lines = stream_lines(database, statement=statement)
    text = "".join([piece async for piece in statement_csv(statement, lines)])

    head, opening, first, second, third, closing = csv.reader(io.StringIO(text, newline=""))
    assert head[:6] == ["entry", "at", "kind", "amount", "balance", "currency"]
    assert opening[2:6] == ["opening", "", "0.00", "USD"]
    assert first[2:6] == ["top_up", "50.00", "50.00", "USD"]
    assert second[3:5] == ["1.00", "51.00"]
    assert second[-1] == '\'=HYPERLINK("http://x"), yes'
    assert third[-1] == "'＠SUM(1)"
    assert closing[2:6] == ["closing", "", "52.00", "USD"]
    assert text.endswith("\r\n")


async def test_is_a_file_for_people(database: Database, clock: FrozenClock) -> None:
    selling = await Reselling.open(database, clock)
    reseller, _ = await selling.reseller(credit_minor=5_000)
    reason = "Zahlung Παύλος \u0bb5"
    await _post(selling, reseller.id, *[1] * 60, reason=reason)
    statement = await _statement(selling, reseller.id)
    lines = await _lines(selling, reseller.id)
    made = statement_pdf(statement, lines, fonts=LabelFonts(usual=()), now=clock.now())

    pages = [page.get_textpage().get_text_bounded() for page in pdfium.PdfDocument(made)]
    assert len(pages) == 2
    for told in (
        "Statement of the prepaid balance", "partner@example.com", "$0.00", "$50.60",
        "Page 1 of 2", "Zahlung Παύλος ?",
    ):  # fmt: skip
        assert told in pages[0]
    assert "Page 2 of 2" in pages[1]
    assert "50.60" in pages[1]


def test_is_no_file_of_thousands_of_pages() -> None:
    line = StatementLine(
        entry_id=1, at=datetime(2026, 3, 2, tzinfo=UTC), kind="top_up", amount_minor=1,
        balance_minor=1, currency="USD", order_id=None, payment_id=None, fulfilment_id=None,
        external_order_id=None, reason="",
    )  # fmt: skip
    statement = Statement(
        shop_id=1, reseller_id=1, shop="Shop", email="a@b.example", currency="USD", since=None,
        until=line.at, opening_minor=0, closing_minor=0, lines=0,
    )  # fmt: skip
    lines = [line] * (STATEMENT_LINES_MAX + 1)
    with pytest.raises(Invalid, match="5000 lines"):
        statement_pdf(statement, lines, fonts=LabelFonts(usual=()), now=line.at)
