"""Read a partner by the public key that it sends."""

import contextlib
from typing import Any

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import SealBroken
from crossdock.kit.crypto import SecretBox
from crossdock.shop.partners.model import Credential, Partner, Secret

_BY_KEY = """
    select c.id, c.is_test, p.shop_id, p.id, p.name, p.permissions, p.backorder, s.currency,
           p.min_amount_minor, p.max_amount_minor, p.visible_merchants, p.price_list_id, p.customer_id,
           p.settings, p.revision,
           array_agg(k.id order by k.id), array_agg(k.sealed order by k.id), array_agg(k.expires_at order by k.id)
    from credentials c
    join partners p on p.shop_id = c.shop_id and p.id = c.partner_id and p.active
    join shops s on s.id = p.shop_id
    join credential_secrets k on k.credential_id = c.id and k.revoked_at is null
    where c.channel = %s and c.public_key = %s and c.disabled_at is null
    group by c.id, c.is_test, p.shop_id, p.id, s.currency
"""


async def read_credential(
    tx: Transaction, *, channel: str, public_key: str, box: SecretBox
) -> Credential | None:
    """The live credential of an active partner, or None. Expired secrets are left to the caller's clock.

    A secret of a lost master key is passed over where another one opens. Raises SealBroken where
    none does.
    """
    row = await tx.one(_BY_KEY, (channel, public_key))
    if row is None:
        return None
    return Credential(
        id=row[0],
        public_key=public_key,
        is_test=row[1],
        secrets=_opened(row, place=secret_place(public_key), box=box),
        partner=_partner(channel, row),
    )


def secret_place(public_key: str) -> str:
    """What a sealed secret is bound to, so that one partner's secret cannot be put into another's row."""
    return f"credential:{public_key}"


def _opened(row: tuple[Any, ...], *, place: str, box: SecretBox) -> tuple[Secret, ...]:
    found = []
    for secret_id, sealed, expires_at in zip(row[15], row[16], row[17], strict=True):
        with contextlib.suppress(SealBroken):
            value = box.open(sealed, place=place)
            found.append(Secret(id=secret_id, value=value, expires_at=expires_at))
    if not found:
        raise SealBroken(f"no known master key opens {place}")
    return tuple(found)


def _partner(channel: str, row: tuple[Any, ...]) -> Partner:
    return Partner(
        channel=channel,
        shop_id=row[2],
        id=row[3],
        name=row[4],
        permissions=frozenset(row[5]),
        backorder=row[6],
        currency=row[7],
        min_amount_minor=row[8],
        max_amount_minor=row[9],
        visible_merchants=None if row[10] is None else tuple(row[10]),
        price_list_id=row[11],
        customer_id=row[12],
        settings=row[13],
        revision=row[14],
    )
