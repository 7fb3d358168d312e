"""What a tracking number shows of a parcel: no names, no streets, no contents."""

from datetime import datetime
from typing import Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.shop.warehouse.carriers.demo import DemoCarrier
from crossdock.shop.warehouse.carriers.numbers import is_tracking_number
from crossdock.shop.warehouse.tracking import Checkpoint

CHECKPOINTS_MAX = 100


class FollowedParcel(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel on its way to a city, with its newest checkpoints, the oldest of them first.

    `labelled` is a label that belongs to no order: nobody asks where its parcel is. `since` is when
    the parcel was handed over, or that label made. `country` is ISO 3166 alpha-2 as it was given, and `language`
    that of the order or label.
    """

    shop_name: str
    shop_logo: str
    shop_languages: tuple[str, ...]
    language: str
    carrier: str
    service: str
    state: Literal["labelled", "shipped", "delivered"]
    since: datetime
    city: str
    country: str
    checkpoints: tuple[Checkpoint, ...]


async def follow_parcel(tx: Transaction, *, tracking_number: str) -> FollowedParcel:
    """The parcel of a number whose page is on this server; one statement, an index look-up a shop.

    Parcels of a shop that is suspended are not there. Numbers of carriers with pages of their own are not known
    here: they may be easy to guess.
    Raises NotFound `not_found`.
    """
    row = None
    if is_tracking_number(tracking_number):
        wanted = {
            "carrier": DemoCarrier.name,
            "number": tracking_number,
            "checkpoints": CHECKPOINTS_MAX,
        }
        row = await tx.one(_PARCEL, wanted)
    if row is None:
        raise NotFound("not_found", "There is no such parcel.")
    values = dict(zip(FollowedParcel.__struct_fields__, row, strict=True))
    return msgspec.convert(values, FollowedParcel)


# `<> ''` is what the index on packages asks for; a shop at a time, because its number leads there.
_PARCEL = """
    select s.name, s.logo, s.languages, coalesce(p.language, ''),
           p.carrier, p.service, p.state, p.since, coalesce(p.receiver ->> 'city', ''),
           coalesce(p.receiver ->> 'country', ''), coalesce(c.seen, '[]')
    from shops s
    cross join lateral (
        select k.id, k.carrier, k.service, k.state, k.shipped_at as since,
               o.shipping as receiver, o.language
        from packages k left join orders o on o.shop_id = k.shop_id and o.id = k.order_id
        where k.shop_id = s.id and s.suspended_at is null and k.carrier = %(carrier)s and k.tracking_number = %(number)s
          and k.tracking_number <> '' and k.state in ('shipped', 'delivered')
        union all
        select null, m.carrier, m.service, 'labelled', m.created_at, m.receiver, m.language
        from manual_labels m
        where m.shop_id = s.id and s.suspended_at is null and m.carrier = %(carrier)s and m.tracking_number = %(number)s
    ) p
    left join lateral (
        select jsonb_agg(jsonb_build_object(
                   'code', n.code, 'happened_at', n.happened_at, 'message', n.message, 'place', n.place)
                   order by n.happened_at, n.id) as seen
        from (select * from checkpoints x where x.shop_id = s.id and x.package_id = p.id
              order by x.happened_at desc, x.id desc limit %(checkpoints)s) n
    ) c on true
    limit 1
"""
