"""Shoppex Reseller: Developer API for merchants, Reseller API (seeds/001, specs/shoppex_reseller.md)."""

from typing import TYPE_CHECKING

from crossdock.channels.manifest import Manifest
from crossdock.channels.shoppex_reseller.settings import ShoppexResellerSettings

if TYPE_CHECKING:
    import typer

    from crossdock.channels.contract import Channel, ChannelFacts, Demo, Services
    from crossdock.channels.manifest import ErrorRow, Limits
    from crossdock.shop.webhooks import Dialect

NAME = "shoppex_reseller"


def _create(services: "Services") -> "Channel":
    from crossdock.channels.shoppex_reseller.building import create_channel

    return create_channel(services)


def _facts() -> "ChannelFacts":
    from crossdock.channels.shoppex_reseller.building import FACTS

    return FACTS


def _limits() -> "Limits":
    from crossdock.channels.shoppex_reseller.limits import LIMITS

    return LIMITS


def _errors() -> "list[ErrorRow]":
    from crossdock.channels.shoppex_reseller.advice import error_rows

    return error_rows()


def _documents() -> "dict[str, str]":
    from crossdock.channels.shoppex_reseller.advice import errors_page

    return {"shoppex_reseller_errors.md": errors_page()}


def _demo() -> "Demo":
    from crossdock.channels.shoppex_reseller.demo import DEMO

    return DEMO


def _webhooks(services: "Services") -> "Dialect":
    from crossdock.channels.shoppex_reseller.dialect import create_dialect

    return create_dialect()


def _commands() -> "dict[str, typer.Typer]":
    from crossdock.channels.shoppex_reseller.commands import app

    return {"reseller": app}


MANIFEST = Manifest(
    name=NAME,
    create=_create,
    facts=_facts,
    settings=ShoppexResellerSettings(),
    limits=_limits,
    errors=_errors,
    documents=_documents,
    demo=_demo,
    webhooks=_webhooks,
    commands=_commands,
)
