"""How many products of the assortment match, counted once for each state of the shop's lists."""

from collections import OrderedDict
from typing import Final

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.assortment import AssortmentFilters, count_assortment
from crossdock.shop.partners import Partner

KEPT_MAX: Final = 10_000

_Key = tuple[int, tuple[int, ...] | None, str, AssortmentFilters]


class AssortmentCounts:
    """The counts of one process, since a whole catalogue takes long to count."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, tuple[int, int]] = OrderedDict()

    async def count(
        self, tx: Transaction, *, partner: Partner, filters: AssortmentFilters, state: int
    ) -> int:
        """`count_assortment`, of a state that `Changes.listed` told before, or of a later one."""
        key = (partner.shop_id, partner.visible_merchants, partner.currency, filters)
        known = self._kept.pop(key, None)
        if known is None or known[0] != state:
            known = state, await count_assortment(tx, partner=partner, filters=filters)
        self._kept[key] = known
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return known[1]
