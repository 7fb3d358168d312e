"""Embed campaigns: what a relationship sells on other people's pages (spec shoppex_reseller 6.8, 8.6).

| from | to |
|---|---|
| active | paused, revoked |
| paused | active, revoked |
| revoked | nothing; only its name may change |

Nothing is ever deleted: what a campaign earned is reported for ever.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound, Refused
from crossdock.kit.crypto import SecretBox
from crossdock.kit.paging import PlacePage
from crossdock.shop.events import ResellerCampaignCreated, write_event
from crossdock.shop.resellers.model import EARNS, Mode, Status

CampaignStatus = Literal["active", "paused", "revoked"]
NAME_MAX = 120
_SIGNATURE_LENGTH = 40


class CampaignSums(msgspec.Struct, frozen=True, kw_only=True):
    """How often a campaign was shown and followed; lines that it sold, less what was refunded of them."""

    views: int
    clicks: int
    sales: int
    revenue_minor: int
    commission_minor: int


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign. Without products and variants it is for all that its relationship may sell.

    `public_token` is what an order names it by: its id, and a signature.
    """

    id: int
    reseller_id: int
    name: str
    status: CampaignStatus
    product_ids: tuple[int, ...]
    variant_ids: tuple[int, ...]
    public_token: str
    attribution_code: str
    sums: CampaignSums
    paused_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewCampaign(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign begins as: its name, and the goods that it is for."""

    name: str
    product_ids: tuple[int, ...] = ()
    variant_ids: tuple[int, ...] = ()


class CampaignChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is changed; UNSET stays."""

    name: str | UnsetType = UNSET
    status: CampaignStatus | UnsetType = UNSET


async def create_campaign(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    campaign: NewCampaign,
    write_id: Callable[[int], str],
    box: SecretBox,
    now: datetime,
) -> Campaign:
    """Begin a campaign of an active relationship; `write_id` writes its number as others know it.

    Raises NotFound `not_found`; Conflict `reseller_state` unless the relationship is active; Refused
    `program_disabled`, and `reseller_mode` for one that earns no commission; Invalid `invalid_input` with `field`
    and `place` for goods that are not the shop's or are named twice; Refused `product_not_allowed` for those that
    the relationship may not sell.
    """
    values = {
        "shop": shop_id,
        "id": reseller_id,
        "products": list(campaign.product_ids),
        "variants": list(campaign.variant_ids),
    }
    found = await tx.value(_FACTS, values)
    if found is None:
        raise NotFound("not_found", "There is no such reseller.")
    facts = msgspec.convert(found, _Facts)
    _check(facts, campaign)
    name = write_id(facts.number)
    signature = box.keyed_hash(f"{shop_id} {name}", purpose="embed campaign").hex()
    token = f"{name}.{signature[:_SIGNATURE_LENGTH]}"
    chosen = {"number": facts.number, "name": campaign.name, "token": token, "now": now}
    await tx.run(_ADD, values | chosen)
    event = ResellerCampaignCreated(
        reseller_id=reseller_id,
        email=facts.email,
        name=campaign.name,
        status="active",
        product_ids=campaign.product_ids,
        variant_ids=campaign.variant_ids,
    )
    await write_event(tx, shop_id=shop_id, event=event, subject_id=facts.number, now=now)
    return await read_campaign(
        tx, shop_id=shop_id, reseller_id=reseller_id, campaign_id=facts.number
    )


async def change_campaign(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    campaign_id: int,
    changes: CampaignChanges,
    now: datetime,
) -> Campaign:
    """Rename, pause, revoke, or make it active again; the same status again changes nothing.

    Raises NotFound `not_found`; Conflict `reseller_state` for another status of a revoked one, and for one that is to
    be active while its relationship is not.
    """
    row = await tx.one(_LOCK, (shop_id, reseller_id, campaign_id))
    if row is None:
        raise NotFound("not_found", "There is no such campaign.")
    before, relationship = row
    status = before if changes.status is UNSET else changes.status
    if status != before:
        _check_move(before, status, relationship=relationship)
    await tx.run(
        _CHANGE,
        {
            "name": None if changes.name is UNSET else changes.name,
            "status": status,
            "now": now,
            "shop": shop_id,
            "id": campaign_id,
        },
    )
    return await read_campaign(
        tx, shop_id=shop_id, reseller_id=reseller_id, campaign_id=campaign_id
    )


async def read_campaign(
    tx: Transaction, *, shop_id: int, reseller_id: int, campaign_id: int
) -> Campaign:
    """A campaign of the relationship. Raises NotFound `not_found`."""
    row = await tx.one(
        f"{_SELECT} where c.shop_id = %s and c.reseller_id = %s and c.id = %s",
        (shop_id, reseller_id, campaign_id),
    )
    if row is None:
        raise NotFound("not_found", "There is no such campaign.")
    return _campaign(row)


async def list_campaigns(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    page: PlacePage,
    status: CampaignStatus | None = None,
) -> list[Campaign]:
    """A page of the relationship's campaigns, newest first; one more if there are more."""
    chosen = {"shop": shop_id, "reseller": reseller_id, "status": status}
    return [_campaign(row) for row in await tx.all(_PAGE, page.bounds() | chosen)]


async def revoke_campaigns(
    tx: Transaction, *, shop_id: int, reseller_id: int, now: datetime
) -> int:
    """Revoke every campaign of a relationship that ends, which is locked; returns how many."""
    return await tx.run(_REVOKE_ALL, {"now": now, "shop": shop_id, "reseller": reseller_id})


class _Goods(msgspec.Struct, frozen=True):
    id: int
    is_allowed: bool


class _Facts(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    email: str
    status: Status
    mode: Mode
    program_enabled: bool
    products: tuple[_Goods, ...]
    variants: tuple[_Goods, ...]


def _check(facts: _Facts, campaign: NewCampaign) -> None:
    if facts.status != "active":
        message = f"The reseller is {facts.status}."
        raise Conflict("reseller_state", message, {"status": facts.status})
    if not facts.program_enabled:
        raise Refused("program_disabled")
    if facts.mode not in EARNS:
        raise Refused("reseller_mode")
    _check_known("product_ids", campaign.product_ids, facts.products)
    _check_known("variant_ids", campaign.variant_ids, facts.variants)
    if not all(goods.is_allowed for goods in (*facts.products, *facts.variants)):
        raise Refused("product_not_allowed")


def _check_known(field: str, named: Sequence[int], found: Sequence[_Goods]) -> None:
    known = {goods.id for goods in found}
    for place, number in enumerate(named):
        if number not in known:
            data = {"field": field, "place": place}
            raise Invalid(
                "invalid_input", "There are no such goods, or they are named twice.", data
            )
        known.discard(number)


def _check_move(before: CampaignStatus, status: CampaignStatus, *, relationship: Status) -> None:
    if before == "revoked":
        raise Conflict("reseller_state", "The campaign is revoked.", {"status": before})
    if status == "active" and relationship != "active":
        message = f"The reseller is {relationship}."
        raise Conflict("reseller_state", message, {"status": relationship})


def _campaign(row: tuple[Any, ...]) -> Campaign:
    found = dict(zip(Campaign.__struct_fields__, row, strict=True))
    return msgspec.convert(found, Campaign)


# The relationship is locked, so that it does not end while a campaign of it begins.
_FACTS = """
    with own as (
        select r.*, coalesce(g.enabled, false) as program_enabled
        from resellers r left join reseller_programs g on g.shop_id = r.shop_id
        where r.shop_id = %(shop)s and r.id = %(id)s for no key update of r
    )
    select jsonb_build_object(
        'number', nextval(pg_get_serial_sequence('embed_campaigns', 'id')),
        'email', o.email, 'status', o.status, 'mode', o.mode, 'program_enabled', o.program_enabled,
        'products', coalesce((
            select jsonb_agg(jsonb_build_object(
                       'id', p.id, 'is_allowed', o.all_products or x.product_id is not null))
            from products p
            left join reseller_products x
              on x.shop_id = p.shop_id and x.reseller_id = o.id and x.product_id = p.id
            where p.shop_id = o.shop_id and p.id = any(%(products)s::bigint[])), '[]'),
        'variants', coalesce((
            select jsonb_agg(jsonb_build_object(
                       'id', v.id, 'is_allowed', o.all_products or x.product_id is not null))
            from variants v
            left join reseller_products x
              on x.shop_id = v.shop_id and x.reseller_id = o.id and x.product_id = v.product_id
            where v.shop_id = o.shop_id and v.id = any(%(variants)s::bigint[])), '[]'))
    from own o
"""
_ADD = """
    insert into embed_campaigns (shop_id, id, reseller_id, name, product_ids, variant_ids, public_token, created_at,
                                 updated_at)
    overriding system value
    values (%(shop)s, %(number)s, %(id)s, %(name)s, %(products)s, %(variants)s, %(token)s, %(now)s, %(now)s)
"""
_LOCK = """
    select c.status, r.status from resellers r
    join embed_campaigns c on c.shop_id = r.shop_id and c.reseller_id = r.id
    where r.shop_id = %s and r.id = %s and c.id = %s for no key update
"""
_CHANGE = """
    update embed_campaigns
    set name = coalesce(%(name)s::text, name), status = %(status)s, updated_at = %(now)s,
        paused_at = case %(status)s when 'paused' then coalesce(paused_at, %(now)s) when 'active' then null
                    else paused_at end,
        revoked_at = case when %(status)s = 'revoked' then coalesce(revoked_at, %(now)s) end
    where shop_id = %(shop)s and id = %(id)s
"""
_REVOKE_ALL = """
    update embed_campaigns set status = 'revoked', revoked_at = %(now)s, updated_at = %(now)s
    where shop_id = %(shop)s and reseller_id = %(reseller)s and status <> 'revoked'
"""
_SELECT = """
    select c.id, c.reseller_id, c.name, c.status, c.product_ids, c.variant_ids, c.public_token, r.attribution_code,
           s.sums, c.paused_at, c.revoked_at, c.created_at, c.updated_at
    from embed_campaigns c join resellers r on r.shop_id = c.shop_id and r.id = c.reseller_id
    cross join lateral (
        select jsonb_build_object(
                   'views', d.views, 'clicks', d.clicks, 'sales', count(b.id),
                   'revenue_minor', coalesce(sum(b.base_minor - b.refunded_minor), 0)::bigint,
                   'commission_minor', coalesce(sum(b.commission_minor - b.reversed_minor), 0)::bigint) as sums
        from (
            select coalesce(sum(n.views), 0)::bigint as views, coalesce(sum(n.clicks), 0)::bigint as clicks
            from embed_campaign_days n where n.shop_id = c.shop_id and n.campaign_id = c.id
        ) d
        left join reseller_sales b on b.shop_id = c.shop_id and b.campaign_id = c.id and b.status <> 'reversed'
        group by d.views, d.clicks
    ) s
"""
_PAGE = f"""
    {_SELECT}
    where c.shop_id = %(shop)s and c.reseller_id = %(reseller)s
      and (%(status)s::text is null or c.status = %(status)s)
      and (c.created_at, c.id) < (%(after_time)s::timestamptz, %(after_id)s)
    order by c.created_at desc, c.id desc limit %(size)s
"""
