"""Resolve a caller's names of variants among those that the partner sees."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.partners import Partner

NameKind = Literal["id", "reference", "barcode"]


class VariantName(msgspec.Struct, frozen=True):
    """How a caller names a variant: our id, one of its two references, or a barcode."""

    kind: NameKind
    text: str


async def known_names(
    tx: Transaction, *, partner: Partner, names: Iterable[VariantName]
) -> set[VariantName]:
    """The names that are variants which the partner may send; see `variant_named` in naming.sql.

    Variants of hidden merchants and of other shops are treated as unknown. A disabled variant is
    known: it is not offered, but what is on the shelf may be sent.
    """
    wanted = list(dict.fromkeys(names))
    rows = await tx.all(
        _KNOWN,
        {
            "shop": partner.shop_id,
            "merchants": partner.merchant_ids,
            "kinds": [name.kind for name in wanted],
            "texts": [name.text for name in wanted],
        },
    )
    return {wanted[place - 1] for (place,) in rows}


_KNOWN = """
    select w.place from unnest(%(kinds)s::text[], %(texts)s::text[]) with ordinality as w (kind, text, place)
    cross join lateral (
        select 1 from variants v
        where v.shop_id = %(shop)s and v.id = variant_named(%(shop)s, %(merchants)s::bigint[], w.kind, w.text)
          and sees_merchant(%(merchants)s::bigint[], v.merchant_id)
        limit 1
    ) found
"""
