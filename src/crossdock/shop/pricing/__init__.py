"""What things cost: price lists, promotions, sales."""

from crossdock.shop.pricing.active import active_price

__all__ = ["active_price"]
