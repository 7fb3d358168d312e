"""Product details of a Google feed: (section, name, value) each, some of them with a meaning of ours."""

from collections.abc import Iterable

from crossdock.imports import fields

OPTION_SECTION = "Option"
"""Details that are options of the product."""
KEY_SECTION = "Crossdock"
SKU_DETAIL = "SKU"
HANDLE_DETAIL = "Product"
"""Details with a key that is too long for its element."""
USERS_DETAIL = "Target users"
"""Whom it is for, where the item's gender does not say it."""


def long_key(details: Iterable[tuple[str, str, str]], name: str) -> str:
    """The key in the detail of that name, '' without one."""
    found = (value for section, given, value in details if (section, given) == (KEY_SECTION, name))
    return next(found, "")


def packed_details(text: str) -> list[tuple[str, str, str]]:
    """'Section:name:value' parts separated by commas; a backslash escapes one, as in `split_list`."""
    details = []
    for part in fields.split_list(text):
        section, _, rest = part.partition(":")
        name, _, value = rest.partition(":")
        if name and value:
            details.append((section, name, value))
    return details
