"""Pick-up points of carriers, the nearest first."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction


class PickupPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A place where receivers collect parcels; `distance_km` is from the address asked for."""

    carrier: str
    code: str
    name: str
    street: str
    number: str
    zip_code: str
    city: str
    country: str
    latitude: Decimal
    longitude: Decimal
    hours: dict[str, Any]
    distance_km: Decimal = Decimal(0)


async def find_pickup_points(
    tx: Transaction, *, shop_id: int, zip_code: str, country: str, limit: int
) -> list[PickupPoint]:
    """The points nearest to a zip code by great-circle distance; one query.

    The centre of a zip code is the mean of its points, or of those of the code with the longest common
    prefix. Points without coordinates are left out, because no client can show them.
    """
    rows = await tx.all(
        _NEAREST,
        {
            "shop": shop_id,
            "zip": zip_code.replace(" ", "").upper(),
            "country": country,
            "limit": limit,
        },
    )
    return [
        PickupPoint(**dict(zip(PickupPoint.__struct_fields__, row, strict=True))) for row in rows
    ]


async def put_pickup_points(tx: Transaction, *, shop_id: int, points: Sequence[PickupPoint]) -> int:
    """Insert points or update those with the same carrier and code; returns how many changed."""
    rows = [{**msgspec.to_builtins(point), "zip": point.zip_code} for point in points]
    return await tx.run(_PUT, (shop_id, msgspec.json.encode(rows).decode()))


_PUT = """
    insert into pickup_points as p (shop_id, carrier, code, name, street, number, zip, city, country, latitude,
                                    longitude, hours)
    select %s, x.* from jsonb_to_recordset(%s::jsonb) as x (
        carrier text, code text, name text, street text, number text, zip text, city text, country text,
        latitude numeric, longitude numeric, hours jsonb)
    on conflict (shop_id, carrier, code) do update
    set name = excluded.name, street = excluded.street, number = excluded.number, zip = excluded.zip,
        city = excluded.city, country = excluded.country, latitude = excluded.latitude,
        longitude = excluded.longitude, hours = excluded.hours
    where (p.name, p.street, p.number, p.zip, p.city, p.country, p.latitude, p.longitude, p.hours)
       is distinct from (excluded.name, excluded.street, excluded.number, excluded.zip, excluded.city,
                         excluded.country, excluded.latitude, excluded.longitude, excluded.hours)
"""

_NEAREST = """
    with known as (
        select p.*, upper(replace(p.zip, ' ', '')) as plain from pickup_points p
        where p.shop_id = %(shop)s and p.country = %(country)s and p.enabled
          and p.latitude is not null and p.longitude is not null
    ), closeness as (
        select coalesce(max(size), 0) as size from generate_series(1, length(%(zip)s)) as size
        where exists (select 1 from known where left(known.plain, size) = left(%(zip)s, size))
    ), middle as (
        select avg(k.latitude)::double precision as latitude, avg(k.longitude)::double precision as longitude
        from known k, closeness c where c.size > 0 and left(k.plain, c.size) = left(%(zip)s, c.size)
    )
    select k.carrier, k.code, k.name, k.street, k.number, k.zip, k.city, k.country, k.latitude, k.longitude,
           k.hours, d.distance_km
    from known k, middle m, lateral (
        select (2 * 6371 * asin(sqrt(least(1, power(sin(radians(k.latitude - m.latitude) / 2), 2)
            + cos(radians(m.latitude)) * cos(radians(k.latitude))
              * power(sin(radians(k.longitude - m.longitude) / 2), 2)))))::numeric(8, 3) as distance_km
    ) d
    where m.latitude is not null
    order by d.distance_km, k.id limit %(limit)s
"""
