"""Fulfilment by staff: nothing is sent to an outside system.

An order of a shop whose default connector is manual is written as sent. This
connector is for orders that were queued before their connector was made a manual one.
"""

import msgspec

from crossdock.shop.deliveries import BY_HAND, Sent
from crossdock.shop.dispatch.contract import DispatchOrder


class ManualSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """It has no settings."""


class ManualConnector:
    """Reports every order as sent; staff find it among the orders in `processing`."""

    async def send(self, order: DispatchOrder) -> Sent:
        return Sent(BY_HAND)

    async def test(self) -> str:
        return "nothing to try: orders stay here for staff"
