"""The origin rule: every row of its table, and the same answer from Python and from SQL."""

import itertools

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from crossdock.shop.stock.limits import (
    Availability,
    Limit,
    purchase_limit,
    stock_status,
    taking,
)

INSTOCK, OUT, ON = "instock", "outofstock", "onbackorder"


def stock(origin: str, *, own: int = 0, supplier: int = 0, managed: bool = True, status=None):
    return Availability(origin=origin, managed=managed, status=status, own=own, supplier=supplier)


def listed(quantity: int | None, shown: int | None) -> Limit:
    return Limit(listed=True, allowed=True, quantity=quantity, shown=shown)


HIDDEN = Limit(listed=False, allowed=False, quantity=0, shown=None)


@pytest.mark.parametrize(
    ("facts", "limit"),
    [
        # SC: always listed, capped by its stock while that is managed; the supplier's stock does not count
        (stock("SC", own=24), listed(24, 24)),
        (stock("SC", own=1), listed(1, 1)),
        (stock("SC", own=0), listed(0, 0)),
        (stock("SC", own=-3), listed(0, -3)),
        (stock("SC", own=0, supplier=50), listed(0, 0)),
        (stock("SC", own=5, status=OUT), listed(5, 5)),
        (stock("SC", own=0, managed=False), listed(None, None)),
        # *: only while in stock and in the own warehouse, up to what is there
        (stock("*", own=8), listed(8, 8)),
        (stock("*", own=8, supplier=90), listed(8, 8)),
        (stock("*", own=1, status=INSTOCK), listed(1, 1)),
        (stock("*", own=8, status=OUT), HIDDEN),
        (stock("*", own=8, status=ON), HIDDEN),
        (stock("*", own=0, supplier=90), HIDDEN),
        (stock("*", own=0, supplier=90, status=INSTOCK), HIDDEN),
        (stock("*", own=-1, supplier=90, status=INSTOCK), HIDDEN),
        (stock("*", own=5, managed=False), listed(5, 5)),
        (stock("*", own=0, managed=False), HIDDEN),
        # the supplier's, an unknown word, or nothing: never
        (stock("Supplier", supplier=90), HIDDEN),
        (stock("Supplier", own=90, supplier=90, status=INSTOCK), HIDDEN),
        (stock("sc", own=90), HIDDEN),
        (stock("", own=90), HIDDEN),
        (stock("Supplier", managed=False), HIDDEN),
    ],
)
def test_without_backorder_the_table_holds_row_by_row(facts, limit):
    assert purchase_limit(facts, backorder=False) == limit


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        (stock("SC", own=24, supplier=5), 24),
        (stock("SC", own=-2), -2),
        (stock("*", own=8, supplier=90), 98),
        (stock("*", own=0, supplier=0, status=OUT), 0),
        (stock("Supplier", own=7, supplier=90), 90),
        (stock("anything", supplier=-5), -5),
        (stock("SC", own=3, managed=False), None),
    ],
)
def test_with_backorder_everything_is_listed_without_a_limit(facts, shown):
    assert purchase_limit(facts, backorder=True) == listed(None, shown)


@pytest.mark.parametrize(
    ("facts", "is_listed"),
    [
        (stock("SC", own=1), True),
        (stock("SC", own=0), False),
        (stock("SC", own=-1), False),
        (stock("SC", own=0, managed=False), True),
        (stock("*", own=1), True),
        (stock("Supplier", supplier=1), False),
    ],
)
def test_the_setting_hides_own_goods_without_stock(facts, is_listed):
    limit = purchase_limit(facts, backorder=False, own_requires_stock=True)
    assert limit.listed is is_listed
    plain = purchase_limit(facts, backorder=False)
    assert (limit.allowed, limit.quantity) == (plain.allowed, plain.quantity)


@pytest.mark.parametrize(
    ("facts", "without", "with_backorder"),
    [
        (stock("SC", own=1), "own", "own"),
        (stock("SC", managed=False), "none", "none"),
        (stock("*", own=1), "own", "own_first"),
        (stock("*", own=1, managed=False), "own", "own_first"),
        (stock("Supplier"), "supplier", "supplier"),
        (stock("Supplier", managed=False), "none", "none"),
    ],
)
def test_an_order_takes_from_the_pool_that_the_origin_names(facts, without, with_backorder):
    assert taking(facts, backorder=False) == without
    assert taking(facts, backorder=True) == with_backorder


