"""All settings in one frozen object: the sections of the core, and those of channels."""

import typing
from collections.abc import Iterable
from typing import Any, Self, TypeVar

import msgspec
from msgspec import Meta

from crossdock.settings import sections
from crossdock.settings.carts import CartsSection
from crossdock.settings.deliveries import DeliveriesSection
from crossdock.settings.http import Http
from crossdock.settings.imports import ImportsSection
from crossdock.settings.mail import Smtp
from crossdock.settings.media import MediaSection
from crossdock.settings.payments import StripeSection
from crossdock.settings.resellers import ResellersSection
from crossdock.settings.search import Search
from crossdock.settings.section import STRIPE, Section, SettingsError
from crossdock.settings.tickets import TicketsSection

S = TypeVar("S", bound=Section)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All sections; `others` are those of channels."""

    server: sections.Server = sections.Server()
    secrets: sections.Secrets = sections.Secrets()
    database: sections.DatabaseSection = sections.DatabaseSection()
    log: sections.Log = sections.Log()
    http: Http = Http()
    edge: sections.EdgeSection = sections.EdgeSection()
    gate: sections.GateSection = sections.GateSection()
    partners: sections.Partners = sections.Partners()
    people: sections.PeopleSection = sections.PeopleSection()
    sales_rep: sections.SalesRep = sections.SalesRep()
    stock: sections.Stock = sections.Stock()
    orders: sections.Orders = sections.Orders()
    carts: CartsSection = CartsSection()
    dispatch: sections.Dispatch = sections.Dispatch()
    deliveries: DeliveriesSection = DeliveriesSection()
    tickets: TicketsSection = TicketsSection()
    resellers: ResellersSection = ResellersSection()
    outbound: sections.OutboundSection = sections.OutboundSection()
    label: sections.Label = sections.Label()
    smtp: Smtp = Smtp()
    stripe: StripeSection = StripeSection()
    search: Search = Search()
    media: MediaSection = MediaSection()
    imports: ImportsSection = ImportsSection()
    jobs: sections.Jobs = sections.Jobs()
    others: tuple[Section, ...] = ()

    def section(self, kind: type[S]) -> S:
        """A channel's section by its type; the defaults if it was not loaded."""
        return next((each for each in self.others if isinstance(each, kind)), None) or kind()

    def lacking_for(self, payment_provider: str) -> str:
        """The setting that a payment provider cannot do without and that is empty; '' where none is."""
        is_lacking = payment_provider == STRIPE and not self.stripe.secret_key
        return "stripe_secret_key: set the account's key" if is_lacking else ""

    def having(self, **values: Any) -> Self:
        """A copy with other values, by names such as `port` or `database_url`."""
        changed: dict[str, dict[str, Any]] = {}
        known = {name: each for each in describe(self) for name in each.flat_names}
        for name, value in values.items():
            changed.setdefault(known[name].table, {})[known[name].name] = value
        return self.with_sections(
            msgspec.structs.replace(each, **changed.get(each.table, {})) for each in self.all()
        )

    def all(self) -> list[Section]:
        """Every section, in order."""
        own = self.__struct_fields__[:-1]
        return [*(getattr(self, name) for name in own), *self.others]

    def with_sections(self, replacing: Iterable[Section]) -> Self:
        """A copy in which the given sections replace those with the same table name."""
        given = {each.table: each for each in replacing}
        own = {name: each for name, each in given.items() if name in self.__struct_fields__[:-1]}
        others = tuple(given.get(each.table, each) for each in self.others)
        return msgspec.structs.replace(self, **own, others=others)


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting with its documentation; `type` is the type that its text is converted to."""

    table: str
    name: str
    default: Any
    description: str
    type: Any
    is_short: bool
    is_secret: bool

    @property
    def flat_names(self) -> tuple[str, ...]:
        """Its names without a table, in order of precedence: `server_port`, `port`."""
        long = f"{self.table}_{self.name}"
        return (long, self.name) if self.is_short else (long,)

    @property
    def usual_name(self) -> str:
        """The shortest of its names, which messages use."""
        return self.flat_names[-1]


def describe(settings: Settings) -> list[Setting]:
    """All settings, in order. Raises SettingsError if two have the same name."""
    described = [each for section in settings.all() for each in _of(type(section))]
    names = [name for each in described for name in each.flat_names]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SettingsError(f"two settings have the name {min(twice)}")
    return described


def _of(kind: type[Section]) -> list[Setting]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return [
        Setting(
            table=kind.table,
            name=field.name,
            default=field.default,
            description=_description(hints[field.name]),
            type=hints[field.name],
            is_short=field.name in kind.short,
            is_secret=field.name in kind.secret,
        )
        for field in msgspec.structs.fields(kind)
    ]


def _description(hint: Any) -> str:
    texts = [meta.description for meta in hint.__metadata__ if isinstance(meta, Meta)]
    return next(text for text in texts if text)
