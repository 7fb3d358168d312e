"""A card's number and code are nowhere once a cart was checked out: in no table, log or trace."""

import io
import re
import sys
import traceback

import pytest
import structlog

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.kit.clock import FrozenClock
from crossdock.kit.logging import configure_logging
from crossdock.shop.payments import Card
from tests.support.shopping import Mall

GOOD, DECLINED = "5555555555554444", "4100000000000019"
CODE = "9173"
_TABLES = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
"""


@pytest.fixture
async def alone(empty_database_url: str, clock: FrozenClock):
    """A mall with a database to itself."""
    database = Database(empty_database_url, min_size=1, max_size=4)
    await database.open()
    yield await Mall.open(database, clock)
    await database.close()


def _card(number: str) -> Card:
    return Card(number=number, month=12, year=2031, code=CODE)


async def test_after_a_sale_and_a_refusal(
    alone: Mall, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    configure_logging(level="debug", format="json")
    good = await alone.variant()

    done = await alone.check_out(await alone.cart((good, 1)), card=_card(GOOD))
    try:
        await alone.check_out(await alone.cart((good, 1)), card=_card(DECLINED))
    except CrossdockError as error:
        structlog.get_logger("crossdock").exception("refused", error=error, data=error.data)
        traced = traceback.TracebackException.from_exception(error, capture_locals=True)
        told = [*traced.format(), str(error), repr(error.data)]
    else:
        pytest.fail("the card was to be refused")

    logged = "".join((log.getvalue(), *capsys.readouterr()))
    assert '"event": "refused"' in logged or '"event":"refused"' in logged
    shown = "".join((*told, repr(done), logged))
    for number in (GOOD, DECLINED):
        assert number not in shown
        assert not re.search(number[:4] + r".?" + number[4:8], shown)
    assert not re.search(rf"\b{CODE}\b", shown)
    assert "4444" in "".join(str(row) for row in await _rows(alone, "payments"))
    for table in await _tables(alone):
        text = "\n".join(str(row) for row in await _rows(alone, table))
        assert not re.search(rf"{GOOD}|{DECLINED}|\b{CODE}\b", text), table


async def _tables(mall: Mall) -> list[str]:
    async with mall.db.statement() as tx:
        return [name for (name,) in await tx.all(_TABLES)]


async def _rows(mall: Mall, table: str) -> list[tuple[object, ...]]:
    async with mall.db.statement() as tx:
        return await tx.all(f'select to_jsonb(t)::text from "{table}" t')
