"""The sums of a cart..."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crossdock.kit.money import MINOR_MAX
from crossdock.shop.carts import merchant_shipping
from crossdock.shop.carts.model import CartView, RawCart, RawLine, RawMerchant
from crossdock.shop.carts.ordering import bill_of
from crossdock.shop.catalogue import MerchantTerms
from crossdock.shop.pricing import TaxRate, tax_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

amounts = st.integers(min_value=0, max_value=50_000) | st.integers(min_value=0, max_value=MINOR_MAX)


@st.composite
def carts(draw: st.DrawFn) -> CartView:
    merchants = [
        RawMerchant(
            id=number,
            name=f"M{number}",
            route=None,
            terms=MerchantTerms(
                shipping_flat_minor=draw(amounts),
                free_shipping_from_minor=draw(st.none() | amounts.map(lambda amount: amount or 1)),
            ),
        )
        for number in range(draw(st.integers(min_value=1, max_value=4)))
    ]
    lines = [
        _line(
            variant_id=number,
            merchant_id=draw(st.sampled_from(merchants)).id,
            wanted=draw(st.integers(min_value=1, max_value=20)),
            price_minor=draw(amounts),
            shipping_each_minor=draw(st.just(0) | amounts),
            free_shipping=draw(st.booleans()),
            limit=draw(st.none() | st.integers(min_value=1, max_value=30)),
            can_buy=draw(st.sampled_from([True, True, True, False])),
        )
        for number in range(draw(st.integers(min_value=0, max_value=8)))
    ]
    raw = RawCart(
        id="c", partner_id=1, currency="USD", revision=1, order_id=None, claimed_until=None, hold_ids=(),
        created_at=NOON, updated_at=NOON, product_url="", lines=tuple(lines), merchants=tuple(merchants),
    )  # fmt: skip
    return raw.seen(line_max=12)


def _line(**values: Any) -> RawLine:
    given_values: dict[str, Any] = {
        "added_at": NOON, "updated_at": NOON, "product_id": 1, "sku": "S", "merchant_sku": "",
        "part_number": "", "upc": "", "name": "N", "options": {}, "attributes": {}, "image": None,
        "origin": "SC", "vat_bp": 0, "virtual": False, "product_name": "N", "handle": "n",
        "brand": "", "sale_minor": None,
        "discount_minor": None, "managed": True, "status": None, "own": 9, "supplier": None,
        "coupon_id": None,
    }  # fmt: skip
    return RawLine(**(given_values | {"retail_minor": values["price_minor"]} | values))


@given(cart=carts(), rate_bp=st.integers(min_value=0, max_value=10_000), on_shipping=st.booleans())
def test_are_those_of_its_parts_and_of_their_lines_to_the_last_cent(
    cart: CartView, rate_bp: int, on_shipping: bool
) -> None:
    rate = TaxRate(country="US", state="", rate_bp=rate_bp, taxes_shipping=on_shipping)
    bill = bill_of(cart)
    taxed = bill.taxed([tax_of(line, rate=rate) for line in bill.taxables()])
    drafts = [b.draft(take=None, hold_id=None, channel_data={}) for b in taxed.lines]

    assert cart.total_minor == cart.subtotal_minor + cart.shipping_minor == bill.total_minor
    assert cart.subtotal_minor == sum(line.price_minor * line.quantity for line in cart.lines)
    assert taxed.total_minor == cart.total_minor + sum(line.tax_minor for line in taxed.lines)
    for merchant in cart.merchants:
        parts = [line for line in taxed.lines if line.line.merchant_id == merchant.id]
        assert sum(part.shipping_minor for part in parts) == merchant.shipping_minor
        assert min(part.shipping_minor for part in parts) >= 0
    assert taxed.total_minor == sum(
        d.unit_price_minor * d.quantity + d.shipping_minor + d.tax_minor - d.discount_minor
        for d in drafts
    )


@given(cart=carts())
def test_have_each_line_once_and_no_quantity_above_what_can_be_bought(cart: CartView) -> None:
    ids = [line.variant_id for line in cart.lines] + [line.variant_id for line in cart.missing]

    assert len(ids) == len(set(ids))
    assert all(1 <= line.quantity <= min(line.wanted, line.max_quantity) for line in cart.lines)
    assert all(line.max_quantity <= 12 for line in cart.lines)
    assert all(merchant.lines for merchant in cart.merchants)
    assert cart.quantity == sum(line.quantity for line in cart.lines)


def test_of_shipping_are_the_flat_rate_and_what_each_line_asks_unless_it_is_free() -> None:
    def shipping(
        subtotal: int, free_from: int | None, *charges: int, all_free: bool = False
    ) -> int:
        return merchant_shipping(
            subtotal_minor=subtotal,
            flat_minor=595,
            free_from_minor=free_from,
            charges=charges,
            all_free=all_free,
        )

    assert shipping(2000, 3500) == 595
    assert shipping(2000, 3500, 100, 0, 50) == 745
    assert shipping(3499, 3500) == 595
    assert shipping(3500, 3500, 100) == 0
    assert shipping(10**9, None, 100) == 695
    assert shipping(2000, None, 0, all_free=True) == 0
