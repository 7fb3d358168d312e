"""A shop of its own for each test."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.shops import Shop, add_shop


@pytest.fixture
async def shop(database: Database) -> Shop:
    """A shop in US dollars without anything in it."""
    slug = f"shop-{RandomIds().random_token(12).lower()}"
    async with database.begin() as tx:
        return await add_shop(tx, slug=slug, name="Harbour Goods", currency="USD")
