"""A rule..."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from crossdock.errors import Conflict, CrossdockError, NotFound, Refused
from crossdock.kit.money import MINOR_MAX
from crossdock.shop.orders import (
    OrderItem,
    OrderRequest,
    Rule,
    amount_is_in_range,
    billing_is_complete,
    customer_is_active,
    number_is_unused,
    origin_rule,
    shipping_is_complete,
    variants_are_known,
)
from crossdock.shop.orders.model import ExistingOrder, OrderContext, OrderCustomer, OrderVariant
from crossdock.shop.orders.rules import Asked
from crossdock.shop.partners import Partner
from tests.support.drafts import BUYER

CUSTOMER = OrderCustomer(
    id=5, email="ada@buyer.example", active=True, billing=BUYER, shipping=BUYER, sales_rep_id=None
)
PARTNER = Partner(
    shop_id=1,
    id=7,
    channel="test",
    name="Test",
    permissions=frozenset(),
    backorder=False,
    currency="USD",
    min_amount_minor=None,
    max_amount_minor=None,
    visible_merchants=None,
    price_list_id=None,
    customer_id=5,
    settings={},
    revision=1,
)


def variant(variant_id: int, **values: Any) -> OrderVariant:
    """One of the shop's own for 10.00 of which there are 5, unless told otherwise."""
    known: dict[str, Any] = {
        "id": variant_id, "product_id": 1, "merchant_id": 1, "name": "Mug", "sku": "M", "upc": "",
        "image": None, "origin": "SC", "managed": True, "status": None, "own": 5, "supplier": 0,
        "price_minor": 1000, "shipped": True, "vat_bp": 0,
    }  # fmt: skip
    return OrderVariant(**(known | values))


def asked(
    *variants: OrderVariant,
    items: Mapping[int, int] | None = None,
    customer: OrderCustomer | None = CUSTOMER,
    existing: ExistingOrder | None = None,
    own_requires_stock: bool = False,
    **terms: Any,
) -> Asked:
    """One of each variant, or these quantities, for a partner with these terms."""
    wanted = {v.id: 1 for v in variants} if items is None else items
    lines = tuple(OrderItem(variant_id=v, quantity=q) for v, q in wanted.items())
    return Asked(
        partner=msgspec.structs.replace(PARTNER, **terms),
        request=OrderRequest(partner_order_id="N-1", items=lines, source="test"),
        context=OrderContext(
            existing=existing, customer=customer, variants=list(variants), connector=None
        ),
        own_requires_stock=own_requires_stock,
    )


def refused(rule: Rule, input_: Asked) -> tuple[type[CrossdockError], str, dict[str, Any]]:
    with pytest.raises(CrossdockError) as caught:
        rule(input_)
    return type(caught.value), caught.value.code, dict(caught.value.data)


def test_of_the_number_tells_of_the_order_that_has_it() -> None:
    known = ExistingOrder(id=9, order_key="wc_order_9")

    number_is_unused(asked())

    told = {"order_id": 9, "order_key": "wc_order_9"}
    assert refused(number_is_unused, asked(existing=known)) == (
        Conflict,
        "partner_order_exists",
        told,
    )


def test_of_the_customer_asks_for_one_that_is_there_and_active() -> None:
    asleep = msgspec.structs.replace(CUSTOMER, active=False)

    customer_is_active(asked())

    assert refused(customer_is_active, asked(customer_id=None)) == (
        Refused,
        "customer_not_configured",
        {},
    )
    assert refused(customer_is_active, asked(customer=None)) == (NotFound, "customer_not_found", {})
    assert refused(customer_is_active, asked(customer=asleep)) == (Refused, "customer_inactive", {})


