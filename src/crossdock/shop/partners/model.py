"""Partners, their terms and credentials."""

from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from crossdock.kit.zones import NEUTRAL, zone_named

Proof = Literal["signature", "bearer", "password"]
"""How a caller authenticates: by signature, bearer token, or name and password."""


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """An outside company on one channel, with its terms.

    Amounts are minor units of `currency`, and dates without a time zone are in `time_zone`; both are
    the shop's. `visible_merchants` None means all. `settings` belong to the channel. While `watched_until` is not
    over, the partner's calls are kept for staff.
    """

    shop_id: int
    id: int
    channel: str
    name: str
    permissions: frozenset[str]
    backorder: bool
    currency: str
    min_amount_minor: int | None
    max_amount_minor: int | None
    visible_merchants: tuple[int, ...] | None
    price_list_id: int | None
    customer_id: int | None
    settings: dict[str, Any]
    revision: int
    time_zone: str = NEUTRAL
    watched_until: datetime | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return zone_named(self.time_zone)

    @property
    def merchant_ids(self) -> list[int] | None:
        """`visible_merchants` as a statement's parameter."""
        return None if self.visible_merchants is None else list(self.visible_merchants)


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A valid secret of a credential. Its repr hides the value.

    `value` is the signing secret, or the hash of a token or password.
    """

    id: int
    value: bytes
    expires_at: datetime | None

    def __repr__(self) -> str:
        return f"Secret(id={self.id})"


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A public key or name with one or two valid secrets, as read at `partner.revision`.

    One that an app got has the permissions that were granted to it, instead of its partner's.
    """

    id: int
    public_key: str
    proof: Proof
    is_test: bool
    secrets: tuple[Secret, ...]
    partner: Partner
    is_shop_suspended: bool = False
