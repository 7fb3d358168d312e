"""Roles and what each may do.

| permission        | owner | manager | warehouse | viewer |
|-------------------|-------|---------|-----------|--------|
| `orders.read`     | yes   | yes     | yes       | yes    |
| `labels.print`    | yes   | yes     | yes       |        |
| `orders.fulfil`   | yes   | yes     | yes       |        |
| `stock.adjust`    | yes   | yes     | yes       |        |
| `partners.manage` | yes   | yes     |           |        |
| `people.manage`   | yes   |         |           |        |
"""

from typing import Literal, get_args

Role = Literal["owner", "manager", "warehouse", "viewer"]
Permission = Literal[
    "orders.read",
    "labels.print",
    "orders.fulfil",
    "stock.adjust",
    "partners.manage",
    "people.manage",
]

ROLES: tuple[Role, ...] = get_args(Role)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

# Each role may do what the roles after it may, and a little more.
_COUNTS: dict[Role, int] = {"owner": 6, "manager": 5, "warehouse": 4, "viewer": 1}


def permissions_of(role: Role) -> tuple[Permission, ...]:
    """What a role may do, in the order of PERMISSIONS."""
    return PERMISSIONS[: _COUNTS[role]]


def permits(role: Role, *, permission: Permission) -> bool:
    """Whether a role may do this."""
    return permission in permissions_of(role)
