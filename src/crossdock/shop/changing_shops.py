"""Change a shop, and tell those who keep what depends on it."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue import tell_all_changed
from crossdock.shop.partners import touch_partners
from crossdock.shop.shops import (
    Shop,
    read_shop_by_id,
    set_logo,
    set_product_url,
    set_profile,
    set_time_zone,
)


async def change_shop(
    tx: Transaction,
    *,
    shop_id: int,
    now: datetime,
    name: str | None = None,
    country: str | None = None,
    languages: tuple[str, ...] | None = None,
    time_zone: str | None = None,
    product_url: str | None = None,
    logo: str | None = None,
) -> Shop:
    """Change what is given, from the partners' next request on; stored prices and orders stay as they are.

    `logo` is the file of one of the shop's own images, '' for none.

    Raises Invalid `invalid_input`; nothing is written then.
    """
    is_news = await set_profile(
        tx, shop_id=shop_id, name=name, country=country, languages=languages
    )
    if time_zone is not None:
        is_news |= await set_time_zone(tx, shop_id=shop_id, time_zone=time_zone)
    if is_news:
        await touch_partners(tx, shop_id=shop_id)
    if logo is not None:
        await set_logo(tx, shop_id=shop_id, logo=logo)
    if product_url is not None and await set_product_url(tx, shop_id=shop_id, template=product_url):
        await tell_all_changed(tx, shop_id=shop_id, now=now)
    return await read_shop_by_id(tx, shop_id=shop_id)
