"""Fulfilment by people who look at the order book: nothing leaves this server."""

from crossdock.shop.fulfilment.contract import DispatchOrder, Sent

EXTERNAL_ID = "manual"


class ManualConnector:
    """Every order counts as sent at once; staff find it among the orders in processing."""

    async def send(self, order: DispatchOrder) -> Sent:
        return Sent(EXTERNAL_ID)

    async def test(self) -> str:
        return "nothing to try: orders stay here for staff"
