"""A statement of a prepaid balance..."""

from datetime import timedelta

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.resellers import StatementLine, read_balance, read_statement
from tests.support.reselling import Reselling


async def _lines(selling: Reselling, reseller_id: int, **span: object) -> list[StatementLine]:
    async with selling.database.statement() as tx:
        return await read_statement(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller_id,
            **span,  # type: ignore[arg-type]
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
