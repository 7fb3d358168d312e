"""The channels that are built in, by import name; one line adds a door."""

from importlib import import_module

from crossdock.channels.contract import Channel, ChannelFacts, Services

CHANNELS = ("crossdock.channels.shoppex_partner", "crossdock.channels.shopwedo")


def create_channels(services: Services) -> list[Channel]:
    """Every channel, made by its package's `create_channel(services)`."""
    return [import_module(name).create_channel(services) for name in CHANNELS]


def channel_facts() -> dict[str, ChannelFacts]:
    """What there is to know of each channel's partners, by the channel's name."""
    facts: list[ChannelFacts] = [import_module(name).FACTS for name in CHANNELS]
    return {fact.name: fact for fact in facts}
