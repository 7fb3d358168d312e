"""A person, a session, and the result of a sign-in."""

from datetime import datetime
from typing import Literal

import msgspec

from crossdock.shop.people.roles import RIGHTS, Right, Role, rights_of

Principal = Literal["staff", "partner", "reseller"]
"""Whom a session belongs to: the shop's staff, the people of a partner, or a reseller."""

_PRINCIPALS: dict[Role, Principal] = {"partner": "partner", "reseller": "reseller"}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person who may sign in, without hash or secret. `has_totp`: the second factor is on.

    `language` is one of LANGUAGES, or '' for that of the browser.

    A partner's people have a `partner_id`, and the role `partner`. A reseller, in the role `reseller`, is
    of the shop that invited it first, and may act for relationships of other shops as well.
    """

    id: int
    shop_id: int
    shop: str
    email: str
    name: str
    role: Role
    active: bool
    has_totp: bool
    recovery_codes_left: int
    created_at: datetime
    last_seen_at: datetime | None
    partner_id: int | None
    language: str = ""

    @property
    def principal(self) -> Principal:
        """Whom the person acts for."""
        return _PRINCIPALS.get(self.role, "staff")

    @property
    def rights(self) -> tuple[Right, ...]:
        """The rights of the person's role, in the order of RIGHTS."""
        return tuple(right for right in RIGHTS if self.may(right))

    def may(self, right: Right) -> bool:
        """Whether the person's role includes this right."""
        return right in rights_of(self.role)

    @property
    def label(self) -> str:
        """The person's name, or the e-mail if there is none."""
        return self.name or self.email


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A live session: the person, and the CSRF token for forms.

    While `is_complete` is false, the password was checked and the second factor is missing.
    """

    person: Person
    token_hash: bytes
    form_token: str
    is_complete: bool
    created_at: datetime
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Visit(person={self.person.id}, is_complete={self.is_complete})"


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A new session with its token, of which only a hash is stored."""

    token: str
    is_complete: bool

    def __repr__(self) -> str:
        return f"NewSession(is_complete={self.is_complete})"
