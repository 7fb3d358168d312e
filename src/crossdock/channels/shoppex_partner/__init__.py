"""Shoppex Partner: signed REST for wholesale partners (seeds/000, specs/shoppex_partner.md)."""

from typing import TYPE_CHECKING

from crossdock.channels.manifest import Manifest
from crossdock.channels.shoppex_partner.settings import ShoppexPartnerSettings

if TYPE_CHECKING:
    import typer

    from crossdock.channels.contract import Channel, ChannelFacts, Demo, Services

NAME = "shoppex_partner"


def _create(services: "Services") -> "Channel":
    from crossdock.channels.shoppex_partner.building import create_channel

    return create_channel(services)


def _facts() -> "ChannelFacts":
    from crossdock.channels.shoppex_partner.building import FACTS

    return FACTS


def _demo() -> "Demo":
    from crossdock.channels.shoppex_partner.demo import DEMO

    return DEMO


def _commands() -> "dict[str, typer.Typer]":
    from crossdock.channels.shoppex_partner.commands import app

    return {"partner": app}


MANIFEST = Manifest(
    name=NAME,
    create=_create,
    facts=_facts,
    settings=ShoppexPartnerSettings(),
    demo=_demo,
    commands=_commands,
)
