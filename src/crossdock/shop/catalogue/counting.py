"""How many products of the assortment match, counted once for each state of the catalogue."""

from collections import OrderedDict
from typing import Final

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.assortment import AssortmentFilters, count_assortment
from crossdock.shop.partners import Partner

KEPT_MAX: Final = 10_000
_VERSION: Final = "select topic_version(%s, 'catalogue')"

_Key = tuple[int, tuple[int, ...] | None, str, AssortmentFilters]


class AssortmentCounts:
    """The counts of one process. What a partner sees of a shop changes with its catalogue alone.

    A whole catalogue takes long to count; whether it changed is a short question.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, tuple[int, int]] = OrderedDict()

    async def count(self, tx: Transaction, *, partner: Partner, filters: AssortmentFilters) -> int:
        """`count_assortment`, of the state at this moment or a later one.

        The version is read first, so that a change meanwhile is counted again rather than missed.
        """
        key = (partner.shop_id, partner.visible_merchants, partner.currency, filters)
        version: int = await tx.value(_VERSION, (partner.shop_id,))
        known = self._kept.pop(key, None)
        if known is None or known[0] != version:
            known = version, await count_assortment(tx, partner=partner, filters=filters)
        self._kept[key] = known
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return known[1]
