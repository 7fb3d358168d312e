"""What is known of a channel before anything of it runs.

A channel's package holds one `MANIFEST`. Importing it is cheap: what the channel is made of is
imported by the functions below, when it is asked for, so that commands start fast.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdock.settings import Section

if TYPE_CHECKING:
    from crossdock.channels.contract import Channel, ChannelFacts
    from crossdock.compose import Services


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything that one channel brings; what it has none of is left out.

    `name` is the package's. `create` builds the channel over one process's services, `facts` says
    what an operator must know to add a partner, `settings` is its table with the defaults.
    """

    name: str
    create: "Callable[[Services], Channel]"
    facts: "Callable[[], ChannelFacts]"
    settings: Section | None = None
