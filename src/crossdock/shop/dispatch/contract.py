"""The interface of connectors, and an order as they get it.

Sending is idempotent: a connector looks up what an earlier attempt created, or sends a stable id by
which the other side recognises a repeat.
"""

from datetime import datetime
from typing import Protocol

import msgspec

from crossdock.shop.customers import Address
from crossdock.shop.deliveries import Sent


class DispatchLine(msgspec.Struct, frozen=True, kw_only=True):
    """An item as it was sold; amounts are minor units of the order's currency."""

    line_no: int
    sku: str
    name: str
    upc: str
    quantity: int
    unit_price_minor: int
    total_minor: int
    note: str


class DispatchOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order with everything that an outside system needs.

    `order_id` is our order number, unique over all shops. `may_exist` says that an earlier
    attempt was made, so that the other side may have the order already. Where connectors share an
    order, `part` names the merchants whose goods and amounts these are; else it is empty.
    """

    shop_id: int
    order_id: int
    partner_order_id: str
    currency: str
    subtotal_minor: int
    tax_minor: int
    shipping_minor: int
    discount_minor: int
    total_minor: int
    email: str
    billing: Address
    shipping: Address
    comments: str
    tax_id: str
    resale_tax: str
    is_test: bool
    placed_at: datetime
    lines: tuple[DispatchLine, ...]
    may_exist: bool = False
    part: str = ""

    @property
    def reference(self) -> str:
        """Its unique reference among all dispatches: our number, and the part."""
        return f"{self.order_id}-{self.part}" if self.part else str(self.order_id)


class Connector(Protocol):
    """The link to an outside system."""

    async def send(self, order: DispatchOrder) -> Sent:
        """Send the order; idempotent. Raises Retryable or Permanent."""

    async def test(self) -> str:
        """Test the settings without sending an order; returns a sentence that says what was tested.

        Raises Retryable or Permanent.
        """
