"""Filled carts, written directly into the tables, so that checkouts alone are measured."""

import uuid
from collections.abc import Iterator, Sequence

import psycopg

from proof.publishers import checkout
from tests.support.factories import PartnerFixture


def checkouts(
    publisher: PartnerFixture, count: int, *, baskets: Iterator[Sequence[int]], url: str
) -> list[bytes]:
    """Checkouts of so many carts, each with one unit of each variant in the next basket."""
    carts = {str(uuid.uuid4()): next(baskets) for _ in range(count)}
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy(_CARTS) as copy:
            for cart_id in carts:
                copy.write_row((publisher.shop_id, cart_id, publisher.id, *_TIMES))
        with cursor.copy(_LINES) as copy:
            for cart_id, variants in carts.items():
                for variant in variants:
                    copy.write_row((publisher.shop_id, cart_id, variant, 1, "now", "now"))
    return [checkout(publisher, cart_id) for cart_id in carts]


_CARTS = (
    "copy carts (shop_id, id, partner_id, currency, created_at, updated_at, expires_at) from stdin"
)
_LINES = "copy cart_lines (shop_id, cart_id, variant_id, quantity, added_at, updated_at) from stdin"
_TIMES = ("USD", "now", "now", "2040-01-01")


def number_carts(
    publisher: PartnerFixture, count: int, *, variants: Sequence[int], url: str
) -> None:
    """Fill carts that checkout.sql takes one after another."""
    with psycopg.connect(url) as connection:
        connection.execute(_NUMBERED)
        keys = {"shop": publisher.shop_id, "partner": publisher.id, "count": count}
        connection.execute(
            "insert into carts (shop_id, id, partner_id, currency, created_at, updated_at, expires_at)"
            " select %(shop)s, numbered_cart(g), %(partner)s, 'USD', now(), now(), '2040-01-01'"
            " from generate_series(1, %(count)s) g",
            keys,
        )
        connection.execute(
            "insert into cart_lines (shop_id, cart_id, variant_id, quantity, added_at, updated_at)"
            " select %(shop)s, numbered_cart(g), v, 1, now(), now()"
            " from generate_series(1, %(count)s) g, unnest(%(variants)s::bigint[]) v",
            {**keys, "variants": list(variants)},
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze carts, cart_lines")
        connection.execute("checkpoint")


_NUMBERED = """
    create sequence bench_carts;
    create function numbered_cart(p_number bigint) returns uuid language sql immutable as $$
        select ('00000000-0000-4000-8000-' || lpad(to_hex(p_number), 12, '0'))::uuid
    $$
"""
