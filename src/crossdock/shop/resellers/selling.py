"""The products that a reseller may sell, and what they cost it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.shop.catalogue import CustomField
from crossdock.shop.resellers.model import ProductTerms


class ResellerVariant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as a reseller buys it: `unit_minor` a unit, instead of `base_minor`; `stock` are unsold serials
    that may be sold.

    `base_minor` is None where only a price was agreed.
    """

    id: int
    name: str
    base_minor: int | None
    unit_minor: int
    stock: int


class ResellerProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product of serials that is delivered to a reseller's own shop, with its variants by their place.

    `has_variants`: one of them must be named. `discount_bp` is the discount on all of them, None where a
    price was agreed. `custom_fields` are filled in with an order.
    """

    id: int
    name: str
    has_variants: bool
    discount_bp: int | None
    custom_fields: tuple[CustomField, ...]
    variants: tuple[ResellerVariant, ...]


class ResellerProducts(msgspec.Struct, frozen=True, kw_only=True):
    """A page of products; `total` are all."""

    total: int
    products: tuple[ResellerProduct, ...]


async def list_products(
    tx: Transaction, *, shop_id: int, partner_id: int, now: datetime, limit: int, offset: int
) -> ResellerProducts:
    """What the caller's relationship may have delivered, by id."""
    rows = await tx.all(
        _PRODUCTS,
        {
            "shop": shop_id,
            "partner": partner_id,
            "now": now,
            "limit": limit,
            "offset": offset,
        },
    )
    total = rows[0][0] if rows else 0
    found = [row[1] for row in rows if row[1] is not None]
    return ResellerProducts(
        total=total, products=msgspec.convert(found, tuple[ResellerProduct, ...])
    )


async def check_products(
    tx: Transaction, *, shop_id: int, products: Sequence[ProductTerms] | None
) -> None:
    """Raise Invalid `invalid_input`, by its place, for a product that is named twice, is not the shop's, or has
    bounds of which the upper one is below the lower one."""
    if not products:
        return
    known = {
        row[0]
        for row in await tx.all(
            "select id from products where shop_id = %s and id = any(%s)",
            (shop_id, [terms.product_id for terms in products]),
        )
    }
    for place, terms in enumerate(products):
        if terms.crossed:
            data = {"field": "products", "place": place, "names": list(terms.crossed)}
            raise Invalid("invalid_input", "An upper bound is below its lower one.", data)
        if terms.product_id not in known:
            data = {"field": "products", "place": place, "product_id": terms.product_id}
            raise Invalid("invalid_input", "There is no such product, or it is named twice.", data)
        known.discard(terms.product_id)


async def set_products(
    tx: Transaction, *, shop_id: int, reseller_id: int, products: Sequence[ProductTerms] | None
) -> None:
    """Replace the products of a relationship, which is locked; None is every product.

    A product that was removed since it was invited is left out.
    """
    await tx.run(
        "delete from reseller_products where shop_id = %s and reseller_id = %s",
        (shop_id, reseller_id),
    )
    if products:
        values = (reseller_id, msgspec.json.encode(products).decode(), shop_id)
        await tx.run(_ADD, values)


_ADD = """
    insert into reseller_products (shop_id, reseller_id, product_id, commission_bp, wholesale_minor, min_quantity,
                                   max_quantity, auto_fulfilled, min_resale_minor, max_resale_minor)
    select p.shop_id, %s, x.product_id, x.commission_bp, x.wholesale_minor, x.min_quantity, x.max_quantity,
           x.auto_fulfilled, x.min_resale_minor, x.max_resale_minor
    from jsonb_to_recordset(%s::jsonb) as x (
        product_id bigint, commission_bp integer, wholesale_minor bigint, min_quantity bigint, max_quantity bigint,
        auto_fulfilled boolean, min_resale_minor bigint, max_resale_minor bigint)
    join products p on p.id = x.product_id
    where p.shop_id = %s
"""
_PRODUCTS = """
    with caller as (
        select r.*, s.currency, coalesce(r.discount_bp, g.default_discount_bp) as rate_bp
        from resellers r join shops s on s.id = r.shop_id
        left join reseller_programs g on g.shop_id = r.shop_id
        where r.shop_id = %(shop)s and r.partner_id = %(partner)s
    ), found as materialized (
        select p.id, p.name, has_variants(p) as has_variants, p.custom_fields, v.variants,
               case when x.wholesale_minor is null then coalesce(c.rate_bp, 0) end as discount_bp
        from caller c join products p on p.shop_id = c.shop_id and p.enabled
        left join reseller_products x
          on x.shop_id = p.shop_id and x.reseller_id = c.id and x.product_id = p.id
        cross join lateral (
            select jsonb_agg(jsonb_build_object(
                       'id', o.id, 'name', o.name, 'base_minor', o.price_minor, 'stock', greatest(o.own, 0),
                       'unit_minor', wholesale_price(o.price_minor, x.wholesale_minor, c.rate_bp))
                       order by o.place, o.id) as variants
            from offers(c.shop_id, null, c.currency, null, false, true, %(now)s) o
            where o.product_id = p.id and o.enabled and o.visible
              and is_serial_variant(c.shop_id, o.id, p.virtual, p.sold_without_stock, o.managed)
              and wholesale_price(o.price_minor, x.wholesale_minor, c.rate_bp) is not null
        ) v
        where v.variants is not null and coalesce(x.auto_fulfilled, c.all_products)
    )
    select t.total, page.product
    from (select count(*) as total from found) t
    left join lateral (
        select f.id, to_jsonb(f) || jsonb_build_object('variants', (
                   select jsonb_agg(e.variant || jsonb_build_object('stock', count_unsold_serials(
                              %(shop)s, (e.variant ->> 'id')::bigint, (e.variant ->> 'stock')::bigint))
                              order by e.place)
                   from jsonb_array_elements(f.variants) with ordinality as e (variant, place))) as product
        from (select * from found order by id limit %(limit)s offset %(offset)s) f
    ) page on true
    order by page.id
"""
