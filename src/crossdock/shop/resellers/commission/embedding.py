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


# Products are taken in the order of their names and looked at one by one until there are enough, so that offers are
# read of what is shown alone. A campaign that names its goods reads no other product.
_EMBED = """
    with campaign as materialized (
        select c as row, c.shop_id, c.id, c.reseller_id, r.all_products, s.currency, s.name, s.product_url
        from embed_campaigns c
        join resellers r on r.shop_id = c.shop_id and r.id = c.reseller_id
        join reseller_programs g on g.shop_id = c.shop_id
        join shops s on s.id = c.shop_id
        where c.public_token = %(token)s and c.status = 'active' and r.status = 'active'
          and r.mode in ('affiliate', 'both') and g.enabled and s.suspended_at is null
    ), named as materialized (
        select unnest((c.row).product_ids) as id from campaign c
        union
        select v.product_id from campaign c join variants v
          on v.shop_id = c.shop_id and v.id = any((c.row).variant_ids)
    ), agreed as materialized (
        select x.product_id as id from campaign c join reseller_products x
          on x.shop_id = c.shop_id and x.reseller_id = c.reseller_id
        where not c.all_products
    ), chosen as (
        select p.shop_id, p.id, p.name, p.handle
        from campaign c join products p on p.shop_id = c.shop_id and p.id in (select n.id from named n)
        where p.enabled and (c.all_products or p.id in (select a.id from agreed a))
        union all
        select p.shop_id, p.id, p.name, p.handle
        from campaign c join products p on p.shop_id = c.shop_id and p.id in (select a.id from agreed a)
        where p.enabled and not c.all_products and not exists (select 1 from named)
        union all
        select p.shop_id, p.id, p.name, p.handle from campaign c join products p on p.shop_id = c.shop_id
        where p.enabled and c.all_products and not exists (select 1 from named)
    ), found as (
        select p.id, p.name, p.handle, o.price_minor, o.sku, o.is_available
        from (select * from chosen order by name, id) p
        cross join campaign c
        cross join lateral (
            select min(v.price_minor) as price_minor, (array_agg(v.sku order by v.place, v.id))[1] as sku,
                   bool_or(not v.managed or greatest(v.own, 0) + greatest(v.supplier, 0) > 0) as is_available
            from offers(p.shop_id, null, c.currency, null, false, true, %(now)s) v
            where v.product_id = p.id and v.enabled and v.visible and v.price_minor is not null
              and campaign_has(c.row, p.id, v.id)
            having count(*) > 0
        ) o
        limit %(most)s
    )
    select jsonb_build_object(
        'shop_id', c.shop_id, 'campaign_id', c.id, 'shop_name', c.name, 'currency', c.currency,
        'product_url', c.product_url,
        'products', coalesce((select jsonb_agg(to_jsonb(f) order by f.name, f.id) from found f), '[]'))
    from campaign c
"""
_COUNT = """
    insert into embed_campaign_days as d (shop_id, campaign_id, day, views, clicks)
    select c.shop_id, c.id, (%(now)s::timestamptz at time zone 'UTC')::date, %(views)s, %(clicks)s
    from embed_campaigns c join resellers r on r.shop_id = c.shop_id and r.id = c.reseller_id
    join shops s on s.id = c.shop_id
    where c.public_token = %(token)s and c.status = 'active' and r.status = 'active' and s.suspended_at is null
    on conflict (shop_id, campaign_id, day)
    do update set views = d.views + excluded.views, clicks = d.clicks + excluded.clicks
"""
