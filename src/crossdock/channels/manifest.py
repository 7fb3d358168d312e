"""What is known about a channel before it runs.

A channel's package has one `MANIFEST`. Importing it is cheap: the functions below import the rest
when they are called, so that commands start fast.
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
    from crossdock.shop.webhooks import Dialect


ErrorRow = tuple[int, str, str, str]
"""(HTTP status, code, meaning, what to do)."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What bounds the calls of a channel's partners.

    `settings` names fields of the channel's own section, `fields` has (what, limit) in Markdown, with
    the numbers taken from the code that checks them.
    """

    settings: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything that a channel brings; fields without use keep their default.

    | field | brings |
    |---|---|
    | `name` | the package's name, used for partners, metrics and logs |
    | `create` | the channel over one process's services: routes, errors, pages for staff, OpenAPI |
    | `facts` | what is needed to add a partner |
    | `settings` | its section of the settings, with defaults |
    | `limits` | what bounds its partners' calls, for docs/reference/limits.md |
    | `errors` | its errors and what to do about each, for docs/reference/errors.md |
    | `documents` | further files of docs/reference/ by name, made of its code |
    | `demo` | its partners in the demo shop, and how their credentials are shown |
    | `commands` | commands, by existing or new group; `context.obj` is a `CommandLine` |
    | `task_modules` | modules that declare tasks of `crossdock.jobs.queue` |
    | `consumers` | event consumers, run in the worker |
    | `delivery_kinds` | kinds of delivery that the worker sends |
    | `webhooks` | the words of its webhooks, which the worker then sends |
    | `ticket_kind` | the kind of the opaque identifiers of its tickets, if its partners have such |
    | `guide` | its guide for partners, if it is not in docs/channels/ |
    """

    name: str
    create: "Callable[[Services], Channel]"
    facts: "Callable[[], ChannelFacts]"
    settings: Section | None = None
    limits: "Callable[[], Limits] | None" = None
    errors: "Callable[[], Iterable[ErrorRow]] | None" = None
    documents: "Callable[[], Mapping[str, str]] | None" = None
    demo: "Callable[[], Demo] | None" = None
    commands: "Callable[[], Mapping[str, typer.Typer]] | None" = None
    task_modules: tuple[str, ...] = ()
    consumers: "Callable[[Services], Iterable[Consumer]] | None" = None
    delivery_kinds: "Callable[[Services], Iterable[DeliveryKind]] | None" = None
    webhooks: "Callable[[Services], Dialect] | None" = None
    ticket_kind: int | None = None
    guide: Path | None = None
