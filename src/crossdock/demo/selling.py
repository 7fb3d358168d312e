"""How the demo's merchants sell: their terms, coupons of every kind and time, and two taxes."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.demo.goods import FUTURE, MERCHANT_COUNTRIES, PAST, RUNNING, Period
from crossdock.shop.catalogue import MerchantRecord, MerchantTerms, read_merchant, slug_of
from crossdock.shop.pricing import (
    CouponTerms,
    TaxRate,
    add_coupon,
    enable_coupon,
    list_coupons,
    list_tax_rates,
    set_tax_rate,
)

# One that always asks for shipping, one that never does, and all that is between.
TERMS = {
    "Kestrel Tool Works": MerchantTerms(
        shipping_flat_minor=595, free_shipping_from_minor=3500, commission_bp=1250
    ),
    "Van Loon Huishoud": MerchantTerms(
        shipping_flat_minor=700, free_shipping_from_minor=5000, commission_bp=1000
    ),
    "Bluepost Electronics": MerchantTerms(
        shipping_flat_minor=995, free_shipping_from_minor=15_000, commission_bp=600
    ),
    "Bergwald Gartenbedarf": MerchantTerms(shipping_flat_minor=1250, commission_bp=1500),
    "Atelier Meridian": MerchantTerms(commission_bp=2000),
    "Harbour & Pine Trading": MerchantTerms(
        shipping_flat_minor=450, free_shipping_from_minor=2500, commission_bp=0
    ),
}
# (terms, merchant, product, when it runs); '' is all of them.
COUPONS: tuple[tuple[CouponTerms, str, str, Period | None], ...] = (
    (
        CouponTerms(code="WELCOME5", kind="amount_off", threshold_minor=10_000, amount_minor=500),
        "",
        "",
        None,
    ),
    (
        CouponTerms(code="TOOLS10", kind="percent_off", percent_bp=1000),
        "Kestrel Tool Works",
        "",
        RUNNING,
    ),
    (
        CouponTerms(code="KITCHEN15", kind="percent_off", threshold_minor=4000, percent_bp=1500),
        "Van Loon Huishoud",
        "",
        None,
    ),
    (
        CouponTerms(code="SHIPFREE", kind="free_shipping", threshold_minor=2000),
        "Harbour & Pine Trading",
        "",
        None,
    ),
    (
        CouponTerms(code="HAMMER2", kind="amount_off", amount_minor=200),
        "Kestrel Tool Works",
        "claw-hammer-0",
        None,
    ),
    (CouponTerms(code="WINTER24", kind="percent_off", percent_bp=5000), "", "", PAST),
    (CouponTerms(code="NEXT36", kind="percent_off", percent_bp=2500), "", "", FUTURE),
)
TAXES = (
    TaxRate(country="US", state="CA", rate_bp=725),
    TaxRate(country="US", state="TX", rate_bp=825, taxes_shipping=True),
)


def merchant_records() -> list[MerchantRecord]:
    """The demo's merchants with their terms."""
    return [
        MerchantRecord(
            name=name,
            email=f"sales@{slug_of(name)}.example",
            country=country,
            shipping_flat_minor=TERMS[name].shipping_flat_minor,
            free_shipping_from_minor=TERMS[name].free_shipping_from_minor,
            commission_bp=TERMS[name].commission_bp,
            customer_service_url=f"https://{slug_of(name)}.example/help",
            return_policy_url=f"https://{slug_of(name)}.example/returns",
        )
        for name, country in MERCHANT_COUNTRIES.items()
    ]


async def ensure_coupons(tx: Transaction, *, shop_id: int, now: datetime) -> int:
    """Add the coupons that are missing and enable the others, once their products are there; how many changed."""
    known = {coupon.code: coupon for coupon in await list_coupons(tx, shop_id=shop_id)}
    changed = 0
    for terms, merchant, product, period in COUPONS:
        if terms.code not in known:
            starts_at, ends_at = period or (None, None)
            merchant_id = None
            if merchant:
                merchant_id = (await read_merchant(tx, shop_id=shop_id, who=merchant)).id
            await add_coupon(
                tx,
                shop_id=shop_id,
                terms=terms,
                merchant_id=merchant_id,
                product=product,
                starts_at=starts_at,
                ends_at=ends_at,
                now=now,
            )
            changed += 1
        elif not known[terms.code].enabled:
            await enable_coupon(tx, shop_id=shop_id, code=terms.code, enabled=True, now=now)
            changed += 1
    return changed


async def ensure_taxes(tx: Transaction, *, shop_id: int) -> int:
    """Set the tax rates that are not as they should be; how many were not."""
    known = await list_tax_rates(tx, shop_id=shop_id)
    wrong = [rate for rate in TAXES if rate not in known]
    for rate in wrong:
        await set_tax_rate(tx, shop_id=shop_id, rate=rate)
    return len(wrong)
