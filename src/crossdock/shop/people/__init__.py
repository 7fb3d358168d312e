"""People who sign in: passwords, second factor, roles, sessions, and who may do what."""

from crossdock.shop.people.account import Account, Offer
from crossdock.shop.people.factors import clear_totp, totp_place
from crossdock.shop.people.managing import (
    add_person,
    disable_person,
    enable_person,
    find_person,
    has_password,
    list_people,
    read_person,
    set_password_hash,
    set_role,
)
from crossdock.shop.people.means import Means, create_means, lifetimes_of
from crossdock.shop.people.model import NewSession, Person, SignInFirst, StaffPage, Visit
from crossdock.shop.people.passwords import LENGTH_MAX, LENGTH_MIN, Hasher, check_password
from crossdock.shop.people.purging import purge_people
from crossdock.shop.people.returning import HOME, SIGN_IN, local_path, sign_in_address
from crossdock.shop.people.roles import PERMISSIONS, ROLES, Permission, Role, permissions_of
from crossdock.shop.people.signing_in import People

__all__ = [
    "HOME",
    "LENGTH_MAX",
    "LENGTH_MIN",
    "PERMISSIONS",
    "ROLES",
    "SIGN_IN",
    "Account",
    "Hasher",
    "Means",
    "NewSession",
    "Offer",
    "People",
    "Permission",
    "Person",
    "Role",
    "SignInFirst",
    "StaffPage",
    "Visit",
    "add_person",
    "check_password",
    "clear_totp",
    "create_means",
    "disable_person",
    "enable_person",
    "find_person",
    "has_password",
    "lifetimes_of",
    "list_people",
    "local_path",
    "permissions_of",
    "purge_people",
    "read_person",
    "set_password_hash",
    "set_role",
    "sign_in_address",
    "totp_place",
]
