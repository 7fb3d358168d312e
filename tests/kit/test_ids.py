"""Names of the right shape, from a source that tests can fix."""

import re

import pytest

from crossdock.kit.ids import RandomIds, SeededIds


@pytest.mark.parametrize(
    ("method", "shape"),
    [
        ("partner_key", r"pk_[A-Za-z0-9]{32}"),
        ("partner_secret", r"sk_[A-Za-z0-9]{48}"),
        ("order_key", r"wc_order_[A-Za-z0-9]{13}"),
    ],
)
@pytest.mark.parametrize("ids", [RandomIds(), SeededIds(7)])
def test_each_name_has_its_shape(ids, method, shape):
    assert re.fullmatch(shape, getattr(ids, method)())


def test_random_names_do_not_repeat():
    ids = RandomIds()
    assert len({ids.order_key() for _ in range(2000)}) == 2000


def test_a_token_is_as_long_as_asked():
    assert [len(RandomIds().random_token(n)) for n in (0, 1, 22)] == [0, 1, 22]


def test_a_seed_fixes_the_names():
    assert SeededIds(1).partner_key() == SeededIds(1).partner_key() != SeededIds(2).partner_key()
