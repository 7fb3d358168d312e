"""Shoppable: search, cart and checkout over many merchants' goods (seeds/003, specs/shoppable.md)."""

from typing import TYPE_CHECKING

from crossdock.channels.manifest import Manifest
from crossdock.channels.shoppable.settings import ShoppableSettings

if TYPE_CHECKING:
    from crossdock.channels.contract import Channel, ChannelFacts, Demo, Services
    from crossdock.channels.manifest import ErrorRow, Limits

NAME = "shoppable"


def _create(services: "Services") -> "Channel":
    from crossdock.channels.shoppable.building import create_channel

    return create_channel(services)


def _facts() -> "ChannelFacts":
    from crossdock.channels.shoppable.building import FACTS

    return FACTS


def _limits() -> "Limits":
    from crossdock.channels.shoppable.limits import LIMITS

    return LIMITS


def _errors() -> "list[ErrorRow]":
    from crossdock.channels.shoppable.advice import error_rows

    return error_rows()


def _demo() -> "Demo":
    from crossdock.channels.shoppable.demo import DEMO

    return DEMO


MANIFEST = Manifest(
    name=NAME,
    create=_create,
    facts=_facts,
    settings=ShoppableSettings(),
    limits=_limits,
    errors=_errors,
    demo=_demo,
)
