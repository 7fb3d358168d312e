"""The active price: what goes before what, its edges in time, and the same answer from SQL."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from crossdock.shop.pricing import active_price

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NOTHING = {
    "listed": None,
    "promotion": None,
    "sale": None,
    "sale_starts_at": None,
    "sale_ends_at": None,
    "retail": None,
    "moment": NOON,
}


@pytest.mark.parametrize(
    ("facts", "price"),
    [
        ({}, None),
        ({"retail": 1999}, 1999),
        ({"retail": 0}, 0),
        ({"retail": 1999, "sale": 1500}, 1500),
        ({"retail": 1999, "sale": 2500}, 2500),
        ({"retail": 1999, "sale": 0}, 0),
        ({"sale": 1500}, 1500),
        ({"retail": 1999, "sale": 1500, "promotion": 1700}, 1700),
        ({"retail": 1999, "sale": 1500, "promotion": 1200, "listed": 1800}, 1800),
        ({"retail": 1999, "listed": 0}, 0),
    ],
)
def test_the_first_that_there_is_counts(facts, price):
    assert active_price(**(NOTHING | facts)) == price


@pytest.mark.parametrize(
    ("starts", "ends", "runs"),
    [
        (NOON, None, True),
        (NOON + TICK, None, False),
        (None, NOON + TICK, True),
        (None, NOON, False),
        (NOON, NOON + TICK, True),
        (NOON - TICK, NOON, False),
        (NOON, NOON, False),
    ],
)
def test_a_sale_starts_inclusively_and_ends_exclusively(starts, ends, runs):
    facts = {"retail": 1999, "sale": 1500, "sale_starts_at": starts, "sale_ends_at": ends}
    assert active_price(**(NOTHING | facts)) == (1500 if runs else 1999)


prices = st.none() | st.integers(0, 2**62)
moments = (
    st.none()
    | st.sampled_from([NOON - TICK, NOON, NOON + TICK])
    | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
)
facts = st.fixed_dictionaries(
    {
        "listed": prices,
        "promotion": prices,
        "sale": prices,
        "sale_starts_at": moments,
        "sale_ends_at": moments,
        "retail": prices,
        "moment": st.just(NOON),
    }
)


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cases=st.lists(facts, min_size=1, max_size=50))
async def test_python_and_sql_agree_on_every_case(database, cases):
    columns = [[case[name] for case in cases] for name in NOTHING]
    async with database.statement() as tx:
        rows = await tx.all(_PRICES, columns)
    assert [row[0] for row in rows] == [active_price(**case) for case in cases]


_PRICES = """
    select active_price(c.listed, c.promotion, c.sale, c.starts, c.ends, c.retail, c.moment)
    from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::bigint[],
                %s::timestamptz[])
         with ordinality as c (listed, promotion, sale, starts, ends, retail, moment, place)
    order by c.place
"""
