"""Shoppex Partner: signed REST for wholesale partners (seeds/000, specs/shoppex_partner.md)."""

from typing import TYPE_CHECKING

from crossdock.channels.manifest import Manifest
from crossdock.channels.shoppex_partner.settings import ShoppexPartnerSettings

if TYPE_CHECKING:
    import typer

    from crossdock.channels.contract import Channel, ChannelFacts, Demo, Services
    from crossdock.channels.manifest import ErrorRow, Limits

NAME = "shoppex_partner"


def _create(services: "Services") -> "Channel":
    from crossdock.channels.shoppex_partner.building import create_channel

    return create_channel(services)


def _facts() -> "ChannelFacts":
    from crossdock.channels.shoppex_partner.building import FACTS

    return FACTS


def _limits() -> "Limits":
    from crossdock.channels.shoppex_partner.limits import LIMITS

    return LIMITS


def _errors() -> "list[ErrorRow]":
    from crossdock.channels.shoppex_partner.advice import error_rows

    return error_rows()


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
    limits=_limits,
    errors=_errors,
    demo=_demo,
    commands=_commands,
)
