"""People who sign in, the staff and partners' own: passwords, second factor, rights, sessions."""

from crossdock.shop.people.account import Account, Offer
from crossdock.shop.people.browsing import (
    PEOPLE_SHOWN,
    SessionView,
    browse_people,
    end_session,
    end_sessions,
    has_address_whole,
    has_person_whole,
    list_sessions,
    read_person_of,
    take_person_of,
)
from crossdock.shop.people.factors import clear_totp, totp_place
from crossdock.shop.people.links import (
    LINK_DAYS,
    NewLink,
    make_password_link,
    read_password_link,
    use_password_link,
)
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
from crossdock.shop.people.model import NewSession, Person, Principal, Visit
from crossdock.shop.people.passwords import LENGTH_MIN, check_password
from crossdock.shop.people.purging import purge_people
from crossdock.shop.people.roles import RIGHTS, ROLES, STAFF_ROLES, Right, Role, rights_of
from crossdock.shop.people.saved_views import (
    VIEW_NAME_MAX,
    SavedView,
    list_views,
    remove_view,
    save_view,
)
from crossdock.shop.people.signing_in import People

__all__ = [
    "LENGTH_MIN",
    "LINK_DAYS",
    "PEOPLE_SHOWN",
    "RIGHTS",
    "ROLES",
    "STAFF_ROLES",
    "VIEW_NAME_MAX",
    "Account",
    "Means",
    "NewLink",
    "NewSession",
    "Offer",
    "People",
    "Person",
    "Principal",
    "Right",
    "Role",
    "SavedView",
    "SessionView",
    "Visit",
    "add_person",
    "browse_people",
    "check_password",
    "clear_totp",
    "create_means",
    "disable_person",
    "enable_person",
    "end_session",
    "end_sessions",
    "find_person",
    "has_address_whole",
    "has_password",
    "has_person_whole",
    "lifetimes_of",
    "list_people",
    "list_sessions",
    "list_views",
    "make_password_link",
    "purge_people",
    "read_password_link",
    "read_person",
    "read_person_of",
    "remove_view",
    "rights_of",
    "save_view",
    "set_password_hash",
    "set_role",
    "take_person_of",
    "totp_place",
    "use_password_link",
]