def test_of_the_addresses_asks_for_a_contact_on_the_bill_alone() -> None:
    silent = msgspec.structs.replace(BUYER, email="", phone="")
    homeless = msgspec.structs.replace(BUYER, address_1="", city="")

    def with_both(address: Any) -> Asked:
        return asked(customer=msgspec.structs.replace(CUSTOMER, billing=address, shipping=address))

    billing_is_complete(asked())
    shipping_is_complete(asked())
    shipping_is_complete(with_both(silent))

    fields = {"fields": ["email", "phone"]}
    assert refused(billing_is_complete, with_both(silent)) == (
        Refused,
        "billing_incomplete",
        fields,
    )
    fields = {"fields": ["address_1", "city"]}
    assert refused(billing_is_complete, with_both(homeless))[2] == fields
    assert refused(shipping_is_complete, with_both(homeless)) == (
        Refused,
        "shipping_incomplete",
        fields,
    )


def test_of_the_variants_names_all_that_are_unknown() -> None:
    variants_are_known(asked(variant(3), variant(4)))

    input_ = asked(variant(4), items={8: 1, 4: 1, 2: 1})
    assert refused(variants_are_known, input_) == (
        NotFound,
        "variant_not_found",
        {"variant_ids": [2, 8]},
    )


def test_of_the_origin_allows_what_there_is_and_no_more() -> None:
    plenty, unmanaged = variant(1, own=5), variant(2, own=0, managed=False)

    origin_rule(asked(plenty, unmanaged, items={1: 5, 2: 900}))

    input_ = asked(plenty, variant(3, own=-2), unmanaged, items={3: 1, 1: 6, 2: 900})
    assert refused(origin_rule, input_) == (
        Refused,
        "stock_limit_exceeded",
        {
            "variant_ids": [1, 3],
            "limits": [
                {"variant_id": 1, "limit": 5, "asked": 6},
                {"variant_id": 3, "limit": 0, "asked": 1},
            ],
        },
    )


def test_of_the_origin_sums_the_items_of_one_variant() -> None:
    input_ = asked(variant(1, own=5))
    items = tuple(OrderItem(variant_id=1, quantity=q) for q in (3, 3))
    request = msgspec.structs.replace(input_.request, items=items)

    told = refused(origin_rule, msgspec.structs.replace(input_, request=request))

    assert told[2]["limits"] == [{"variant_id": 1, "limit": 5, "asked": 6}]


def test_of_the_origin_tells_of_the_supplier_s_goods_before_any_shortage() -> None:
    theirs = variant(1, origin="Supplier", supplier=50)
    input_ = asked(variant(2, own=0), theirs, variant(3, origin="*", own=0, supplier=9))

    assert refused(origin_rule, input_) == (
        Refused,
        "backorder_not_allowed",
        {"variant_ids": [1, 3]},
    )
    origin_rule(asked(variant(2, own=0), theirs, backorder=True))


@pytest.mark.parametrize(
    ("low", "high", "is_allowed"),
    [
        (None, None, True),
        (3000, None, True),
        (3001, None, False),
        (None, 3000, True),
        (None, 2999, False),
        (3000, 3000, True),
        (0, 0, False),
    ],
)
def test_of_the_amount_includes_both_ends_of_the_range(
    low: int | None, high: int | None, is_allowed: bool
) -> None:
    goods = variant(1, price_minor=1000), variant(2, price_minor=500)
    input_ = asked(*goods, items={1: 2, 2: 2}, min_amount_minor=low, max_amount_minor=high)

    if is_allowed:
        amount_is_in_range(input_)
        return
    data = {"subtotal_minor": 3000, "min_amount_minor": low, "max_amount_minor": high}
    assert refused(amount_is_in_range, input_) == (
        Refused,
        "order_amount_not_allowed",
        data | {"currency": "USD"},
    )


@pytest.mark.parametrize("high", [None, MINOR_MAX * 2])
def test_of_the_amount_ends_where_the_ledger_does(high: int | None) -> None:
    most = variant(1, price_minor=MINOR_MAX)

    amount_is_in_range(asked(most, max_amount_minor=high))

    code = refused(amount_is_in_range, asked(most, variant(2), max_amount_minor=high))[1]
    assert code == "order_amount_not_allowed"


def test_of_the_amount_allows_an_order_that_costs_nothing() -> None:
    amount_is_in_range(asked(variant(1, price_minor=0)))
