"""Whether a server has one shop, and what of its settings is hidden from this one."""

from crossdock.db.unit_of_work import Database
from crossdock.settings import Settings, tell_settings
from crossdock.shop.shops import has_one_shop
from tests.support.factories import make_shop


async def test_a_server_of_two_shops_has_not_one(database: Database) -> None:
    async with database.begin() as tx:
        await make_shop(tx)
        await make_shop(tx)
        assert not await has_one_shop(tx)


async def test_a_server_of_one_shop_has_one(database: Database) -> None:
    async with database.begin() as tx:
        # In the place of the table, which other tests fill.
        await tx.run("create temporary table shops (id bigint) on commit drop")
        assert not await has_one_shop(tx)
        await tx.run("insert into shops values (1)")
        assert await has_one_shop(tx)
        await tx.run("insert into shops values (2)")
        assert not await has_one_shop(tx)


def test_settings_that_may_hold_a_secret_are_hidden() -> None:
    settings = Settings().having(
        database_url="postgresql://u:secret@db/x", server_public_url="https://u:secret@shop.example"
    )
    told = {
        f"{each.table}.{each.name}": each.text for each in tell_settings(settings, environment={})
    }

    assert told["server.public_url"] == "(set, not shown)"
    assert "secret" not in " ".join(told.values())
    assert told["search.tie"].isdigit()
