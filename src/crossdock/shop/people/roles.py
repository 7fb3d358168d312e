"""Roles as sets of rights. A new right needs its name and its line in RIGHTS.

The last two roles are for partners' own people and for resellers, the others for the shop's staff.
"""

from types import MappingProxyType
from typing import Literal, get_args

Role = Literal["owner", "manager", "warehouse", "viewer", "partner", "reseller"]
Right = Literal[
    "orders.read",
    "products.read",
    "products.manage",
    "labels.print",
    "orders.fulfil",
    "orders.manage",
    "stock.adjust",
    "serials.reveal",
    "alerts.read",
    "alerts.close",
    "tickets.read",
    "tickets.answer",
    "mail.read",
    "events.read",
    "deliveries.read",
    "deliveries.manage",
    "imports.manage",
    "partners.manage",
    "ledger.read",
    "payouts.manage",
    "search.manage",
    "customers.read",
    "customers.manage",
    "shop.manage",
    "people.manage",
    "own_partner.read",
    "own_reseller.read",
]

ROLES: tuple[Role, ...] = get_args(Role)
PARTNER_ROLE: Role = "partner"
RESELLER_ROLE: Role = "reseller"
STAFF_ROLES: tuple[Role, ...] = tuple(
    role for role in ROLES if role not in {PARTNER_ROLE, RESELLER_ROLE}
)

RIGHTS: MappingProxyType[Right, frozenset[Role]] = MappingProxyType(
    {
        "orders.read": frozenset({"owner", "manager", "warehouse", "viewer"}),
        "products.read": frozenset({"owner", "manager", "warehouse", "viewer"}),
        "products.manage": frozenset({"owner", "manager"}),
        "labels.print": frozenset({"owner", "manager", "warehouse"}),
        "orders.fulfil": frozenset({"owner", "manager", "warehouse"}),
        "orders.manage": frozenset({"owner", "manager"}),
        "stock.adjust": frozenset({"owner", "manager", "warehouse"}),
        "serials.reveal": frozenset({"owner", "manager"}),
        "alerts.read": frozenset({"owner", "manager", "warehouse", "viewer"}),
        "alerts.close": frozenset({"owner", "manager", "warehouse"}),
        "tickets.read": frozenset({"owner", "manager", "warehouse", "viewer"}),
        "tickets.answer": frozenset({"owner", "manager"}),
        "mail.read": frozenset({"owner", "manager"}),
        "events.read": frozenset({"owner", "manager", "viewer"}),
        "deliveries.read": frozenset({"owner", "manager", "warehouse", "viewer"}),
        "deliveries.manage": frozenset({"owner", "manager"}),
        "imports.manage": frozenset({"owner", "manager"}),
        "partners.manage": frozenset({"owner", "manager"}),
        "ledger.read": frozenset({"owner", "manager"}),
        "payouts.manage": frozenset({"owner", "manager"}),
        "search.manage": frozenset({"owner", "manager"}),
        "customers.read": frozenset({"owner", "manager", "warehouse", "viewer"}),
        "customers.manage": frozenset({"owner", "manager"}),
        "shop.manage": frozenset({"owner"}),
        "people.manage": frozenset({"owner"}),
        "own_partner.read": frozenset({"partner"}),
        "own_reseller.read": frozenset({"reseller"}),
    }
)
"""Every right with the roles that have it."""

_RIGHTS_OF: dict[Role, frozenset[Right]] = {
    role: frozenset(right for right, holders in RIGHTS.items() if role in holders) for role in ROLES
}


def rights_of(role: Role) -> frozenset[Right]:
    """The rights of a role."""
    return _RIGHTS_OF[role]
