"""Writing products in bulk: what is new, what changed, what is gone, and nothing otherwise."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from crossdock.errors import Invalid
from crossdock.shop.catalogue import (
    Image,
    MerchantRecord,
    ProductRecord,
    Promotion,
    VariantRecord,
    upsert_merchants,
    upsert_products,
)
from crossdock.shop.stock import StockRecord

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def variant(sku="MUG-RED", **parts):
    return VariantRecord(**{"sku": sku, "retail_minor": 1999} | parts)


def product(*variants, **parts):
    values = {"handle": "mug", "name": "Mug", "merchant": "Potters", "currency": "USD"} | parts
    return ProductRecord(variants=variants or (variant(),), **values)


async def write(database, shop, *records):
    async with database.begin() as tx:
        return await upsert_products(tx, shop=shop, records=records, now=NOW)


async def rows(database, query, shop, *more):
    async with database.begin() as tx:
        return await tx.all(query, (shop.id, *more))


async def events(database, shop):
    found = await rows(
        database, "select kind, payload from events where shop_id = %s order by id", shop
    )
    return [(kind, payload) for kind, payload in found]


async def test_a_product_is_written_whole(database, shop):
    record = product(
        variant(
            "MUG-RED",
            upc="036000291452",
            options={"Colour": "Red", "Size": "XL"},
            attributes={"glaze": "matt\\shiny\t"},
            stock=(
                StockRecord(pool="own", on_hand=7, warning_level=2, best_before=date(2027, 1, 31)),
                StockRecord(pool="supplier", on_hand=100),
            ),
            promotions=(
                Promotion(price_minor=1500, starts_at=NOW, ends_at=NOW + timedelta(days=3)),
            ),
            sale_minor=1799,
            vat_bp=2100,
        ),
        option_names=("Colour", "Size"),
        description='<p onclick="steal()">Holds "tea" \\ & coffee.</p><script>steal()</script>',
        categories=(("Kitchen", "Cups & Mugs"), ("Gifts",)),
        tags=('a"b', "c\\d", "e,f", "{g}", ""),
        images=(Image(url="https://img.example/mug.jpg"),),
        translations={"nl": {"name": "Mok"}},
    )
    counts = await write(database, shop, record)

    assert (counts.products_added, counts.variants_added, counts.stock_changed) == (1, 1, 2)
    [(name, gtin, upc, listed, options, attributes)] = await rows(
        database,
        "select name, gtin14, upc, listed, options, attributes from variants where shop_id = %s",
        shop,
    )
    assert (name, gtin, upc, listed) == ("Mug - Red / XL", "00036000291452", "036000291452", True)
    assert (options, attributes) == ({"Colour": "Red", "Size": "XL"}, {"glaze": "matt\\shiny\t"})
    [(description, tags, translations)] = await rows(
        database, "select description, tags, translations from products where shop_id = %s", shop
    )
    assert description == '<p>Holds "tea" \\ &amp; coffee.</p>'
    assert tags == ['a"b', "c\\d", "e,f", "{g}", ""]
    assert translations == {"nl": {"name": "Mok"}}


async def test_categories_are_a_tree_with_ids_and_paths(database, shop):
    await write(database, shop, product(categories=(("Kitchen", "Cups & Mugs", "Mugs"),)))
    pot = product(variant("POT"), handle="pot", categories=(("Kitchen", "Pots"),))
    await write(database, shop, pot)
    found = await rows(
        database,
        "select name, path, depth, id_path, id, parent_id from categories where shop_id = %s order by id",
        shop,
    )
    assert [row[:3] for row in found] == [
        ("Kitchen", "kitchen", 1),
        ("Cups & Mugs", "kitchen/cups-mugs", 2),
        ("Mugs", "kitchen/cups-mugs/mugs", 3),
        ("Pots", "kitchen/pots", 2),
    ]
    by_id = {row[4]: row for row in found}
    for row in found:
        assert row[3][-1] == row[4]
        assert row[3][:-1] == (by_id[row[5]][3] if row[5] else [])


async def test_one_event_of_each_kind_tells_of_a_batch(database, shop):
    await write(
        database,
        shop,
        product(variant(stock=(StockRecord(pool="own", on_hand=3, warning_level=1),))),
        product(variant("POT"), handle="pot"),
    )
    ids = [
        row[0]
        for row in await rows(
            database, "select id from products where shop_id = %s order by id", shop
        )
    ]
    [(variant_id,)] = await rows(
        database, "select id from variants where shop_id = %s and sku = 'MUG-RED'", shop
    )
    assert sorted(await events(database, shop), key=lambda event: event[0]) == [
        ("catalogue.changed", {"product_ids": ids}),
        ("stock.changed", {"levels": [[variant_id, "own", 2]], "reason": "import"}),
    ]


async def test_writing_the_same_again_writes_nothing(database, shop):
    record = product(
        variant(stock=(StockRecord(pool="own", on_hand=3),)), categories=(("Kitchen",),)
    )
    await write(database, shop, record)
    before = await _everything(database, shop)
    counts = await write(database, shop, record)
    assert counts.products_unchanged == 1
    assert not counts.wrote_anything
    assert await _everything(database, shop) == before


async def _everything(database, shop):
    """Every row with the transaction that wrote it."""
    found = {}
    for table in ("merchants", "categories", "products", "variants", "product_categories", "promotions",
                  "stock_levels", "stock_entries", "events"):  # fmt: skip
        found[table] = sorted(
            await rows(
                database, f"select t.xmin::text, t::text from {table} t where shop_id = %s", shop
            )
        )
    return found


async def test_only_what_differs_is_updated(database, shop):
    other = product(variant("POT"), handle="pot")
    await write(database, shop, product(variant("A"), variant("B")), other)
    counts = await write(
        database, shop, product(variant("A"), variant("B", retail_minor=2500)), other
    )
    assert (counts.products_changed, counts.products_unchanged) == (1, 1)
    assert (counts.variants_changed, counts.variants_added) == (1, 0)
    [(prices,)] = await rows(
        database,
        "select array_agg(retail_minor order by sku) from variants where shop_id = %s",
        shop,
    )
    assert prices == [1999, 2500, 1999]


async def test_a_variant_that_is_left_out_is_disabled_and_comes_back_with_its_id(database, shop):
    await write(database, shop, product(variant("A"), variant("B")))
    ids = await rows(database, "select sku, id from variants where shop_id = %s order by 1", shop)
    counts = await write(database, shop, product(variant("A")))
    assert counts.variants_disabled == 1
    state = "select sku, enabled, listed from variants where shop_id = %s order by 1"
    assert await rows(database, state, shop) == [("A", True, True), ("B", False, False)]
    await write(database, shop, product(variant("A"), variant("B")))
    assert await rows(database, state, shop) == [("A", True, True), ("B", True, True)]
    assert (
        await rows(database, "select sku, id from variants where shop_id = %s order by 1", shop)
        == ids
    )


async def test_an_incomplete_record_disables_nothing(database, shop):
    await write(database, shop, product(variant("A"), variant("B")))
    counts = await write(database, shop, product(variant("A", retail_minor=1), is_complete=False))
    assert (counts.variants_disabled, counts.variants_changed) == (0, 1)


async def test_a_variant_moves_to_the_product_that_claims_it(database, shop):
    await write(database, shop, product(variant("A"), variant("B")))
    counts = await write(database, shop, product(variant("B"), handle="jug", name="Jug"))
    assert (counts.products_added, counts.variants_added, counts.variants_changed) == (1, 0, 1)
    names = await rows(
        database, "select sku, name from variants where shop_id = %s order by sku", shop
    )
    assert names == [("A", "Mug"), ("B", "Jug")]
    # The product it left is written anew when it claims the variant back.
    await write(database, shop, product(variant("A"), variant("B")))
    names = await rows(database, "select name from variants where shop_id = %s and sku = 'B'", shop)
    assert names == [("Mug",)]


@pytest.mark.parametrize(
    ("record", "listed"),
    [
        (product(), True),
        (product(variant(retail_minor=None)), False),
        (product(variant(enabled=False)), False),
        (product(enabled=False), False),
    ],
)
async def test_listed_means_enabled_throughout_and_priced(database, shop, record, listed):
    await write(database, shop, record)
    assert await rows(database, "select listed from variants where shop_id = %s", shop) == [
        (listed,)
    ]


async def test_a_disabled_merchant_lists_nothing_until_it_is_enabled(database, shop):
    await write(database, shop, product())
    listed = "select listed from variants where shop_id = %s"
    for enabled in (False, True, False):
        async with database.begin() as tx:
            await upsert_merchants(
                tx,
                shop_id=shop.id,
                records=[MerchantRecord(name="POTTERS", enabled=enabled)],
                now=NOW,
            )
        assert await rows(database, listed, shop) == [(enabled,)]
    await write(database, shop, product(name="Other"))
    assert await rows(database, listed, shop) == [(False,)]


async def test_stock_is_set_by_entries_of_the_difference(database, shop):
    def counted(on_hand, **parts):
        return product(variant(stock=(StockRecord(pool="own", on_hand=on_hand, **parts),)))

    for on_hand in (5, 5, 12, 0):
        await write(database, shop, counted(on_hand))
    entries = "select kind, on_hand_delta, reason from stock_entries where shop_id = %s order by id"
    assert await rows(database, entries, shop) == [
        ("adjust", 5, "import"),
        ("adjust", 7, "import"),
        ("adjust", -12, "import"),
    ]
    counts = await write(database, shop, counted(0, warning_level=3))
    assert counts.stock_changed == 1
    levels = "select on_hand, warning_level, available from stock_levels where shop_id = %s"
    assert await rows(database, levels, shop) == [(0, 3, -3)]
    assert len(await rows(database, entries, shop)) == 3


async def test_what_is_held_stays_held_when_stock_is_set(database, shop):
    await write(database, shop, product(variant(stock=(StockRecord(pool="own", on_hand=5),))))
    async with database.begin() as tx:
        await tx.run("update stock_levels set held = 2 where shop_id = %s", (shop.id,))
    await write(database, shop, product(variant(stock=(StockRecord(pool="own", on_hand=1),))))
    assert await rows(
        database, "select on_hand, held, available from stock_levels where shop_id = %s", shop
    ) == [(1, 2, -1)]


async def test_promotions_and_categories_are_replaced(database, shop):
    first = Promotion(price_minor=900, starts_at=NOW, ends_at=NOW + timedelta(days=1))
    second = Promotion(
        price_minor=800, starts_at=NOW + timedelta(days=2), ends_at=NOW + timedelta(days=3)
    )
    await write(database, shop, product(variant(promotions=(first,)), categories=(("A",), ("B",))))
    longer = msgspec.structs.replace(second, ends_at=NOW + timedelta(days=9))
    for promotions, categories in (((second,), (("B",), ("C",))), ((longer,), (("B",), ("C",)))):
        counts = await write(
            database, shop, product(variant(promotions=promotions), categories=categories)
        )
        assert counts.products_changed == 1
    kept = await rows(
        database, "select price_minor, ends_at from promotions where shop_id = %s", shop
    )
    assert kept == [(800, NOW + timedelta(days=9))]
    names = await rows(
        database,
        """select c.name from product_categories pc join categories c using (shop_id)
           where shop_id = %s and c.id = pc.category_id order by 1""",
        shop,
    )
    assert names == [("B",), ("C",)]


async def test_the_same_sku_belongs_to_each_merchant_anew(database, shop):
    counts = await write(database, shop, product(), product(merchant="Glaziers"))
    assert counts.variants_added == 2
    assert len(await rows(database, "select id from merchants where shop_id = %s", shop)) == 2


@pytest.mark.parametrize(
    "records",
    [
        (product(), product(variant("B"))),
        (product(variant("A"), variant("A")),),
        (product(variant("A")), product(variant("A"), handle="jug")),
        (product(), product(variant("B"), merchant="POTTERS ")),
    ],
)
async def test_a_handle_or_sku_that_comes_twice_is_refused_and_nothing_written(
    database, shop, records
):
    with pytest.raises(Invalid) as refusal:
        await write(database, shop, *records)
    assert refusal.value.code == "invalid_input"
    assert await rows(database, "select 1 from merchants where shop_id = %s", shop) == []


async def test_writers_at_the_same_time_do_not_double_anything(database, shop):
    def record(number, on_hand):
        stock = (StockRecord(pool="own", on_hand=on_hand),)
        return product(
            variant(f"S{number}", stock=stock),
            handle=f"p{number}",
            categories=(("Kitchen", f"Aisle {number % 3}"),),
        )

    forwards = [record(number, 5) for number in range(20)]
    backwards = [record(number, 8) for number in reversed(range(20))]
    results = await asyncio.gather(
        *(write(database, shop, *records) for records in (forwards, backwards, forwards, backwards))
    )
    assert sum(counts.variants_added for counts in results) == 20
    counted = await rows(
        database,
        """select count(*), count(distinct l.on_hand), sum(l.on_hand) = sum(e.total)
           from stock_levels l
           join (select variant_id, sum(on_hand_delta) as total from stock_entries
                 where shop_id = %s group by variant_id) e using (variant_id)""",
        shop,
    )
    assert counted == [(20, 1, True)]
    assert len(await rows(database, "select 1 from categories where shop_id = %s", shop)) == 4
