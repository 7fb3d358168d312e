"""The memory of what each partner was told.

A partner is first told of goods when they are on sale, and from then on of every change of what it sees.
Each change has a version, in seconds, that is greater than the one before. Whether it `is_known` to the
partner is marked by the first call that arrived; what is not is due again with the next event about it.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from crossdock.db.unit_of_work import Transaction

Subject = Literal["product", "variant"]


class Goods(msgspec.Struct, frozen=True, kw_only=True):
    """A product or variant as some partners see it: a digest of all that they are told."""

    id: int
    digest: bytes
    on_sale: bool


class Due(msgspec.Struct, frozen=True):
    """Something that a partner is to be told."""

    partner_id: int
    id: int
    is_known: bool


class Known(msgspec.Struct, frozen=True):
    """What is remembered of goods for a partner."""

    version: int
    is_known: bool


async def note_goods(
    tx: Transaction,
    *,
    shop_id: int,
    partner_ids: Sequence[int],
    subject: Subject,
    goods: Sequence[Goods],
    at: int,
) -> list[Due]:
    """Note how goods are at `at`, in Unix seconds; what each of these partners is to be told of them.

    One statement. The caller is the only one who notes in this shop.
    """
    rows = await tx.all(
        _NOTE,
        {
            "shop": shop_id,
            "subject": subject,
            "at": at,
            "partners": list(partner_ids),
            "ids": [each.id for each in goods],
            "digests": [each.digest for each in goods],
            "on_sale": [each.on_sale for each in goods],
        },
    )
    return [Due(*row) for row in rows]


async def read_known(
    tx: Transaction, *, shop_id: int, partner_id: int, subject: Subject, subject_id: int
) -> dict[int, Known]:
    """What is remembered for a partner of a product and its variants, or of a variant, by their ids."""
    rows = await tx.all(
        _READ, {"shop": shop_id, "partner": partner_id, "subject": subject, "id": subject_id}
    )
    return {number: Known(*facts) for number, *facts in rows}


async def mark_known(
    tx: Transaction, *, shop_id: int, partner_id: int, subject: Subject, subject_id: int
) -> None:
    """A call about these goods arrived at the partner."""
    await tx.run(_MARK, (shop_id, partner_id, subject, subject_id))


_NOTE = """
    insert into told_goods as t (shop_id, partner_id, subject, subject_id, digest, version)
    select %(shop)s, p.id, %(subject)s, g.id, g.digest, %(at)s
    from unnest(%(ids)s::bigint[], %(digests)s::bytea[], %(on_sale)s::boolean[]) as g (id, digest, on_sale)
    cross join unnest(%(partners)s::bigint[]) as p (id)
    where g.on_sale or exists (
        select 1 from told_goods k
        where k.shop_id = %(shop)s and k.partner_id = p.id and k.subject = %(subject)s and k.subject_id = g.id)
    order by p.id, g.id
    on conflict (shop_id, partner_id, subject, subject_id) do update
    set digest = excluded.digest, version = greatest(excluded.version, t.version + 1)
    where t.digest <> excluded.digest or not t.is_known
    returning partner_id, subject_id, is_known
"""
_READ = """
    select subject_id, version, is_known from told_goods
    where shop_id = %(shop)s and partner_id = %(partner)s and (
        subject = %(subject)s and subject_id = %(id)s
        or %(subject)s = 'product' and subject = 'variant' and subject_id in (
            select v.id from variants v where v.shop_id = %(shop)s and v.product_id = %(id)s))
"""
_MARK = """
    update told_goods set is_known = true
    where shop_id = %s and partner_id = %s and subject = %s and subject_id = %s and not is_known
"""
