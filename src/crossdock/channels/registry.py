"""The channels that are built in, by import name; one line adds a door."""

from importlib import import_module

from crossdock.channels.contract import Channel, Services

CHANNELS = ("crossdock.channels.shoppex_partner", "crossdock.channels.shopwedo")


def create_channels(services: Services) -> list[Channel]:
    """Every channel, made by its package's `create_channel(services)`."""
    return [import_module(name).create_channel(services) for name in CHANNELS]


def channel_permissions() -> dict[str, tuple[str, ...]]:
    """What each channel knows to permit, by the channel's name."""
    packages = [import_module(name) for name in CHANNELS]
    return {package.NAME: package.PERMISSIONS for package in packages}
