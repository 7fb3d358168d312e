"""What stands beside an order on its page: the stock of its lines, its tickets, who ordered, what its channel kept."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.orders import OrderView
from crossdock.shop.partners import list_partners
from crossdock.shop.people import Person
from crossdock.shop.stock import Level, read_levels_of
from crossdock.shop.tickets import Ticket, list_order_tickets


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """`levels` by variant; `partner` is '' where staff took the order down; `kept` by name, with its line's number."""

    levels: Mapping[int, list[Level]]
    tickets: list[Ticket]
    partner: str
    kept: list[tuple[str, int | None, str]]


async def read_beside(tx: Transaction, *, order: OrderView, person: Person) -> Beside:
    """What this person may see of it."""
    shop_id, levels, tickets, partner = order.shop_id, {}, list[Ticket](), ""
    if person.may("products.read"):
        variants = [line.variant_id for line in order.lines]
        levels = await read_levels_of(tx, shop_id=shop_id, variant_ids=variants)
    if person.may("tickets.read"):
        tickets = await list_order_tickets(tx, shop_id=shop_id, order_id=order.id)
    if order.partner_id is not None:
        found = await list_partners(tx, shop=person.shop, partner_id=order.partner_id)
        partner = found[0].name if found else ""
    return Beside(levels=levels, tickets=tickets, partner=partner, kept=list(_kept(order)))


def _kept(order: OrderView) -> Iterator[tuple[str, int | None, str]]:
    """What the channel keeps with the order, then with each line; empty values say nothing."""
    yield from ((name, None, text) for name, text in _texts(order.channel_data))
    for line in order.lines:
        yield from ((name, line.line_no, text) for name, text in _texts(line.channel_data))


def _texts(kept: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in kept.items():
        if value not in ("", None, [], {}):
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
