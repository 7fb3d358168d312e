"""What is known of a channel before anything of it runs.

A channel's package holds one `MANIFEST`. Importing it is cheap: what the channel is made of is
imported by the functions below, when it is asked for, so that commands start fast.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crossdock.settings import Section

if TYPE_CHECKING:
    import typer

    from crossdock.channels.contract import Channel, ChannelFacts, Demo
    from crossdock.compose import Services
    from crossdock.shop.deliveries import DeliveryKind
    from crossdock.shop.events import Consumer


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything that one channel brings; what it has none of is left out.

    | field | brings |
    |---|---|
    | `name` | the package's name, which partners, metrics and logs call it by |
    | `create` | the channel over one process's services: routes, errors, pages for staff, OpenAPI |
    | `facts` | what an operator must know to add a partner |
    | `settings` | its table of the settings, with the defaults |
    | `demo` | its partners in the demo shop, and how their credentials are shown |
    | `commands` | commands, by the group that they join or make; `context.obj` is a `CommandLine` |
    | `task_modules` | modules that declare tasks of `crossdock.jobs.queue` |
    | `consumers` | who is told of events in the worker |
    | `delivery_kinds` | what the worker sends for it |
    | `guide` | its page for partners, where that does not stand in docs/channels/ |
    """

    name: str
    create: "Callable[[Services], Channel]"
    facts: "Callable[[], ChannelFacts]"
    settings: Section | None = None
    demo: "Callable[[], Demo] | None" = None
    commands: "Callable[[], Mapping[str, typer.Typer]] | None" = None
    task_modules: tuple[str, ...] = ()
    consumers: "Callable[[Services], Iterable[Consumer]] | None" = None
    delivery_kinds: "Callable[[Services], Iterable[DeliveryKind]] | None" = None
    guide: Path | None = None
