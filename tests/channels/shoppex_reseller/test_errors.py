"""An error of the core, as this channel tells it..."""

import json

import pytest

from crossdock.channels.shoppex_reseller.errors import CODES, WIRE, Errors
from crossdock.errors import ERROR_CODES, Conflict, CrossdockError, Refused

ERRORS = Errors(public_url="https://shop.example")


def told(error: CrossdockError) -> tuple[str, str]:
    """(code, message) of the answer."""
    shown = json.loads(ERRORS.render(error, "POST").body)["error"]
    return shown["code"], shown["message"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("quantity_out_of_range", "At most 20 keys."), "QUANTITY_OUT_OF_RANGE"),
        (Refused("order_state", "A shop has at most 100 webhooks."), "INVALID_STATE"),
        (Refused("payment_state", "The line was refunded already."), "INVALID_STATE"),
        (Refused("invoice_state", "Nothing was paid."), "INVALID_STATE"),
        (Conflict("reseller_state", "The reseller is suspended."), "INVALID_STATE"),
        (Conflict("exists", "This address is a reseller's already."), "CONFLICT"),
        (Refused("coupon_refused", "The coupon is over."), "BAD_REQUEST"),
    ],
)
def test_of_a_rule_or_limit_says_which(error, code):
    assert told(error) == (code, error.message)


@pytest.mark.parametrize("code", ERROR_CODES)
def test_without_words_of_its_own_has_the_channel_s(code):
    shown, text = WIRE[code]
    assert told(CrossdockError(code)) == (shown, text or CODES[shown][1])


@pytest.mark.parametrize(
    "code", ["not_found", "credential_unknown", "balance_insufficient", "stock_limit_exceeded"]
)
def test_that_callers_know_by_its_text_keeps_it(code):
    """Those of the seed, and what must not tell whether something of somebody else is there."""
    assert told(CrossdockError(code, "There is no webhook 5.")) == told(CrossdockError(code))
