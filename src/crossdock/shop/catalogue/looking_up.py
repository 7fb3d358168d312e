"""Find products by any number that is on the goods."""

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.numbers import read_number
from crossdock.shop.catalogue.identifiers import digits_of, normalise_gtin

FOUND_MAX = 20


async def find_products(tx: Transaction, *, shop_id: int, number: str) -> list[int]:
    """The products, at most FOUND_MAX, of which a variant has this SKU, merchant's SKU, GTIN, UPC or id, or
    whose own id it is; by id. Each is found by its index.
    """
    wanted = number.strip()
    is_number = wanted.isascii() and wanted.isdigit()
    rows = await tx.all(
        _FOUND,
        {
            "shop": shop_id,
            "number": wanted,
            "gtin": normalise_gtin(wanted),
            "upc": digits_of(wanted).lstrip("0") if is_number else None,
            "id": read_number(wanted) or 0,
            "most": FOUND_MAX,
        },
    )
    return [product_id for (product_id,) in rows]


async def find_product_of(tx: Transaction, *, shop_id: int, variant_id: int) -> int:
    """The product that has the variant. Raises NotFound `variant_not_found`."""
    found = await tx.value(
        "select product_id from variants where shop_id = %s and id = %s", (shop_id, variant_id)
    )
    if found is None:
        raise NotFound("variant_not_found")
    return int(found)


_FOUND = """
    select v.product_id from variants v where v.shop_id = %(shop)s and v.sku = %(number)s
    union select v.product_id from variants v
     where v.shop_id = %(shop)s and v.merchant_sku = %(number)s and v.merchant_sku <> ''
    union select v.product_id from variants v where v.shop_id = %(shop)s and v.gtin14 = %(gtin)s::bpchar
    union select v.product_id from variants v
     where v.shop_id = %(shop)s and ltrim(v.upc, '0') = %(upc)s::text and v.upc <> ''
    union select v.product_id from variants v where v.shop_id = %(shop)s and v.id = %(id)s
    union select p.id from products p where p.shop_id = %(shop)s and p.id = %(id)s
    order by 1 limit %(most)s
"""
