"""Each acceptance scenario of the specification (section 16) is run by the tests that are named here."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = "channels/shoppex_reseller"
PROGRAM = f"{HERE}/test_reseller_program.py"
FULFILLMENTS = f"{HERE}/test_fulfillments.py"
WEBHOOKS = f"{HERE}/test_webhooks.py"
CALLS = f"{HERE}/test_calls.py"
INVENTORY = f"{HERE}/test_inventory.py"
CORE = "shop/resellers/test_fulfilling.py"
TRANSFERS = "shop/resellers/test_transferring.py"
PAYOUTS = f"{HERE}/test_payouts.py"
EARNING = "shop/resellers/commission/test_earning.py"
CLAIMING = "shop/resellers/commission/test_claiming.py"
RELATIONSHIPS = "shop/resellers/test_relationships.py"

# number: (what it says, the tests that run it)
SCENARIOS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: (
        "the published JavaScript client changes the programme, invites, lists and begins a campaign",
        (
            f"{HERE}/test_clients.py::test_what_is_served_in_javascript",
            f"{HERE}/test_commission_clients.py::test_in_javascript",
            f"{HERE}/test_every_method.py::test_in_javascript",
        ),
    ),
    2: (
        "every command of the guide succeeds, as printed but for the host, the keys and the ids",
        (f"{HERE}/test_seed_commands.py::test_succeed_in_their_order",),
    ),
    3: (
        "a key with resellers.read alone lists and may not invite",
        (f"{PROGRAM}::test_asks_for_the_scope_of_each_route",),
    ),
    4: (
        "a relationship of another shop, and an invitation's id, are no relationship",
        (
            f"{PROGRAM}::test_of_another_shop_is_not_found",
            f"{HERE}/test_purchases.py::test_sees_nothing_of_another_shop",
        ),
    ),
    5: (
        "null clears a setting of the programme, absent ones stay",
        (f"{PROGRAM}::test_keeps_what_is_absent_and_clears_what_is_null",),
    ),
    6: (
        "a reseller's stock is asked for, invoiced, paid and allocated once",
        (
            f"{HERE}/test_purchases.py::test_invoices_it_once_and_again_where_it_was_voided",
            "shop/resellers/test_invoicing.py::test_that_is_paid_allocates_the_goods_once",
        ),
    ),
    7: (
        "ten allocations at once are one, and none is before the payment",
        (
            f"{INVENTORY}::test_marks_it_paid_then_allocates_without_a_body",
            f"{TRANSFERS}::test_that_ten_allocate_at_once_is_allocated_once",
        ),
    ),
    8: (
        "an item goes to one address, once",
        (
            f"{INVENTORY}::test_delivers_it_to_one_customer_once",
            f"{TRANSFERS}::test_delivers_an_item_to_one_address_once",
        ),
    ),
    9: (
        "a balance that is a cent short refuses, and after a top-up the same key succeeds",
        (
            f"{FULFILLMENTS}::test_tops_up_and_succeeds_with_the_same_key",
            f"{CORE}::test_that_the_balance_does_not_cover_succeeds_after_a_top_up_with_the_same_key",
        ),
    ),
    10: (
        "an empty pool leaves the balance as it is",
        (f"{FULFILLMENTS}::test_finds_no_stock_and_keeps_its_balance",),
    ),
    11: (
        "fifty identical fulfilments at once are one debit and one serial",
        (f"{FULFILLMENTS}::test_asks_fifty_times_at_once_and_pays_once",),
    ),
    12: (
        "two keys are two fulfilments of one order, none is one however often",
        (
            f"{CORE}::test_is_another_one_by_another_key_and_the_same_without_any",
            f"{CORE}::test_without_a_key_asked_for_at_once_is_one",
        ),
    ),
    13: (
        "a key with another quantity is a conflict",
        (f"{FULFILLMENTS}::test_may_not_reuse_a_key_for_something_else",),
    ),
    14: (
        "an address that is called again is one debit, and no log has its key",
        (
            f"{FULFILLMENTS}::test_calls_an_address_alone",
            f"{FULFILLMENTS}::test_leaves_neither_its_key_nor_a_serial_in_the_log",
        ),
    ),
    15: (
        "a suspension stops the key, a termination is for ever",
        (
            f"{FULFILLMENTS}::test_is_refused_while_its_relationship_is_not_active",
            f"{RELATIONSHIPS}::test_that_is_terminated_is_so_for_ever_and_keeps_its_balance",
            f"{CLAIMING}::test_of_somebody_who_was_suspended_is_approved_by_force_alone",
        ),
    ),
    16: (
        "a payout below the threshold is none; each decision is made once, from its own state",
        (
            f"{PAYOUTS}::test_payouts_go_from_the_request_to_the_payment",
            f"{PAYOUTS}::test_payouts_are_approved_by_force_rejected_and_cancelled",
            f"{CLAIMING}::test_is_asked_for_when_the_threshold_is_available",
            f"{CLAIMING}::test_is_decided_as_the_table_says",
        ),
    ),
    17: (
        "a campaign that is paused earns nothing more and keeps its sales",
        (
            f"{EARNING}::test_keeps_its_sales_when_its_campaign_is_over",
            f"{HERE}/test_analytics.py::test_add_up_everything_of_a_shop_and_of_each_reseller",
        ),
    ),
    18: (
        "a receiver believes the signature, the third attempt has the first one's id, a rotation ends a secret",
        (
            f"{HERE}/test_signatures.py::test_are_those_of_the_published_vector",
            f"{WEBHOOKS}::test_succeed_with_the_third_attempt_under_one_id",
            f"{WEBHOOKS}::test_are_tried_and_sent_again_by_hand",
            f"{WEBHOOKS}::test_are_signed_with_the_new_secret_alone_after_a_rotation",
        ),
    ),
    19: (
        "five resellers by pages of one are five, and an empty list has its pagination",
        (f"{PROGRAM}::test_lists_resellers_by_pages_of_one",),
    ),
    20: (
        "a refusal names its fields, a page about it and the request",
        (
            f"{CALLS}::test_that_is_refused_leads_to_a_page_that_explains_it",
            f"{CALLS}::test_has_a_request_id_whatever_the_answer",
            f"{PROGRAM}::test_invites_nobody_with_wrong_fields",
        ),
    ),
}


@pytest.mark.parametrize("number", SCENARIOS)
def test_is_run_by_tests_that_exist(number):
    _, named = SCENARIOS[number]
    assert named
    for each in named:
        file, _, name = each.partition("::")
        assert name in _tests_of(file), f"{number}: {each}"


@cache
def _tests_of(file: str) -> set[str]:
    """The names of the tests of a file."""
    tree = ast.parse((ROOT / file).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {each.name for each in tree.body if isinstance(each, functions)}
