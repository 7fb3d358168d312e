"""What a handler gets: one call, whose caller is known and whose body is read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from crossdock.channels.shoppex_reseller.fields import Fields
from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.channels.shoppex_reseller.paging import (
    Numbered,
    read_numbered,
    read_place_page,
)
from crossdock.kit.paging import PlacePage
from crossdock.shop.partners import Credential, Partner
from crossdock.shop.people import Person, Visit


class PortalCall(NamedTuple):
    """A call of the portal that is about no relationship; without a `visit` nobody is signed in.

    `token` is the session's, `source` the caller's network address.
    """

    visit: Visit | None
    token: str
    source: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    now: datetime

    @property
    def person(self) -> Person:
        """Who is signed in; only of routes that need somebody."""
        assert self.visit is not None  # the endpoint lets nobody else through
        return self.visit.person

    def fields(self) -> Fields:
        """The body's fields."""
        return Fields(self.body)


class Call(NamedTuple):
    """A call. `path` has the values of the path's names, `query` the last value of each parameter.

    `body` is the JSON object that was sent, {} where there was none; `key` the Idempotency-Key.
    `wants_text`: the caller asked for text/plain. `pay_url` is what the addresses of payment pages begin with.
    A call of the portal has the `visit` of who is signed in, and as its partner that of the relationship.
    """

    credential: Credential
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    ids: WireIds
    now: datetime
    key: str | None = None
    wants_text: bool = False
    pay_url: str = ""
    visit: Visit | None = None

    @property
    def partner(self) -> Partner:
        """Whose call it is; of a reseller's key the relationship's partner."""
        return self.credential.partner

    @property
    def shop_id(self) -> int:
        """The shop, which follows from the key alone."""
        return self.credential.partner.shop_id

    @property
    def currency(self) -> str:
        """The shop's currency."""
        return self.credential.partner.currency

    def number(self, kind: Kind, name: str = "id") -> int:
        """The number behind an id of the path. Raises NotFound for any other text."""
        return self.ids.read(kind, self.path[name])

    def fields(self) -> Fields:
        """The body's fields."""
        return Fields(self.body)

    def filters(self) -> Fields:
        """The query's parameters as fields."""
        return Fields(self.query)

    def place_page(self, kind: Kind) -> PlacePage:
        """The page that is asked of a cursor list. Raises WireError VALIDATION_ERROR."""
        return read_place_page(self.query, kind=kind, ids=self.ids)

    def numbered(self) -> Numbered:
        """The page that is asked of a page list. Raises WireError VALIDATION_ERROR."""
        return read_numbered(self.query)
