"""The reseller programme's terms: of a shop, of an invitation, of a relationship (spec shoppex_reseller 6.2 to 6.4).

Rates are basis points, amounts minor units of the shop's currency, limits units of goods.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from crossdock.errors import Conflict

Mode = Literal["affiliate", "stock", "both"]
"""What a reseller may do: earn commission, buy stock and have it delivered, or both."""

Status = Literal["invited", "active", "suspended", "terminated"]
"""`invited` has accepted and awaits the shop's approval; `terminated` is final (spec 8.1)."""

InvitationState = Literal["pending", "accepted", "revoked", "expired"]

Bp = Annotated[int, Meta(ge=0, le=10_000)]
Minor = Annotated[int, Meta(ge=0)]
Units = Annotated[int, Meta(ge=0)]
Quantity = Annotated[int, Meta(ge=1)]

BUYS_STOCK: tuple[Mode, ...] = ("stock", "both")
EARNS: tuple[Mode, ...] = ("affiliate", "both")


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A shop's settings of the programme; the times are None where they were never set."""

    shop_id: int
    enabled: bool = False
    default_mode: Mode = "affiliate"
    default_commission_bp: int | None = None
    default_discount_bp: int | None = None
    min_payout_minor: int | None = None
    requires_verification: bool = False
    terms_url: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class ProgramChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New settings; UNSET ones stay as they are."""

    enabled: bool | UnsetType = UNSET
    default_mode: Mode | UnsetType = UNSET
    default_commission_bp: Bp | UnsetType | None = UNSET
    default_discount_bp: Bp | UnsetType | None = UNSET
    min_payout_minor: Minor | UnsetType | None = UNSET
    requires_verification: bool | UnsetType = UNSET
    terms_url: str | UnsetType | None = UNSET


class ProductTerms(msgspec.Struct, frozen=True, kw_only=True):
    """A product that a reseller may sell, with what is agreed for it; None is what holds otherwise.

    Without `auto_fulfilled` it is not delivered to the reseller's own shop. The bounds of the resale
    price are kept and shown.
    """

    product_id: int
    commission_bp: Bp | None = None
    wholesale_minor: Minor | None = None
    min_quantity: Quantity | None = None
    max_quantity: Quantity | None = None
    auto_fulfilled: bool = True
    min_resale_minor: Minor | None = None
    max_resale_minor: Minor | None = None

    @property
    def crossed(self) -> tuple[str, ...]:
        """The upper bounds that are below their lower ones."""
        bounds = {
            "max_quantity": (self.min_quantity, self.max_quantity),
            "max_resale_minor": (self.min_resale_minor, self.max_resale_minor),
        }
        return tuple(
            name
            for name, (least, most) in bounds.items()
            if least is not None and most is not None and most < least
        )


class ResellerTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of a relationship; UNSET ones stay, or are the programme's. `products` None is every product."""

    mode: Mode | UnsetType = UNSET
    commission_bp: Bp | UnsetType | None = UNSET
    discount_bp: Bp | UnsetType | None = UNSET
    limit_daily: Units | UnsetType | None = UNSET
    limit_monthly: Units | UnsetType | None = UNSET
    products: tuple[ProductTerms, ...] | UnsetType | None = UNSET


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation, without its token."""

    id: int
    shop_id: int
    email: str
    mode: Mode
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> InvitationState:
        """Its state at that time (spec 8.2)."""
        if self.accepted_at is not None:
            return "accepted"
        if self.revoked_at is not None:
            return "revoked"
        return "pending" if now < self.expires_at else "expired"

    def require_pending(self, now: datetime) -> None:
        """Raises Conflict `reseller_state` unless it can be accepted at that time."""
        state = self.state(now)
        if state != "pending":
            raise Conflict("reseller_state", f"The invitation is {state}.", {"state": state})


class NewInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation with its tokens, which are shown only now: one to tell, one to mail. Its repr hides both."""

    invitation: Invitation
    token: str
    mailed_token: str

    def __repr__(self) -> str:
        return f"NewInvitation(id={self.invitation.id})"


class Reseller(msgspec.Struct, frozen=True, kw_only=True):
    """A relationship with its terms. `products` None is every product of the shop."""

    id: int
    shop_id: int
    partner_id: int
    invitation_id: int
    email: str
    status: Status
    mode: Mode
    commission_bp: int | None
    discount_bp: int | None
    limit_daily: int | None
    limit_monthly: int | None
    products: tuple[ProductTerms, ...] | None
    attribution_code: str
    verified_at: datetime | None
    suspended_at: datetime | None
    terminated_at: datetime | None
    created_at: datetime
    updated_at: datetime
