"""ShopWeDo: fulfilment for web shops whose goods the warehouse holds (seeds/002, specs/shopwedo.md)."""

from typing import TYPE_CHECKING

from crossdock.channels.manifest import Manifest
from crossdock.channels.shopwedo.settings import ShopwedoSettings

if TYPE_CHECKING:
    from crossdock.channels.contract import Channel, ChannelFacts, Demo, Services

NAME = "shopwedo"


def _create(services: "Services") -> "Channel":
    from crossdock.channels.shopwedo.building import create_channel

    return create_channel(services)


def _facts() -> "ChannelFacts":
    from crossdock.channels.shopwedo.building import FACTS

    return FACTS


def _demo() -> "Demo":
    from crossdock.channels.shopwedo.demo import DEMO

    return DEMO


MANIFEST = Manifest(
    name=NAME,
    create=_create,
    facts=_facts,
    settings=ShopwedoSettings(),
    demo=_demo,
)
