"""The sentences in which the core refuses are..."""

import ast

from crossdock.errors import ERROR_CODES
from tools.refusals import _sentences, refusals

CODE = """
def act(order):
    if order.gone:
        raise Refused("order_state", "The order is gone.")
    if order.late:
        message = f"An order that is {order.state} of {order.state!r} is late."
        raise Conflict("order_state", message)
    if order.odd:
        raise Invalid("invalid_input", "must be even", {"field": "number"})
    if order.bad:
        raise Invalid("invalid_input", f"Line {order.line} {order.why}.")
    raise NotFound("not_found")
"""


def test_those_of_errors_that_are_raised():
    assert list(_sentences(ast.parse(CODE))) == [
        "The order is gone.",
        "An order that is %(state)s of %(state2)s is late.",
    ]


def test_one_for_each_code_and_those_of_the_core():
    found = {text for text, _path in refusals()}
    assert found >= set(ERROR_CODES.values())
    assert "An order that is %(fulfilment)s cannot be cancelled." in found
    assert "A price is zero or more." in found