DERIVED = [
    # (facts, their status, what a partner may buy of goods that come from both)
    (stock("*", own=1), INSTOCK, listed(1, 1)),
    (stock("*", own=5, supplier=-4), INSTOCK, listed(5, 5)),
    (stock("*", own=5, supplier=-5), OUT, HIDDEN),
    (stock("*", own=5, supplier=-5, status=INSTOCK), INSTOCK, listed(5, 5)),
    (stock("*", own=5, supplier=-5, managed=False), INSTOCK, listed(5, 5)),
    (stock("*", own=5, managed=False, status=OUT), OUT, HIDDEN),
    (stock("*", own=0, supplier=0), OUT, HIDDEN),
]


@pytest.mark.parametrize(("facts", "status", "limit"), DERIVED)
def test_goods_that_are_not_counted_are_in_stock_and_counted_ones_while_there_are_some(
    facts, status, limit
):
    assert stock_status(facts) == status
    assert purchase_limit(facts, backorder=False) == limit


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (stock("SC", own=1), INSTOCK),
        (stock("SC", own=0, supplier=9), OUT),
        (stock("SC", own=0, managed=False), INSTOCK),
        (stock("Supplier", supplier=1), INSTOCK),
        (stock("Supplier", own=9), OUT),
        (stock("Supplier", managed=False), INSTOCK),
    ],
)
def test_the_stock_of_the_origin_alone_says_whether_goods_are_in_stock(facts, status):
    assert stock_status(facts) == status


async def test_the_sql_twin_derives_the_same_by_itself(database):
    columns = list(zip(*(msgspec.structs.astuple(facts) for facts, _, _ in DERIVED), strict=True))
    off = [False] * len(DERIVED)
    async with database.statement() as tx:
        rows = await tx.all(_LIMITS, [*(list(column) for column in columns), off, off])
    assert [Limit(*row) for row in rows] == [limit for _, _, limit in DERIVED]


async def test_sql_agrees_on_both_sides_of_every_border(database):
    cases = [
        (
            stock(origin, own=own, supplier=supplier, managed=managed, status=status),
            backorder,
            required,
        )
        for origin, own, supplier, managed, status, backorder, required in itertools.product(
            ("SC", "*", "Supplier"),
            (-1, 0, 1, 2),
            (-3, -2, -1, 0, 1),
            (True, False),
            (None, INSTOCK, OUT, ON),
            (True, False),
            (True, False),
        )
    ]
    await _assert_agreement(database, cases)


@pytest.mark.parametrize("managed", [True, False])
@pytest.mark.parametrize("sold_without_stock", [True, False])
@pytest.mark.parametrize("virtual", [True, False])
async def test_a_thing_that_is_managed_and_not_sold_without_stock_is_counted(
    database, managed, sold_without_stock, virtual
):
    async with database.statement() as tx:
        counted = await tx.value(
            "select is_counted(%s, %s, %s)", (managed, sold_without_stock, virtual)
        )
    assert counted is (managed and not sold_without_stock and not virtual)


quantities = st.one_of(st.integers(-3, 3), st.integers(-(2**40), 2**40))
availabilities = st.builds(
    Availability,
    origin=st.one_of(
        st.sampled_from(["SC", "*", "Supplier", "", "sc", " SC"]),
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    ),
    managed=st.booleans(),
    status=st.sampled_from([None, INSTOCK, OUT, ON]),
    own=quantities,
    supplier=quantities,
)


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cases=st.lists(st.tuples(availabilities, st.booleans(), st.booleans()), min_size=1, max_size=50)
)
async def test_python_and_sql_agree_on_every_case(database, cases):
    await _assert_agreement(database, cases)


async def _assert_agreement(database, cases):
    expected = [
        purchase_limit(facts, backorder=backorder, own_requires_stock=required)
        for facts, backorder, required in cases
    ]
    columns = list(zip(*((*msgspec.structs.astuple(f), b, r) for f, b, r in cases), strict=True))
    async with database.statement() as tx:
        rows = await tx.all(_LIMITS, [list(column) for column in columns])
    assert [Limit(*row) for row in rows] == expected


@given(availabilities, st.booleans())
def test_whatever_the_case_a_limit_is_never_negative_and_the_hidden_cannot_be_bought(
    facts, backorder
):
    limit = purchase_limit(facts, backorder=backorder)
    assert limit.quantity is None or limit.quantity >= 0
    assert limit.allowed or (not limit.listed and limit.quantity == 0)


_LIMITS = """
    select l.listed, l.allowed, l.quantity, l.shown
    from unnest(%s::text[], %s::boolean[], %s::text[], %s::bigint[], %s::bigint[], %s::boolean[], %s::boolean[])
         with ordinality as c (origin, managed, status, own, supplier, backorder, required, place)
    cross join lateral stock_limit(c.origin, c.managed, c.status, c.own, c.supplier, c.backorder, c.required) l
    order by c.place
"""
