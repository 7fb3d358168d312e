"""ProductFilterInput: which products a list has (spec section 5)."""

from collections.abc import Mapping
from typing import Any, Final

from crossdock.channels.shoppo.errors import bad_input
from crossdock.channels.shoppo.ranges import read_range
from crossdock.shop.catalogue import AssortmentFilters

_SHORT_DIGITS: Final = 7
_CATEGORY_DIGITS_MAX: Final = 18
_SEXES: Final = "01"


def read_filters(given: Mapping[str, Any]) -> AssortmentFilters:
    """The filters. Raises WireError BAD_USER_INPUT."""
    created = read_range(given, "timeCreateRange")
    twin = read_range(given, "timeCreatedRange")
    if created is not None and twin is not None and created != twin:
        raise bad_input(
            "timeCreateRange and timeCreatedRange differ; give one.", field="timeCreatedRange"
        )
    category = given.get("categoryId")
    return AssortmentFilters(
        created=created or twin,
        updated=read_range(given, "timeUpdatedRange"),
        enabled=given.get("productEnabled"),
        category_ids=None if category is None else _category_ids(category),
    )


def _category_ids(written: str) -> tuple[int, ...]:
    """The numbers that a categoryId means; of 7 digits, also the two of 8 that add the sex to it."""
    if not written.isascii() or not written.isdigit() or len(written) > _CATEGORY_DIGITS_MAX:
        return ()
    if written != str(int(written)):
        return ()
    twins = _SEXES if len(written) == _SHORT_DIGITS else ""
    return (int(written), *(int(written + sex) for sex in twins))
