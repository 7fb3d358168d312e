"""The sandbox..."""

import re
from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.payments import TEST_CARDS, Action, Answer, Question, Sandbox
from tests.support.factories import ShopFixture
from tests.support.paying import card


def ask(shop: ShopFixture, action: Action, key: str, amount_minor: int = 100) -> Question:
    return Question(
        shop_id=shop.id,
        reference=f"ref-{shop.id}",
        key=f"{shop.id}-{key}",
        action=action,
        amount_minor=amount_minor,
        currency="EUR",
    )


@pytest.fixture
def sandbox(database: Database, clock: FrozenClock) -> Sandbox:
    return Sandbox(database, clock=clock)


async def test_answers_the_same_key_with_the_same_answer(
    sandbox: Sandbox, shop: ShopFixture
) -> None:
    first = await sandbox.authorise(ask(shop, "authorise", "a"), card())

    assert first.approved
    assert await sandbox.authorise(ask(shop, "authorise", "a"), card()) == first
    assert await sandbox.look_up(ask(shop, "authorise", "a")) == first
    assert await sandbox.look_up(ask(shop, "authorise", "b")) is None


async def test_keeps_its_own_count_of_what_may_be_taken_and_given_back(
    sandbox: Sandbox, shop: ShopFixture
) -> None:
    early = await sandbox.capture(ask(shop, "capture", "early"))
    await sandbox.authorise(ask(shop, "authorise", "a"), card())
    again = await sandbox.authorise(ask(shop, "authorise", "again"), card())
    too_much = await sandbox.capture(ask(shop, "capture", "c1", 101))
    taken = await sandbox.capture(ask(shop, "capture", "c2", 100))
    twice = await sandbox.capture(ask(shop, "capture", "c3", 1))
    void = await sandbox.void(ask(shop, "void", "v"))
    part = await sandbox.refund(ask(shop, "refund", "r1", 60))
    beyond = await sandbox.refund(ask(shop, "refund", "r2", 41))
    rest = await sandbox.refund(ask(shop, "refund", "r3", 40))

    def told(answer: Answer) -> tuple[bool, str]:
        return answer.approved, answer.reason

    assert [told(a) for a in (early, again, too_much, taken, twice, void, part, beyond, rest)] == [
        (False, "capture_not_covered"),
        (False, "already_authorised"),
        (False, "capture_not_covered"),
        (True, ""),
        (False, "capture_not_covered"),
        (False, "void_not_covered"),
        (True, ""),
        (False, "refund_not_covered"),
        (True, ""),
    ]


async def test_is_told_about_one_shop_s_payments_by_that_shop_alone(
    sandbox: Sandbox, shop: ShopFixture
) -> None:
    question = ask(shop, "authorise", "a")
    await sandbox.authorise(question, card())
    foreign = Question(
        **{name: getattr(question, name) for name in question.__struct_fields__} | {"shop_id": 0}
    )

    assert await sandbox.look_up(foreign) is None


@pytest.mark.parametrize("number", sorted(TEST_CARDS))
def test_publishes_numbers_that_can_be_typed(number: str) -> None:
    """A form that checks the last digit lets them through."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]
    assert (sum(digits[::2]) + sum(doubled)) % 10 == 0


def test_publishes_the_numbers_that_the_guide_lists() -> None:
    guide = (Path(__file__).parents[3] / "docs/guides/staff-orders.md").read_text(encoding="utf-8")

    listed = re.findall(r"\b\d{4} \d{4} \d{4} \d{4}\b|\b\d{4} \d{6} \d{5}\b", guide)

    assert sorted(number.replace(" ", "") for number in listed) == sorted(TEST_CARDS)
