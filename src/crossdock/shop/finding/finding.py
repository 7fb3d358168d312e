"""Search over everything that staff work with. Each kind of thing is looked up by its own indexes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.numbers import read_number
from crossdock.shop.catalogue import find_products
from crossdock.shop.orders import BoardFilters, BoardRow, read_board
from crossdock.shop.people import Person, Right

HitKind = Literal["order", "product", "customer", "merchant", "partner", "ticket", "mail", "person"]
HITS_MAX: Final = 10
"""Of each kind."""

_SEARCH_MAX: Final = 200
_NAME_MIN: Final = 2
_LAST_LETTER: Final = "\U0010ffff"
_RIGHTS: Final[dict[HitKind, Right]] = {
    "order": "orders.read",
    "product": "products.read",
    "customer": "customers.read",
    "merchant": "products.read",
    "partner": "partners.manage",
    "ticket": "tickets.read",
    "mail": "mail.read",
    "person": "people.manage",
}


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was found: what it is called, and what tells it from others of that name."""

    kind: HitKind
    id: int
    title: str
    detail: str


async def find_anything(
    tx: Transaction, *, person: Person, text: str, now: datetime, limit: int = HITS_MAX
) -> tuple[list[BoardRow], list[Hit]]:
    """The orders, and everything else, that a text finds, the newest first within a kind; three statements.

    An order is found by its number, its partner's, a tracking number, a SKU, or its customer's e-mail;
    a product by any number on the goods, or how its name begins; a customer by e-mail, or how the name or
    the company begins; a ticket by number, e-mail or last name; a mail by its reader's address; merchants,
    partners and people by how name or address begin, a merchant by number and slug as well. What the
    person has no right to read is not looked for.
    """
    search = text.replace("\x00", "").strip()[:_SEARCH_MAX]
    if not search:
        return [], []
    shop_id, size = person.shop_id, min(limit, HITS_MAX)
    orders: list[BoardRow] = []
    if person.may(_RIGHTS["order"]):
        filters = BoardFilters(view="all", search=search)
        orders, _more = await read_board(tx, shop_id=shop_id, filters=filters, limit=size, now=now)
    numbered: Sequence[int] = ()
    if person.may(_RIGHTS["product"]):
        numbered = (await find_products(tx, shop_id=shop_id, number=search))[:size]
    rows = await tx.all(_ANYTHING, _values(person, search, numbered=numbered, size=size))
    names = Hit.__struct_fields__
    return orders, [msgspec.convert(dict(zip(names, row, strict=True)), Hit) for row in rows]


def _values(person: Person, search: str, *, numbered: Sequence[int], size: int) -> dict[str, Any]:
    folded = search.lower()
    may = {f"may_{kind}": person.may(right) for kind, right in _RIGHTS.items()}
    return may | {
        "shop": person.shop_id,
        "number": read_number(search) or 0,
        "exact": folded,
        # one letter begins too many names
        "begins": folded if len(search) >= _NAME_MIN else None,
        "end": folded + _LAST_LETTER,
        "numbered": list(numbered),
        "size": size,
    }


# Each that was found is read by its number, whatever the planner expects of how many there are.
_ANYTHING = """
    (select 'product' as kind, p.id, p.name, p.handle from (
          select unnest(%(numbered)s::bigint[]) as id
          union (select n.id from products n
           where n.shop_id = %(shop)s
             and lower(n.name) ~>=~ %(begins)s::text and lower(n.name) ~<~ %(end)s::text
           order by lower(n.name) using ~<~ limit %(size)s)) f
      cross join lateral (
          select * from products where shop_id = %(shop)s and id = f.id limit 1) p
      where %(may_product)s
      order by p.id desc limit %(size)s)
    union all
    (select 'customer', c.id,
            coalesce(nullif(trim(concat_ws(' ', c.first_name, c.last_name)), ''), nullif(c.company, ''), c.email),
            c.email
       from (
          select e.id from customers e
           where e.shop_id = %(shop)s and lower(e.email) = %(exact)s and e.deleted_at is null
          union (select e.id from customers e
           where e.shop_id = %(shop)s and lower(e.last_name) ~>=~ %(begins)s::text
             and lower(e.last_name) ~<~ %(end)s::text limit %(size)s)
          union (select e.id from customers e
           where e.shop_id = %(shop)s and e.company <> '' and lower(e.company) ~>=~ %(begins)s::text
             and lower(e.company) ~<~ %(end)s::text limit %(size)s)) f
      cross join lateral (
          select * from customers where shop_id = %(shop)s and id = f.id limit 1) c
      where %(may_customer)s and c.deleted_at is null
      order by c.id desc limit %(size)s)
    union all
    (select 'ticket', t.id, concat_ws(' ', t.first_name, t.last_name), left(t.reason, 90) from (
          select %(number)s::bigint as id
          union (select m.id from tickets m
           where m.shop_id = %(shop)s and lower(m.email) = %(exact)s order by m.id desc limit %(size)s)
          union (select m.id from tickets m
           where m.shop_id = %(shop)s and lower(m.last_name) ~>=~ %(begins)s::text
             and lower(m.last_name) ~<~ %(end)s::text limit %(size)s)) f
      cross join lateral (
          select * from tickets where shop_id = %(shop)s and id = f.id limit 1) t
      where %(may_ticket)s
      order by t.id desc limit %(size)s)
    union all
    (select 'merchant', m.id, m.name, m.slug from merchants m
      where %(may_merchant)s and m.shop_id = %(shop)s and (
          m.id = %(number)s::bigint or m.slug = %(exact)s or lower(m.email) = %(exact)s
          or (lower(m.name) ~>=~ %(begins)s::text and lower(m.name) ~<~ %(end)s::text))
      order by m.id desc limit %(size)s)
    union all
    (select 'partner', r.id, r.name, r.channel from partners r
      where %(may_partner)s and r.shop_id = %(shop)s and (
          r.id = %(number)s::bigint or (lower(r.name) ~>=~ %(begins)s::text
             and lower(r.name) ~<~ %(end)s::text))
      order by r.id desc limit %(size)s)
    union all
    (select 'person', h.id, coalesce(nullif(h.name, ''), h.email), h.email from people h
      where %(may_person)s and h.shop_id = %(shop)s and (
          lower(h.email) = %(exact)s or (lower(h.name) ~>=~ %(begins)s::text
             and lower(h.name) ~<~ %(end)s::text))
      order by h.id desc limit %(size)s)
    union all
    (select 'mail', m.id, m.subject, m.recipient from mails m
      where %(may_mail)s and m.shop_id = %(shop)s and lower(m.recipient) = %(exact)s
      order by m.id desc limit %(size)s)
"""
