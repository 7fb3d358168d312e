"""The built-in channels by import name; one line adds a channel."""

import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from crossdock import settings as general
from crossdock.channels.manifest import Manifest
from crossdock.settings import PAYMENT_PROVIDERS, Section, Settings, SettingsError

if TYPE_CHECKING:
    from crossdock.channels.contract import Channel, ChannelFacts
    from crossdock.compose import Services
    from crossdock.shop.webhooks import Dialect

CHANNELS = (
    "crossdock.channels.shoppex_partner",
    "crossdock.channels.shopwedo",
    "crossdock.channels.shoppable",
    "crossdock.channels.shoppo",
    "crossdock.channels.shoppex_reseller",
)

PROVIDER_SETTING = "payment_provider"
"""What the setting of a channel is called that names the provider its cards go to."""


def manifests() -> list[Manifest]:
    """The manifest of each channel, in the order of the registry."""
    return [import_module(name).MANIFEST for name in CHANNELS]


def create_channels(services: "Services") -> "list[Channel]":
    """Every channel, over the services of one process."""
    return [manifest.create(services) for manifest in manifests()]


def channel_facts() -> "dict[str, ChannelFacts]":
    """What is needed to add partners, by channel name."""
    return {manifest.name: manifest.facts() for manifest in manifests()}


def channel_guides() -> dict[str, Path]:
    """Guides for partners that are not in docs/channels/, by channel name."""
    return {each.name: each.guide for each in manifests() if each.guide}


def ticket_kinds() -> set[int]:
    """The kinds of opaque identifiers that stand for tickets."""
    return {each.ticket_kind for each in manifests() if each.ticket_kind is not None}


def equip_worker(services: "Services") -> None:
    """Register the channels' tasks, event consumers and kinds of delivery with the worker."""
    for manifest in manifests():
        for module in manifest.task_modules:
            import_module(module)
        if manifest.consumers:
            services.consumers.extend(manifest.consumers(services))
        if manifest.delivery_kinds:
            for kind in manifest.delivery_kinds(services):
                services.delivery_kinds.add(kind)
    _equip_webhooks(services)


def webhook_dialects(services: "Services") -> "dict[str, Dialect]":
    """The words of each channel that has webhooks, by its name."""
    return {each.name: each.webhooks(services) for each in manifests() if each.webhooks}


def _equip_webhooks(services: "Services") -> None:
    from crossdock.shop.webhooks import webhook_consumer

    for dialect in webhook_dialects(services).values():
        services.consumers.append(webhook_consumer(dialect))
        services.delivery_kinds.add(services.webhook_calling.kind(dialect))


def default_settings() -> Settings:
    """Every setting with its default, including the channels'."""
    return Settings(others=tuple(_sections()))


def load_settings(
    environment: Mapping[str, str] | None = None, *, file: Path | None = None
) -> Settings:
    """The settings of this process, including the channels'. Raises SettingsError."""
    settings = general.load_settings(
        os.environ if environment is None else environment, file=file, others=_sections()
    )
    _refuse_unknown_providers(settings)
    return settings


def payment_providers(settings: Settings) -> dict[str, str]:
    """The payment provider that takes the cards of a channel's orders, by the channel's table of settings."""
    return {
        section.table: getattr(section, PROVIDER_SETTING)
        for section in settings.others
        if hasattr(section, PROVIDER_SETTING)
    }


def _refuse_unknown_providers(settings: Settings) -> None:
    for table, provider in payment_providers(settings).items():
        if provider not in PAYMENT_PROVIDERS:
            raise SettingsError(
                f"{table}.{PROVIDER_SETTING} names {provider!r}, which is no payment provider;"
                f" there are: {', '.join(PAYMENT_PROVIDERS)}."
            )
        if lacking := settings.lacking_for(provider):
            raise SettingsError(f"{table}.{PROVIDER_SETTING} is {provider}, which needs {lacking}")


def _sections() -> Iterator[Section]:
    return (manifest.settings for manifest in manifests() if manifest.settings)
