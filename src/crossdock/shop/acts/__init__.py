"""What staff did, on pages and by commands: written with the change itself, listed for owners."""

from crossdock.shop.acts.listing import ACTS_MAX, ActFilters, ActView, list_acts
from crossdock.shop.acts.noting import (
    EVERY_FIELD,
    Act,
    begin_act,
    close_act,
    name_shop,
    plain_details,
)

__all__ = [
    "ACTS_MAX",
    "EVERY_FIELD",
    "Act",
    "ActFilters",
    "ActView",
    "begin_act",
    "close_act",
    "list_acts",
    "name_shop",
    "plain_details",
]
