"""A person, a session, and the result of a sign-in."""

from datetime import datetime
from typing import Literal

import msgspec

from crossdock.shop.people.roles import RIGHTS, Right, Role, rights_of

Principal = Literal["staff", "partner"]
"""Whom a session belongs to: the shop's staff, or the people of a partner."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in; holds neither hash nor secret. `has_totp`: a second factor is on.

    The shop's staff have no `partner_id`; a partner's own people have one, and the role `partner`.
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

    @property
    def principal(self) -> Principal:
        """Whom the person acts for: the shop, or a partner."""
        return "staff" if self.partner_id is None else "partner"

    @property
    def rights(self) -> tuple[Right, ...]:
        """What the person's role may do, in the order of RIGHTS."""
        return tuple(right for right in RIGHTS if self.may(right))

    def may(self, right: Right) -> bool:
        """Whether the person's role includes this."""
        return right in rights_of(self.role)

    @property
    def label(self) -> str:
        """What to call the person: the name, or else the e-mail."""
        return self.name or self.email


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A live session as a page sees it: who, and the token that the page's forms must carry.

    While `is_complete` is false the person has shown the password and still owes a code.
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
    """A session at the one moment when its token is known."""

    token: str
    is_complete: bool

    def __repr__(self) -> str:
        return f"NewSession(is_complete={self.is_complete})"
