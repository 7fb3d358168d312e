"""Update the planner's statistics while a catalogue grows in bulk.

Without them the planner rates all indexes alike and reads a merchant's whole range for each sku.
"""

from crossdock.db.unit_of_work import Transaction

_KEYS = (
    "products (shop_id, merchant_id, handle), stock_levels (shop_id, variant_id, pool), "
    "variants (shop_id, id, merchant_id, product_id, sku, gtin14, listed, currency)"
)


async def has_statistics(tx: Transaction) -> bool:
    """Whether the catalogue's tables were ever analysed."""
    return bool(
        await tx.value("select reltuples >= 0 from pg_class where oid = 'variants'::regclass")
    )


async def refresh_statistics(tx: Transaction) -> None:
    """ANALYZE the columns that rows are looked up by, from a small sample.

    It bridges the time until autovacuum analyses the tables thoroughly.
    """
    await tx.run("set local default_statistics_target = 10")
    await tx.run(f"analyze {_KEYS}")
