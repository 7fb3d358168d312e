"""The ids of everything that has one: UUIDs, the same for ever, different for each kind (spec section 5).

An id stands for (kind, number) under the key of the shop. One of another shop, of another kind, or that
was never given, reads as nothing; whether what it names exists and is the caller's, the core decides.
"""

from enum import IntEnum
from typing import NoReturn

from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound
from crossdock.kit.opaque import OpaqueUuids
from crossdock.shop.shops import read_id_key


class Kind(IntEnum):
    """What an id names. The numbers are in every id that was given, so they never change."""

    SHOP = 1
    PRODUCT = 2
    VARIANT = 3
    SERIAL = 4
    MOVEMENT = 5
    ORDER = 6
    INVOICE = 7
    PAYMENT = 8
    CUSTOMER = 9
    COUPON = 10
    REPLACEMENT = 11
    RELATIONSHIP = 20
    INVITATION = 21
    PROGRAM = 22
    API_KEY = 23
    FULFILLMENT = 24
    CLAIM = 25
    CAMPAIGN = 26
    TRANSFER = 27
    ITEM = 28
    SALE = 29
    ENTRY = 30
    WEBHOOK = 40
    WEBHOOK_LOG = 41
    EVENT = 42


class WireIds:
    """The ids of one shop."""

    def __init__(self, key: bytes) -> None:
        self._uuids = OpaqueUuids(key)

    def write(self, kind: Kind, number: int) -> str:
        """The id of a thing of this kind."""
        return self._uuids.encode(kind, number)

    def find(self, kind: Kind, text: str) -> int | None:
        """The number behind an id; None for one of another kind or shop, and for any other text."""
        found = self._uuids.decode(text)
        return found[1] if found and found[0] == kind else None

    def read(self, kind: Kind, text: str) -> int:
        """The number behind an id of a path. Raises NotFound `not_found`."""
        found = self.find(kind, text)
        return found if found is not None else _refuse()


class ShopIds:
    """The ids of each shop of this process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[int, WireIds] = {}

    async def of(self, shop_id: int) -> WireIds:
        """The shop's ids; its key is read once."""
        if shop_id not in self._known:
            async with self._db.statement() as tx:
                key = await read_id_key(tx, shop_id=shop_id)
            self._known[shop_id] = WireIds(bytes(key))
        return self._known[shop_id]


def _refuse() -> NoReturn:
    raise NotFound("not_found")
