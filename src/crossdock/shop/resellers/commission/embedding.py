"""What a campaign shows on pages of others, and how often it was shown and followed (spec shoppex_reseller 6.8)."""

from datetime import datetime
from typing import Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.shop.shops import product_page

PRODUCTS_MAX = 50
Seen = Literal["view", "click"]


class EmbedProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product of a campaign; `price_minor` is the lowest of its variants, `page` is in the shop, or ''."""

    id: int
    name: str
    price_minor: int
    handle: str
    sku: str
    is_available: bool
    page: str = ""


class Embed(msgspec.Struct, frozen=True, kw_only=True):
    """An active campaign with up to PRODUCTS_MAX products that are for sale, by name."""

    shop_id: int
    campaign_id: int
    shop_name: str
    currency: str
    product_url: str
    products: tuple[EmbedProduct, ...]


async def read_embed(tx: Transaction, *, token: str, now: datetime) -> Embed:
    """What the campaign of this public token shows. Raises NotFound `not_found` for one that earns nothing now."""
    found = await tx.value(_EMBED, {"token": token, "now": now, "most": PRODUCTS_MAX})
    if found is None:
        raise NotFound("not_found", "There is no such campaign.")
    embed = msgspec.convert(found, Embed)
    products = tuple(
        msgspec.structs.replace(
            each, page=product_page(embed.product_url, handle=each.handle, sku=each.sku)
        )
        for each in embed.products
    )
    return msgspec.structs.replace(embed, products=products)


async def count_seen(tx: Transaction, *, token: str, seen: Seen, now: datetime) -> bool:
    """Count that an active campaign was shown or followed; False for any other token."""
    is_click = seen == "click"
    values = {"token": token, "views": int(not is_click), "clicks": int(is_click), "now": now}
    return await tx.run(_COUNT, values) == 1


_EMBED = """
    with campaign as (
        select c as row, c.shop_id, c.id, r.id as reseller_id, r.all_products, s.currency, s.name, s.product_url
        from embed_campaigns c
        join resellers r on r.shop_id = c.shop_id and r.id = c.reseller_id
        join reseller_programs g on g.shop_id = c.shop_id
        join shops s on s.id = c.shop_id
        where c.public_token = %(token)s and c.status = 'active' and r.status = 'active'
          and r.mode in ('affiliate', 'both') and g.enabled
    )
    select jsonb_build_object(
        'shop_id', c.shop_id, 'campaign_id', c.id, 'shop_name', c.name, 'currency', c.currency,
        'product_url', c.product_url, 'products', coalesce((
            select jsonb_agg(to_jsonb(f) order by f.name, f.id) from (
                select p.id, p.name, p.handle, min(o.price_minor) as price_minor,
                       (array_agg(o.sku order by o.place, o.id))[1] as sku,
                       bool_or(not o.managed or greatest(o.own, 0) + greatest(o.supplier, 0) > 0) as is_available
                from products p
                left join reseller_products x
                  on x.shop_id = p.shop_id and x.reseller_id = c.reseller_id and x.product_id = p.id
                cross join lateral (
                    select v.* from offers(c.shop_id, null, c.currency, null, false, true, %(now)s) v
                    where v.product_id = p.id and v.enabled and v.visible and v.price_minor is not null
                      and campaign_has(c.row, p.id, v.id)
                ) o
                where p.shop_id = c.shop_id and p.enabled and (c.all_products or x.product_id is not null)
                group by p.id, p.name, p.handle order by p.name, p.id limit %(most)s
            ) f), '[]'))
    from campaign c
"""
_COUNT = """
    insert into embed_campaign_days as d (shop_id, campaign_id, day, views, clicks)
    select c.shop_id, c.id, (%(now)s::timestamptz at time zone 'UTC')::date, %(views)s, %(clicks)s
    from embed_campaigns c join resellers r on r.shop_id = c.shop_id and r.id = c.reseller_id
    where c.public_token = %(token)s and c.status = 'active' and r.status = 'active'
    on conflict (shop_id, campaign_id, day)
    do update set views = d.views + excluded.views, clicks = d.clicks + excluded.clicks
"""
