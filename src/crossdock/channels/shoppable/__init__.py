"""Shoppable: search, cart and checkout over many merchants' goods (seeds/003, specs/shoppable.md)."""

from typing import TYPE_CHECKING

from crossdock.channels.manifest import Manifest
from crossdock.channels.shoppable.settings import ShoppableSettings

if TYPE_CHECKING:
    from crossdock.channels.contract import Channel, ChannelFacts, Demo, Services

NAME = "shoppable"


def _create(services: "Services") -> "Channel":
    from crossdock.channels.shoppable.building import create_channel

    return create_channel(services)


def _facts() -> "ChannelFacts":
    from crossdock.channels.shoppable.building import FACTS

    return FACTS


def _demo() -> "Demo":
    from crossdock.channels.shoppable.demo import DEMO

    return DEMO


MANIFEST = Manifest(
    name=NAME,
    create=_create,
    facts=_facts,
    settings=ShoppableSettings(),
    demo=_demo,
)
