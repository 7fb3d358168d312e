"""The provider that takes a card..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid
from crossdock.kit.clock import FrozenClock
from crossdock.shop.payments import Providers, Sandbox, provider_for


class Moving(Sandbox):
    """One that charges real cards."""

    moves_money = True


@pytest.fixture
def providers(database: Database, clock: FrozenClock) -> Providers:
    sandbox = Sandbox(database, clock=clock)
    return {"sandbox": sandbox, "played": sandbox, "real": Moving(database, clock=clock)}


@pytest.mark.parametrize(
    ("wanted", "is_test", "chosen"),
    [
        ("real", False, "real"),
        ("real", True, "sandbox"),
        ("played", False, "played"),
        ("played", True, "played"),
    ],
)
async def test_is_the_wanted_one_but_for_tests_that_would_move_money(
    providers: Providers, wanted: str, is_test: bool, chosen: str
) -> None:
    assert provider_for(providers, wanted, is_test=is_test) == chosen


@pytest.mark.parametrize("is_test", [True, False])
async def test_is_one_that_is_set_up(providers: Providers, is_test: bool) -> None:
    with pytest.raises(Invalid) as refused:
        provider_for(providers, "another", is_test=is_test)

    assert (refused.value.code, refused.value.data) == ("invalid_input", {"field": "provider"})
