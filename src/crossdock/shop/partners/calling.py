"""What is needed to call a partner's own servers: its addresses, and its secrets for the shop."""

from collections.abc import Collection
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound, SealBroken
from crossdock.kit.crypto import SecretBox


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """A partner whose servers are called. Its repr hides the secrets."""

    shop_id: int
    id: int
    channel: str
    name: str
    active: bool
    settings: dict[str, Any]
    secrets: dict[str, str]

    def __repr__(self) -> str:
        return f"Called(id={self.id})"


async def read_called(tx: Transaction, *, shop_id: int, partner_id: int, box: SecretBox) -> Called:
    """The partner with its secrets in plain text.

    Raises NotFound `not_found`, Invalid `invalid_input` for a secret that no master key opens.
    """
    row = await tx.one(
        """select p.shop_id, p.id, p.channel, p.name, p.active, p.settings,
                  (select jsonb_object_agg(s.name, encode(s.sealed, 'hex'))
                   from partner_secrets s where s.partner_id = p.id)
           from partners p where p.shop_id = %s and p.id = %s""",
        (shop_id, partner_id),
    )
    if row is None:
        raise NotFound("not_found", f"There is no partner {partner_id}.")
    *facts, sealed = row
    try:
        secrets = {
            name: box.open(bytes.fromhex(text), place=own_secret_place(partner_id, name)).decode()
            for name, text in (sealed or {}).items()
        }
    except SealBroken as error:
        raise Invalid("invalid_input", f"A secret of the partner: {error}.") from error
    names = Called.__struct_fields__
    return Called(**dict(zip(names, (*facts, secrets), strict=True)))


async def choose_of_channel(
    tx: Transaction, *, shop_id: int, channel: str, partner_ids: Collection[int]
) -> frozenset[int]:
    """Which of the shop's partners with these ids are of this channel."""
    rows = await tx.all(
        "select id from partners where shop_id = %s and channel = %s and id = any(%s)",
        (shop_id, channel, list(partner_ids)),
    )
    return frozenset(partner_id for (partner_id,) in rows)


def own_secret_place(partner_id: int, name: str) -> str:
    """The place that a partner's secret for the shop is sealed for; it can be opened only there."""
    return f"partner:{partner_id}:{name}"
