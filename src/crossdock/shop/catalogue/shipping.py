"""What shipping a unit costs, and where to, by the terms of its product."""

from collections.abc import Collection, Iterable

from crossdock.shop.catalogue.records import ShippingTerm


def ships_to(country: str, *, served: Collection[str]) -> bool:
    """Whether a product that serves these countries is shipped there; none are all."""
    return not served or country in served


def unit_shipping(
    country: str, *, each_minor: int, is_free: bool, terms: Iterable[ShippingTerm]
) -> int:
    """What shipping one unit to the country costs, in minor units.

    The terms for the country replace the product's own price; of several couriers it is the cheapest.
    """
    if is_free:
        return 0
    prices = [term.price_minor for term in terms if term.country == country]
    return min(prices, default=each_minor)
