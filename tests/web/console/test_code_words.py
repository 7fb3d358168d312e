"""Codes of the core on pages: each has its word, and one that means two things has two."""

import importlib
import re
from pathlib import Path
from typing import get_args

import pytest

import crossdock.shop
from crossdock.shop.ledger import ACCOUNT_KINDS
from crossdock.shop.orders.states import FulfilmentState
from crossdock.shop.payments import PAYMENT_STATES
from crossdock.shop.people import RIGHTS
from crossdock.shop.resellers import ClaimStatus
from crossdock.web.console.area_words import AREA_WORDS
from crossdock.web.console.code_words import word
from crossdock.web.console.order_words import FULFILMENT

CHANNELS = ("shoppable", "shoppex_partner", "shoppex_reseller", "shoppo", "shopwedo")
SHOP = Path(crossdock.shop.__file__).parent
STOCK_KINDS = (
    "receive", "hold", "release", "expire", "commit", "uncommit", "ship", "adjust", "restock", "transfer",
)  # fmt: skip
FACTS = {
    "orders/selling.sql": ("sale", "shipping", "tax", "commission"),
    "payments/asking.sql": ("capture", "refund"),
    "invoices/moving.sql": ("invoice",),
    "resellers/transferring.sql": ("stock_sale", "stock_return"),
    "resellers/transferring.py": ("stock_payment",),
    "resellers/settling.py": ("stock_refund",),
    "resellers/crediting.py": ("top_up", "adjustment"),
    "resellers/commission/earning.sql": (
        "commission_earned", "commission_reversed", "commission_released",
    ),
    "resellers/commission/claiming.py": ("payout_reserved", "payout_released", "payout"),
}  # fmt: skip
"""The kinds of entries by the file that posts them."""


@pytest.mark.parametrize(
    ("area", "codes"),
    [
        ("account", ACCOUNT_KINDS),
        ("payment", PAYMENT_STATES),
        ("payout", get_args(ClaimStatus)),
        ("stock", STOCK_KINDS),
        ("right", tuple(RIGHTS)),
        ("entry", tuple(code for codes in FACTS.values() for code in codes)),
        ("entry", tuple(f"{code}_taken_back" for code in FACTS["orders/selling.sql"])),
    ],
)
def test_have_a_word_in_their_area(area, codes):
    assert [code for code in codes if code not in AREA_WORDS[area]] == []


@pytest.mark.parametrize("name", FACTS)
def test_of_entries_are_those_that_are_posted(name):
    text = (SHOP / name).read_text()
    assert [code for code in FACTS[name] if not re.search(rf"""['"]{code}['"]""", text)] == []


def test_of_the_settings_of_every_channel_have_a_word():
    names = {
        name
        for channel in CHANNELS
        for name in importlib.import_module(f"crossdock.channels.{channel}.building").FACTS.settings
    }
    assert names - set(AREA_WORDS["setting"]) == set()


def test_of_merchants_parts_have_the_words_of_orders():
    assert set(get_args(FulfilmentState)) <= set(FULFILMENT)


@pytest.mark.parametrize(
    ("code", "area", "shown"),
    [
        ("pending", "", "Waits for the partner"),
        ("pending", "payout", "Waiting for approval"),
        ("hold", "", "On hold"),
        ("hold", "stock", "Reserved"),
        ("refunded", "payout", "Refunded"),
        ("some_code", "payout", "Some code"),
    ],
)
def test_are_shown_in_the_words_of_their_area(code, area, shown):
    assert word(code, area) == shown
