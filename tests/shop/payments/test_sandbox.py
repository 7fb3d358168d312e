"""The sandbox..."""

import asyncio
import re
from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.payments import TEST_CARDS, Action, Answer, AnswerLost, Question, Sandbox
from tests.support.factories import ShopFixture
from tests.support.locks import waiting_for_a_lock
from tests.support.paying import LOST_ANSWER, REFUSED_CAPTURE, REFUSED_REFUND, card


def ask(
    shop: ShopFixture, action: Action, key: str, amount_minor: int = 100, *, reference: str = "ref"
) -> Question:
    return Question(
        shop_id=shop.id,
        reference=f"{reference}-{shop.id}",
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


async def test_takes_and_gives_back_nothing_before_there_is_anything(
    sandbox: Sandbox, shop: ShopFixture
) -> None:
    actions: tuple[Action, ...] = ("capture", "void", "refund")

    answers = [await getattr(sandbox, action)(ask(shop, action, action, 1)) for action in actions]

    assert [(a.approved, a.reason) for a in answers] == [
        (False, f"{action}_not_covered") for action in actions
    ]


async def test_gives_back_the_whole_at_once_and_lets_go_of_nothing_that_was_taken(
    sandbox: Sandbox, shop: ShopFixture
) -> None:
    await sandbox.authorise(ask(shop, "authorise", "a"), card())
    await sandbox.capture(ask(shop, "capture", "c", 100))

    void = await sandbox.void(ask(shop, "void", "v", 1))
    refund = await sandbox.refund(ask(shop, "refund", "r", 100))

    assert (void.approved, void.reason) == (False, "void_not_covered")
    assert (refund.approved, refund.reason) == (True, "")


async def test_does_what_the_card_of_that_payment_says(sandbox: Sandbox, shop: ShopFixture) -> None:
    """Not what that of another one does, nor what was asked of this one too early."""
    await sandbox.authorise(ask(shop, "authorise", "good", reference="good"), card())
    await sandbox.capture(ask(shop, "capture", "early", reference="bad"))
    await sandbox.authorise(ask(shop, "authorise", "bad", reference="bad"), card(REFUSED_CAPTURE))
    await sandbox.authorise(ask(shop, "authorise", "late", reference="late"), card(REFUSED_REFUND))
    await sandbox.capture(ask(shop, "capture", "late-c", reference="late"))

    good = await sandbox.capture(ask(shop, "capture", "good-c", reference="good"))
    bad = await sandbox.capture(ask(shop, "capture", "bad-c", reference="bad"))
    late = await sandbox.refund(ask(shop, "refund", "late-r", reference="late"))

    assert [(a.approved, a.reason) for a in (good, bad, late)] == [
        (True, ""),
        (False, "processor_declined"),
        (False, "processor_declined"),
    ]


async def test_loses_an_answer_once_and_knows_it_from_then_on(
    sandbox: Sandbox, shop: ShopFixture
) -> None:
    question = ask(shop, "authorise", "a")
    with pytest.raises(AnswerLost):
        await sandbox.authorise(question, card(LOST_ANSWER))

    answer = await sandbox.authorise(question, card(LOST_ANSWER))

    assert answer.approved
    assert answer == await sandbox.look_up(question)


@pytest.mark.races
async def test_takes_one_question_about_a_payment_at_a_time(
    sandbox: Sandbox, shop: ShopFixture, database: Database
) -> None:
    question = ask(shop, "authorise", "a")
    async with database.begin() as tx:
        await tx.run("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (question.reference,))
        asked = asyncio.create_task(sandbox.authorise(question, card()))
        await waiting_for_a_lock(database, behind=tx)
        assert await sandbox.look_up(question) is None
    assert (await asked).approved


@pytest.mark.parametrize("number", [None, REFUSED_CAPTURE])
async def test_keeps_the_books_of_each_shop_apart(
    sandbox: Sandbox, shop: ShopFixture, number: str | None
) -> None:
    """Under the same reference, which is the shop's own word."""
    question = ask(shop, "authorise", "a")
    await sandbox.authorise(question, card(number) if number else card())
    foreign = Question(
        shop_id=0,
        reference=question.reference,
        key=f"{question.key}-c",
        action="capture",
        amount_minor=100,
        currency="EUR",
    )

    answer = await sandbox.capture(foreign)

    assert (answer.approved, answer.reason) == (False, "capture_not_covered")


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
