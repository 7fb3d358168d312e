"""A person, a session, and what a sign-in ends with."""

from datetime import datetime

import msgspec

from crossdock.shop.people.roles import Permission, Role, permissions_of, permits


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in; holds neither hash nor secret. `has_totp`: a second factor is on."""

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

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """What the person's role may do."""
        return permissions_of(self.role)

    def may(self, permission: Permission) -> bool:
        """Whether the person's role permits this."""
        return permits(self.role, permission=permission)

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
    csrf_token: str
    is_complete: bool
    created_at: datetime
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Visit(person={self.person.id}, is_complete={self.is_complete})"


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session at the one moment when its token is known; `cookie` is the Set-Cookie to send."""

    token: str
    cookie: str
    is_complete: bool

    def __repr__(self) -> str:
        return f"NewSession(is_complete={self.is_complete})"


class SignInFirst(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody is signed in; `address` is the sign-in page, which leads back afterwards."""

    address: str


class StaffPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page for people, as the console's home lists it."""

    title: str
    description: str
    path: str
    permission: Permission
