"""Addresses of orders in the console, and the numbers in them."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.errors import NotFound
from crossdock.kit.languages import gettext
from crossdock.kit.numbers import read_number
from crossdock.web.console.rendering import redirect

ORDERS: Final = "/console/orders"
RUNS: Final = f"{ORDERS}/runs"


def order_of(request: Request) -> int:
    """The number of the order whose page is asked for. Raises NotFound `not_found` for a text that is none."""
    return number_of(request.path_params["order"])


def number_of(text: str) -> int:
    """The number that a part of an address is. Raises NotFound `not_found`."""
    number = read_number(text)
    if number is None:
        raise NotFound("not_found", gettext("There is no such order or package."))
    return number


def to_order(order_id: int, done: str, *, page: str = "") -> Response:
    """Lead to the order's page, or one below it, which says what was done."""
    return redirect(f"{ORDERS}/{order_id}{page}?done={done}")
