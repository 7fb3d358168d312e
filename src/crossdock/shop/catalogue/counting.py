"""How many products there are, counted once for each state of the shop's goods."""

from collections import OrderedDict
from typing import Final

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.assortment import AssortmentFilters, count_assortment
from crossdock.shop.catalogue.owned import OwnedStatistics, count_owned
from crossdock.shop.partners import Partner

KEPT_MAX: Final = 10_000

_VERSION: Final = "select catalogue_version(%s)"

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


class OwnedCounts:
    """The statistics of merchants' products in one process, since counting them reads every variant."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, tuple[int, ...] | None], tuple[int, OwnedStatistics]] = (
            OrderedDict()
        )

    async def count(
        self, tx: Transaction, *, shop_id: int, merchant_ids: list[int] | None
    ) -> OwnedStatistics:
        """`count_owned` as of now: counted again where something of the shop's goods changed."""
        key = (shop_id, None if merchant_ids is None else tuple(merchant_ids))
        version = await tx.value(_VERSION, (shop_id,))
        assert version is not None  # a count is a number
        known = self._kept.pop(key, None)
        if known is None or known[0] != version:
            counted = await count_owned(tx, shop_id=shop_id, merchant_ids=merchant_ids)
            known = version, counted
        self._kept[key] = known
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return known[1]
