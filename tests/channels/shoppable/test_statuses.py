"""A status of this channel..."""

import pytest

from crossdock.channels.shoppable.statuses import NUMBERS, line_status, order_status


def test_has_the_number_of_its_place_in_the_guide() -> None:
    assert list(NUMBERS.values()) == list(range(1, 17))


@pytest.mark.parametrize(
    ("history", "now", "before", "number"),
    [
        (("placed",), "Pending", "", 2),
        (("placed", "in_progress"), "Retailer processing", "Pending", 11),
        (("placed", "in_progress", "placed"), "Pending", "Retailer processing", 2),
        (("placed", "handed_over", "done"), "Complete", "Pending", 1),
        (("placed", "stuck", "handed_over"), "Complete", "Attention required", 1),
        (("placed", "cancelled"), "Canceled", "Pending", 3),
        (("placed", "done", "returned"), "Returned", "Complete", 15),
    ],
)
def test_follows_how_far_the_line_is(history, now, before, number) -> None:
    status = line_status(history, is_test=False)
    assert (status.now, status.before, status.number) == (now, before, number)


def test_of_a_test_begins_as_test() -> None:
    status = line_status(("placed",), is_test=True)
    assert (status.now, status.number) == ("Test", 13)
    assert line_status(("placed", "done"), is_test=True).before == "Test"


@pytest.mark.parametrize(
    ("lines", "order"),
    [
        ({"Complete", "Canceled"}, "Complete"),
        ({"Complete"}, "Complete"),
        ({"Canceled"}, "Canceled"),
        ({"Returned", "Complete"}, "Returned"),
        ({"Complete", "Pending"}, "Retailer processing"),
        ({"Returned", "Pending"}, "Retailer processing"),
        ({"Retailer processing"}, "Retailer processing"),
        ({"Attention required", "Complete"}, "Attention required"),
        ({"Pending", "Canceled"}, "Pending"),
        ({"Test"}, "Test"),
    ],
)
def test_of_an_order_follows_from_its_lines(lines, order) -> None:
    assert order_status(lines) == order
