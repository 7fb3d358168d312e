"""Goods for searches, written directly into the tables: four SKUs per product, words of every frequency."""

from crossdock.db.unit_of_work import Database, Transaction
from tests.support.factories import ShopFixture, make_shop

SKUS = 4
BRANDS = 300
MERCHANTS = 40
CATEGORIES = (12, 10)  # roots, and categories below each
WORDS = (
    *("canvas", "harbour", "steel", "linen", "travel", "garden", "classic", "folding"),
    *("oak", "copper", "wool", "amber", "quiet", "field", "silver"),
)
THINGS = (
    *("bag", "lamp", "chair", "jacket", "bottle", "shelf", "tent", "kettle"),
    *("clock", "table", "desk", "brush", "glove", "hammer", "drill"),
)
COLORS = (
    *("Black", "White", "Red", "Green", "Blue", "Sand"),
    *("Olive", "Navy", "Grey", "Yellow", "Pink", "Brown"),
)


async def fill_shop(db: Database, *, variants: int) -> ShopFixture:
    """Fill a shop with so many SKUs; each product's name has a word that 1 in 1,000 products have."""
    async with db.begin() as tx:
        await tx.take_time()
        shop = await make_shop(tx)
        await _frame(tx, shop_id=shop.id)
        await tx.run(
            _PRODUCTS,
            {
                "shop": shop.id,
                "count": variants // SKUS,
                "words": list(WORDS),
                "things": list(THINGS),
                "brands": BRANDS,
                "merchants": MERCHANTS,
            },
        )
        await tx.run(_VARIANTS, {"shop": shop.id, "skus": SKUS, "colors": list(COLORS)})
        await tx.run(_CATEGORIES, {"shop": shop.id})
    async with db.statement() as tx:
        await tx.take_time()
        await tx.run("vacuum analyze products, variants, product_categories")
    return shop


async def _frame(tx: Transaction, *, shop_id: int) -> None:
    await tx.run(
        "insert into merchants (shop_id, slug, name) select %s, 'm' || g, 'Merchant ' || g"
        " from generate_series(1, %s) g",
        (shop_id, MERCHANTS),
    )
    roots, below = CATEGORIES
    await tx.run(
        "insert into categories (shop_id, id, slug, path, id_path, depth, name) overriding system value"
        " select %s, g, 'r' || g, 'r' || g, array[g], 1, 'Root ' || g from generate_series(1, %s) g",
        (shop_id, roots),
    )
    await tx.run(
        "insert into categories (shop_id, id, parent_id, slug, path, id_path, depth, name)"
        " overriding system value"
        " select %s, r * 100 + g, r, 'c' || g, 'r' || r || '/c' || g, array[r, r * 100 + g], 2,"
        "        'Kind ' || r || ' ' || g from generate_series(1, %s) r, generate_series(1, %s) g",
        (shop_id, roots, below),
    )


_PRODUCTS = """
    insert into products (shop_id, merchant_id, handle, name, brand, description, attributes)
    select %(shop)s, m.id, 'p' || g,
           initcap((%(words)s::text[])[1 + abs(hashint4(g)) %% 15])
           || ' ' || (%(things)s::text[])[1 + abs(hashint4(g + 7)) %% 15] || ' series' || g %% 1000,
           'Brand ' || abs(hashint4(g + 13)) %% %(brands)s,
           'Made of ' || (%(words)s::text[])[1 + abs(hashint4(g + 3)) %% 15] || ' and '
           || (%(words)s::text[])[1 + abs(hashint4(g + 5)) %% 15] || ' for every '
           || (%(things)s::text[])[1 + abs(hashint4(g + 9)) %% 15],
           jsonb_build_object('Finish', (%(words)s::text[])[1 + abs(hashint4(g + 21)) %% 15])
    from generate_series(1, %(count)s) g
    join (select id, row_number() over (order by id) as place from merchants where shop_id = %(shop)s) m
      on m.place = 1 + g %% %(merchants)s
"""
_VARIANTS = """
    insert into variants (shop_id, product_id, merchant_id, sku, upc, part_number, name, options, currency,
                          retail_minor, sale_minor, position)
    select p.shop_id, p.id, p.merchant_id, 'S' || p.id || '-' || n, lpad((p.id * 10 + n)::text, 12, '0'),
           'PN' || p.id, p.name,
           jsonb_build_object('Color', (%(colors)s::text[])[1 + (p.id * 3 + n / 2) %% 12],
                              'Size', (array['S', 'M', 'L', 'XL'])[1 + n %% 4]),
           'USD', 199 + abs(hashint8(p.id)) %% 90000 + n / 2 * 100,
           case when p.id %% 5 = 0 then 150 + abs(hashint8(p.id)) %% 80000 end, n
    from products p, generate_series(0, %(skus)s - 1) n where p.shop_id = %(shop)s
"""
_CATEGORIES = """
    insert into product_categories (shop_id, product_id, category_id)
    select p.shop_id, p.id, (1 + p.id %% 12) * 100 + 1 + p.id / 12 %% 10 from products p where p.shop_id = %(shop)s
"""
