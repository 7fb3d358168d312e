"""The channels that are built in, by import name; one line adds a door."""

import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from crossdock import settings as general
from crossdock.channels.manifest import Manifest
from crossdock.settings import Section, Settings

if TYPE_CHECKING:
    from crossdock.channels.contract import Channel, ChannelFacts
    from crossdock.compose import Services

CHANNELS = ("crossdock.channels.shoppex_partner", "crossdock.channels.shopwedo")


def manifests() -> list[Manifest]:
    """What each channel brings, in the order of the registry."""
    return [import_module(name).MANIFEST for name in CHANNELS]


def create_channels(services: "Services") -> "list[Channel]":
    """Every channel over one process's services."""
    return [manifest.create(services) for manifest in manifests()]


def channel_facts() -> "dict[str, ChannelFacts]":
    """What there is to know of each channel's partners, by the channel's name."""
    return {manifest.name: manifest.facts() for manifest in manifests()}


def channel_guides() -> dict[str, Path]:
    """The pages for partners that channels bring themselves, by the channel's name."""
    return {each.name: each.guide for each in manifests() if each.guide}


def equip_worker(services: "Services") -> None:
    """Give the worker what the channels leave to it: their tasks, who is told of events, what it sends."""
    for manifest in manifests():
        for module in manifest.task_modules:
            import_module(module)
        if manifest.consumers:
            services.consumers.extend(manifest.consumers(services))
        if manifest.delivery_kinds:
            for kind in manifest.delivery_kinds(services):
                services.delivery_kinds.add(kind)


def default_settings() -> Settings:
    """Every setting with its default, those of the channels too."""
    return Settings(others=tuple(_sections()))


def load_settings(
    environment: Mapping[str, str] | None = None, *, file: Path | None = None
) -> Settings:
    """The settings of this process, those of the channels too. Raises SettingsError."""
    return general.load_settings(
        os.environ if environment is None else environment, file=file, others=_sections()
    )


def _sections() -> Iterator[Section]:
    return (manifest.settings for manifest in manifests() if manifest.settings)
