"""ShopWeDo: fulfilment for web shops whose goods the warehouse holds (seeds/002, specs/shopwedo.md)."""

from typing import TYPE_CHECKING

from crossdock.channels.manifest import Manifest
from crossdock.channels.shopwedo.settings import ShopwedoSettings

if TYPE_CHECKING:
    from crossdock.channels.contract import Channel, ChannelFacts, Demo, Services
    from crossdock.channels.manifest import ErrorRow, Limits

NAME = "shopwedo"


def _create(services: "Services") -> "Channel":
    from crossdock.channels.shopwedo.building import create_channel

    return create_channel(services)


def _facts() -> "ChannelFacts":
    from crossdock.channels.shopwedo.building import FACTS

    return FACTS


def _limits() -> "Limits":
    from crossdock.channels.shopwedo.limits import LIMITS

    return LIMITS


def _errors() -> "list[ErrorRow]":
    from crossdock.channels.shopwedo.advice import error_rows

    return error_rows()


def _demo() -> "Demo":
    from crossdock.channels.shopwedo.demo import DEMO

    return DEMO


MANIFEST = Manifest(
    name=NAME,
    create=_create,
    facts=_facts,
    settings=ShopwedoSettings(),
    limits=_limits,
    errors=_errors,
    demo=_demo,
)
