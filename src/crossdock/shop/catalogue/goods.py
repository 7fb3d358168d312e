"""Goods as a shopper sees them: products with their variants, prices, coupons, and their merchants' terms."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.offers import LOWEST, OFFERS, offer_terms
from crossdock.shop.catalogue.records import DayRange, ShippingTerm, TargetUsers
from crossdock.shop.catalogue.selling import MerchantTerms
from crossdock.shop.catalogue.showcase import ShownImage
from crossdock.shop.partners import Partner
from crossdock.shop.pricing import LowestPrice
from crossdock.shop.shops import product_page


class GoodsCategory(msgspec.Struct, frozen=True, kw_only=True):
    """A category that a product is in; `path` has the names from the root down to it."""

    id: int
    path: tuple[str, ...]


class GoodsVariant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant that the caller sees; amounts are minor units of the caller's currency.

    `can_buy` says whether any can be bought now. `lowest` is what a unit costs after sales and coupons.
    """

    id: int
    sku: str
    merchant_sku: str
    part_number: str
    upc: str
    name: str
    options: dict[str, str]
    attributes: dict[str, str]
    image: str | None
    weight_g: int
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    can_buy: bool
    retail_minor: int
    lowest: LowestPrice


class Goods(msgspec.Struct, frozen=True, kw_only=True):
    """A product with the variants that the caller sees, at least one, in the product's order.

    `shipping_each_minor` is asked for each unit beside the merchant's flat rate; `shipping_terms` have
    other prices and times for some countries, `ships_to` is empty where all are shipped to.
    """

    id: int
    handle: str
    name: str
    brand: str
    description: str
    attributes: dict[str, str]
    images: tuple[ShownImage, ...]
    categories: tuple[GoodsCategory, ...]
    merchant_id: int
    merchant: str
    terms: MerchantTerms
    shipping_each_minor: int
    free_shipping: bool
    shipping_days: DayRange | None
    shipping_terms: tuple[ShippingTerm, ...]
    ships_to: tuple[str, ...]
    target_users: TargetUsers
    features: tuple[str, ...]
    product_url: str
    variants: tuple[GoodsVariant, ...]

    def page(self, variant: GoodsVariant) -> str:
        """The variant's page in the shop, '' where the shop has none."""
        return product_page(self.product_url, handle=self.handle, sku=variant.sku)

    def ships_free(self, variant: GoodsVariant) -> bool:
        """Whether a unit is shipped for nothing: by the product, or by a coupon."""
        return self.free_shipping or variant.lowest.ships_free

    def shipping_minor(self, variant: GoodsVariant) -> int:
        """What is asked for shipping a unit, beside the merchant's flat rate."""
        return 0 if self.ships_free(variant) else self.shipping_each_minor

    def pictures(self, variant: GoodsVariant) -> list[str]:
        """The variant's own pictures, then those that show no single variant."""
        own = [variant.image] if variant.image else []
        own += [image.url for image in self.images if image.variant_id == variant.id]
        shared = [image.url for image in self.images if image.variant_id is None]
        return list(dict.fromkeys([*own, *shared]))


async def read_goods(
    tx: Transaction,
    *,
    partner: Partner,
    product_ids: Sequence[int],
    now: datetime,
    own_requires_stock: bool = False,
) -> list[Goods]:
    """The products as this caller sees them, in the order asked; what it does not see is left out."""
    if not product_ids:
        return []
    terms = offer_terms(partner, now=now, own_requires_stock=own_requires_stock)
    rows = await tx.all(_GOODS, terms | {"products": list(product_ids)})
    return [_decode(text) for (text,) in rows]


async def products_with_barcodes(
    tx: Transaction, *, partner: Partner, barcodes: Sequence[str]
) -> list[int]:
    """The ids of the products that have one of these numbers, in the order of the numbers.

    UPC, EAN and GTIN of one item are the same number with zeros in front; several merchants' products
    may have it.
    """
    digits = [text for text in barcodes if text.isascii() and text.isdigit()]
    rows = await tx.all(
        _WITH_BARCODES,
        {"shop": partner.shop_id, "merchants": partner.merchant_ids, "barcodes": digits},
    )
    return [product_id for (product_id,) in rows]


