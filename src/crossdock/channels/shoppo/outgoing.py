"""What the worker runs for this channel. It imports neither GraphQL nor the web framework."""

from crossdock.channels.shoppo.calling import Calling
from crossdock.channels.shoppo.notifying import notice_consumer, notice_kinds
from crossdock.channels.shoppo.replying import reply_consumer, reply_kind
from crossdock.compose import Services
from crossdock.shop.deliveries import DeliveryKind
from crossdock.shop.events import Consumer


def create_consumers(_services: Services) -> list[Consumer]:
    """What reads the shop's events to tell partners of them."""
    return [reply_consumer(), notice_consumer()]


def create_delivery_kinds(services: Services) -> list[DeliveryKind]:
    """The calls of partners' servers."""
    calling = Calling(outbound=services.outbound, box=services.box, clock=services.runtime.clock)
    return [reply_kind(calling), *notice_kinds(calling)]
