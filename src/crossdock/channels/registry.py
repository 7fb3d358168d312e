"""The channels that are built in, by import name; one line adds a door."""

from importlib import import_module
from importlib.util import find_spec

from crossdock.channels.contract import Channel, Runtime

CHANNELS = ("crossdock.channels.shoppex_partner",)


def create_channels(runtime: Runtime) -> list[Channel]:
    """Every channel, made by its package's `create_channel(runtime)`."""
    return [import_module(name).create_channel(runtime) for name in filter(find_spec, CHANNELS)]