_decode = msgspec.json.Decoder(Goods).decode

# json, not jsonb: the text is all that is wanted, and making it directly costs a third less.
_VARIANTS: Final = f"""
    select json_agg(json_build_object(
               'id', o.id, 'sku', o.sku, 'merchant_sku', v.merchant_sku, 'part_number', v.part_number,
               'upc', o.upc, 'name', o.name, 'options', v.options, 'attributes', v.attributes,
               'image', o.image, 'weight_g', o.weight_g, 'length_mm', v.length_mm, 'width_mm', v.width_mm,
               'height_mm', v.height_mm, 'can_buy', o.allowed and coalesce(o.quantity, 1) > 0,
               'retail_minor', coalesce(o.retail_minor, o.price_minor), 'lowest', to_json(lowest))
           order by o.place, o.id) as variants
    from {OFFERS} o
    join variants v on v.shop_id = %(shop)s and v.id = o.id
    cross join lateral {LOWEST} lowest
    where o.product_id = p.id and o.visible
"""
_GOODS: Final = f"""
    select json_build_object(
        'id', p.id, 'handle', p.handle, 'name', p.name, 'brand', p.brand, 'description', p.description,
        'attributes', p.attributes, 'shipping_each_minor', p.shipping_minor, 'free_shipping', is_shipped_free(p),
        'shipping_days', p.shipping_days, 'shipping_terms', p.shipping_terms, 'ships_to', countries_served(p),
        'target_users', p.target_users, 'features', p.features,
        'product_url', s.product_url, 'merchant_id', m.id, 'merchant', m.name,
        'terms', merchant_terms(m),
        'images', coalesce((
            select json_agg(json_build_object(
                'url', coalesce(i.image ->> 'url', ''), 'alt', coalesce(i.image ->> 'alt', ''),
                'variant_id', (select x.id from variants x where x.shop_id = p.shop_id and x.product_id = p.id
                               and x.sku = i.image ->> 'variant_sku' limit 1)) order by i.place)
            from jsonb_array_elements(p.images) with ordinality as i (image, place)), '[]'::json),
        'categories', coalesce((
            select json_agg(json_build_object('id', c.id, 'path', (
                select json_agg(k.name order by k.depth) from categories k
                where k.shop_id = c.shop_id and k.id = any(c.id_path))) order by c.depth desc, c.id)
            from product_categories pc join categories c on c.shop_id = pc.shop_id and c.id = pc.category_id
            where pc.shop_id = p.shop_id and pc.product_id = p.id), '[]'::json),
        'variants', sold.variants)::text
    from unnest(%(products)s::bigint[]) with ordinality as w (id, place)
    join products p on p.shop_id = %(shop)s and p.id = w.id
    join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
    join shops s on s.id = p.shop_id
    cross join lateral ({_VARIANTS}) sold
    where sold.variants is not null
    order by w.place
"""
_WITH_BARCODES: Final = """
    select v.product_id
    from unnest(%(barcodes)s::text[]) with ordinality as w (barcode, place)
    cross join lateral (
        select x.product_id from variants x
        where x.shop_id = %(shop)s and x.gtin14 = lpad(w.barcode, 14, '0')::char(14) and length(w.barcode) <= 14
          and x.listed and sees_merchant(%(merchants)s::bigint[], x.merchant_id)
        union
        select x.product_id from variants x
        where x.shop_id = %(shop)s and x.upc <> '' and ltrim(x.upc, '0') = ltrim(w.barcode, '0')
          and x.listed and sees_merchant(%(merchants)s::bigint[], x.merchant_id)
    ) v
    group by v.product_id
    order by min(w.place), v.product_id
"""
