"""What shipping costs and takes: a product's own terms, and those for some countries (spec section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crossdock.channels.shoppo.rows import SkuRow
from crossdock.channels.shoppo.subjects import Call, Read
from crossdock.channels.shoppo.wire import amount
from crossdock.shop.catalogue import AssortedProduct

COUNTRIES: Final = frozenset({"US", "CN", "IN", "MY", "SG", "KE"})
"""The values of CountryCode."""
COURIERS: Final = frozenset({
    "IN19A04", "IN23A15", "IN06A12", "IN13A01", "BD16A05", "MY14A15", "MY01A12", "KE11A09", "SG02A06",
    "SG24A05", "TH20A01", "PK03A12", "AE01A23", "RU19A08", "RU15A26", "US19A08", "NG03A18", "GE28R01",
})  # fmt: skip
"""The values of CountryCourierCode; a term for another courier cannot be told."""


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """Shipping by one courier."""

    courier: str
    country: str
    price_minor: int
    time: str


def shipping_price_minor(record: AssortedProduct, price_minor: int) -> int:
    """A price of shipping, none where the product is shipped free."""
    return 0 if record.free_shipping else price_minor


def shipping_time(days: tuple[int, int] | None) -> str:
    """`3-10 days`; '' where it is not known."""
    return "" if days is None else f"{days[0]}-{days[1]} days"


def shipping_configs(record: AssortedProduct) -> list[ConfigRow]:
    """The terms for the countries that the product is shipped to."""
    return [
        ConfigRow(
            courier=term.courier,
            country=term.country,
            price_minor=shipping_price_minor(record, term.price_minor),
            time=shipping_time(term.days or record.shipping_days),
        )
        for term in record.shipping_terms
        if term.courier in COURIERS and (not record.ships_to or term.country in record.ships_to)
    ]


def shipping_price(row: SkuRow, call: Call) -> float:
    """What shipping one costs where no term says otherwise."""
    record = row.product.record
    return amount(shipping_price_minor(record, record.shipping_each_minor), call.partner.currency)


CONFIG_FIELDS: Mapping[str, Read] = {
    "CountryCourierCode": lambda row, _: row.courier,
    "shippingPrice": lambda row, call: amount(row.price_minor, call.partner.currency),
    "shippingTime": lambda row, _: row.time,
    "countryCode": lambda row, _: row.country if row.country in COUNTRIES else None,
}
