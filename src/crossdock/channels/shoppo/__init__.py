"""SHOPPO: drop-shipping over GraphQL (seeds/004, specs/shoppo.md)."""

from typing import TYPE_CHECKING

from crossdock.channels.manifest import Manifest
from crossdock.channels.shoppo.settings import ShoppoSettings

if TYPE_CHECKING:
    from crossdock.channels.contract import Channel, ChannelFacts, Demo, Services
    from crossdock.channels.manifest import ErrorRow, Limits
    from crossdock.shop.deliveries import DeliveryKind
    from crossdock.shop.events import Consumer

NAME = "shoppo"


def _create(services: "Services") -> "Channel":
    from crossdock.channels.shoppo.building import create_channel

    return create_channel(services)


def _facts() -> "ChannelFacts":
    from crossdock.channels.shoppo.building import FACTS

    return FACTS


def _limits() -> "Limits":
    from crossdock.channels.shoppo.limits import LIMITS

    return LIMITS


def _errors() -> "list[ErrorRow]":
    from crossdock.channels.shoppo.advice import error_rows

    return error_rows()


def _documents() -> "dict[str, str]":
    from crossdock.channels.shoppo.schema import published

    return {"shoppo.graphql": published()}


def _demo() -> "Demo":
    from crossdock.channels.shoppo.demo import DEMO

    return DEMO


def _consumers(services: "Services") -> "list[Consumer]":
    from crossdock.channels.shoppo.outgoing import create_consumers

    return create_consumers(services)


def _delivery_kinds(services: "Services") -> "list[DeliveryKind]":
    from crossdock.channels.shoppo.outgoing import create_delivery_kinds

    return create_delivery_kinds(services)


MANIFEST = Manifest(
    name=NAME,
    create=_create,
    facts=_facts,
    settings=ShoppoSettings(),
    limits=_limits,
    errors=_errors,
    documents=_documents,
    demo=_demo,
    consumers=_consumers,
    delivery_kinds=_delivery_kinds,
    ticket_kind=30,  # Kind.TICKET
)
