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


class PartnerSight(msgspec.Struct, frozen=True):
    """A partner, and the merchants whose goods it sees; None for all."""

    id: int
    active: bool
    visible_merchants: list[int] | None

    def sees(self, merchant_id: int) -> bool:
        """Whether it sees the goods of this merchant."""
        return self.visible_merchants is None or merchant_id in self.visible_merchants


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


async def partner_label(tx: Transaction, *, shop_id: int, partner_id: int) -> str:
    """What people are told of the partner: its name and number, the number alone where it is gone."""
    name = await tx.value(
        "select name from partners where shop_id = %s and id = %s", (shop_id, partner_id)
    )
    return f"{name} (partner {partner_id})" if name else f"partner {partner_id}"


async def list_called(
    tx: Transaction,
    *,
    shop_id: int,
    channel: str,
    setting: str = "",
    partner_ids: Collection[int] | None = None,
) -> list[PartnerSight]:
    """The shop's partners of this channel, by id: those who have this setting, and of these ids."""
    rows = await tx.all(
        """select id, active, visible_merchants from partners
           where shop_id = %s and channel = %s and (%s = '' or settings ? %s)
             and (%s::bigint[] is null or id = any(%s)) order by id""",
        (
            shop_id,
            channel,
            setting,
            setting,
            *[None if partner_ids is None else list(partner_ids)] * 2,
        ),
    )
    return [PartnerSight(*row) for row in rows]


def own_secret_place(partner_id: int, name: str) -> str:
    """The place that a partner's secret for the shop is sealed for; it can be opened only there."""
    return f"partner:{partner_id}:{name}"
