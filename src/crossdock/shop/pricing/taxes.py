"""Taxes that are added to prices where goods go: an interface, and a table of rates as its default."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.kit.countries import read_country
from crossdock.kit.money import share_bp


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where the goods go: ISO 3166-1 alpha-2, the state as the address has it, '' for none."""

    country: str
    state: str = ""
    postcode: str = ""


class Taxable(msgspec.Struct, frozen=True, kw_only=True):
    """What is taxed of one line, in minor units: its goods after discounts, its share of the shipping."""

    variant_id: int
    goods_minor: int
    shipping_minor: int


class Taxes(Protocol):
    """Whoever knows the taxes. It may call out, so it is never asked inside a transaction."""

    async def of_lines(
        self, *, shop_id: int, currency: str, to: Destination, lines: Sequence[Taxable]
    ) -> list[int]:
        """The tax of each line in minor units, in their order; the order's tax is their sum."""


class TaxRate(msgspec.Struct, frozen=True, kw_only=True):
    """The rate of a state, or with `state` '' of a whole country, in basis points."""

    country: str
    state: str
    rate_bp: int
    taxes_shipping: bool = False


class TaxTable:
    """Rates by region in a table: the state's, else its country's, else nothing.

    A line's tax is rounded half up by itself, so that the taxes of lines, parts and the order always
    add up, and a line that comes back takes its own tax with it.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_lines(
        self, *, shop_id: int, currency: str, to: Destination, lines: Sequence[Taxable]
    ) -> list[int]:
        """The tax of each line, at the rate of where it goes."""
        async with self._db.statement() as tx:
            rate = await _rate_for(tx, shop_id=shop_id, to=to)
        return [tax_of(line, rate=rate) for line in lines]


def tax_of(line: Taxable, *, rate: TaxRate | None) -> int:
    """The tax of one line in minor units, rounded half up; without a rate there is none."""
    if rate is None:
        return 0
    taxed = line.goods_minor + (line.shipping_minor if rate.taxes_shipping else 0)
    return share_bp(taxed, rate.rate_bp)


async def set_tax_rate(tx: Transaction, *, shop_id: int, rate: TaxRate) -> TaxRate:
    """Set the rate of a region. Raises Invalid `invalid_input` with the `field`."""
    country = read_country(rate.country)
    if not 0 <= rate.rate_bp <= 10_000:
        raise Invalid("invalid_input", "A rate is 0 to 100 percent.", {"field": "rate"})
    kept = msgspec.structs.replace(rate, country=country, state=_plain(rate.state))
    await tx.run(
        "insert into tax_rates (shop_id, country, state, rate_bp, taxes_shipping) values (%s, %s, %s, %s, %s)"
        " on conflict (shop_id, country, state) do update"
        " set rate_bp = excluded.rate_bp, taxes_shipping = excluded.taxes_shipping",
        (shop_id, kept.country, kept.state, kept.rate_bp, kept.taxes_shipping),
    )
    return kept


async def remove_tax_rate(tx: Transaction, *, shop_id: int, country: str, state: str) -> None:
    """Take a rate away. Raises NotFound `not_found`."""
    removed = await tx.run(
        "delete from tax_rates where shop_id = %s and country = %s and state = %s",
        (shop_id, country.strip().upper(), _plain(state)),
    )
    if not removed:
        raise NotFound("not_found", "There is no rate of this region.")


async def list_tax_rates(tx: Transaction, *, shop_id: int) -> list[TaxRate]:
    """The shop's rates by country and state."""
    rows = await tx.all(
        "select country, state, rate_bp, taxes_shipping from tax_rates where shop_id = %s order by 1, 2",
        (shop_id,),
    )
    return [_rate(row) for row in rows]


async def _rate_for(tx: Transaction, *, shop_id: int, to: Destination) -> TaxRate | None:
    row = await tx.one(
        "select country, state, rate_bp, taxes_shipping from tax_rates"
        " where shop_id = %s and country = %s and state = any(%s) order by state desc limit 1",
        (shop_id, to.country.strip().upper(), ["", _plain(to.state)]),
    )
    return None if row is None else _rate(row)


def _rate(row: tuple[str, str, int, bool]) -> TaxRate:
    return TaxRate(country=row[0], state=row[1], rate_bp=row[2], taxes_shipping=row[3])


def _plain(state: str) -> str:
    return state.strip().upper()
