"""What the worker runs for this channel. It imports neither GraphQL nor the web framework."""

from crossdock.channels.shoppo.bodies import Bodies
from crossdock.channels.shoppo.calling import Calling
from crossdock.channels.shoppo.notifying import notice_consumer, notice_kinds
from crossdock.channels.shoppo.pictures import Pictures
from crossdock.channels.shoppo.replying import reply_consumer, reply_kind
from crossdock.channels.shoppo.telling import Telling
from crossdock.compose import Services
from crossdock.shop.deliveries import DeliveryKind
from crossdock.shop.events import Consumer


def create_pictures(services: Services) -> Pictures:
    """Where the pictures of the catalogue are."""
    return Pictures(services.settings.server.public_url, kept_base=services.images_base_url)


def create_telling(services: Services) -> Telling:
    """What tells partners of goods."""
    return Telling(
        Bodies(create_pictures(services), options=services.building.options),
        clock=services.runtime.clock,
        own_requires_stock=services.own_requires_stock,
    )


def create_consumers(services: Services) -> list[Consumer]:
    """What reads the shop's events to tell partners of them."""
    return [reply_consumer(), notice_consumer(), create_telling(services).consumer()]


def create_delivery_kinds(services: Services) -> list[DeliveryKind]:
    """The calls of partners' servers."""
    calling = Calling(outbound=services.outbound, box=services.box, clock=services.runtime.clock)
    return [
        reply_kind(calling),
        *notice_kinds(calling),
        *create_telling(services).kinds(calling),
    ]
