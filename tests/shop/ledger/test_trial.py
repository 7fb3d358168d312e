"""The trial balance..."""

from datetime import timedelta

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.ledger import TrialLine, post_transfers, trial_balance
from tests.conftest import NOON
from tests.support.factories import make_shop
from tests.support.ledger import transfer

LATER = NOON + timedelta(days=1)


def line(currency, kind, accounts, debited, credited, debit, credit):
    return TrialLine(
        currency=currency, kind=kind, accounts=accounts, debits_minor=debited, credits_minor=credited,
        debit_balance_minor=debit, credit_balance_minor=credit,
    )  # fmt: skip


async def test_has_each_kind_with_its_sides_up_to_a_moment(tx: Transaction) -> None:
    shop, other = await make_shop(tx), await make_shop(tx)
    for moment, transfers in (
        (NOON, (transfer("receivable customer:1", "sales", 500),
                transfer("receivable customer:2", "sales", 70),
                transfer("bank", "receivable customer:1", 600),
                transfer("bank", "sales", 9, currency="USD"))),
        (LATER, (transfer("sales", "bank", 1),)),
    ):  # fmt: skip
        await post_transfers(tx, shop_id=shop.id, transfers=transfers, now=moment)
    await post_transfers(tx, shop_id=other.id, transfers=[transfer("bank", "tax", 3)], now=NOON)

    before = await trial_balance(tx, shop_id=shop.id, until=NOON)
    first_day = await trial_balance(tx, shop_id=shop.id, until=LATER)
    both_days = await trial_balance(tx, shop_id=shop.id, until=LATER + timedelta(days=1))

    assert before == []
    assert first_day == [
        line("EUR", "bank", 1, 600, 0, 600, 0),
        line("EUR", "receivable", 2, 570, 600, 70, 100),
        line("EUR", "sales", 1, 0, 570, 0, 570),
        line("USD", "bank", 1, 9, 0, 9, 0),
        line("USD", "sales", 1, 0, 9, 0, 9),
    ]
    assert both_days[0] == line("EUR", "bank", 1, 600, 1, 599, 0)
    for found in (first_day, both_days):
        euros = [each for each in found if each.currency == "EUR"]
        assert sum(each.debits_minor - each.credits_minor for each in euros) == 0
        assert sum(each.debit_balance_minor - each.credit_balance_minor for each in euros) == 0


async def test_has_accounts_of_a_single_cent_on_one_side(tx: Transaction) -> None:
    shop = await make_shop(tx)
    await post_transfers(
        tx, shop_id=shop.id, transfers=[transfer("commission merchant:1", "tax", 1)], now=NOON
    )

    assert await trial_balance(tx, shop_id=shop.id, until=LATER) == [
        line("EUR", "commission", 1, 1, 0, 1, 0),
        line("EUR", "tax", 1, 0, 1, 0, 1),
    ]
