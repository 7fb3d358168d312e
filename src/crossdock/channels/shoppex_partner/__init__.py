"""Shoppex Partner: signed REST for wholesale partners (seeds/000, specs/shoppex_partner.md)."""

from typing import TYPE_CHECKING

from crossdock.channels.manifest import Manifest
from crossdock.channels.shoppex_partner.settings import ShoppexPartnerSettings

if TYPE_CHECKING:
    from crossdock.channels.contract import Channel, ChannelFacts, Services

NAME = "shoppex_partner"


def _create(services: "Services") -> "Channel":
    from crossdock.channels.shoppex_partner.building import create_channel

    return create_channel(services)


def _facts() -> "ChannelFacts":
    from crossdock.channels.shoppex_partner.building import FACTS

    return FACTS


MANIFEST = Manifest(name=NAME, create=_create, facts=_facts, settings=ShoppexPartnerSettings())
