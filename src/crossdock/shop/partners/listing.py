"""List partners and their keys for operators, without secrets."""

from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.partners.model import Proof


class SecretView(msgspec.Struct, frozen=True, kw_only=True):
    """The validity of one secret. `hint` is a token's beginning, '' for other kinds."""

    id: int
    hint: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class CredentialView(msgspec.Struct, frozen=True, kw_only=True):
    """A key, or a name that goes with a password, with its secrets, oldest first."""

    key: str
    proof: Proof
    is_test: bool
    disabled: bool
    secrets: tuple[SecretView, ...]

    @property
    def last_used_at(self) -> datetime | None:
        """When any of the secrets was last used."""
        return max((s.last_used_at for s in self.secrets if s.last_used_at), default=None)

    @property
    def is_live(self) -> bool:
        """Whether calls with it are accepted: the newest secret is valid until it is revoked."""
        return not self.disabled and any(
            secret.revoked_at is None and secret.expires_at is None for secret in self.secrets
        )


class PartnerView(msgspec.Struct, frozen=True, kw_only=True):
    """A partner as an operator sees it; `secrets` are the names of those that are set, and none is held."""

    id: int
    shop: str
    channel: str
    name: str
    active: bool
    permissions: tuple[str, ...]
    backorder: bool
    min_amount_minor: int | None
    max_amount_minor: int | None
    visible_merchants: tuple[int, ...] | None
    price_list_id: int | None
    customer_id: int | None
    settings: dict[str, Any]
    secrets: tuple[str, ...]
    watched_until: datetime | None
    credentials: tuple[CredentialView, ...]


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key of one partner, by its number; `hint` is the beginning of its newest token."""

    id: int
    key: str
    hint: str
    created_at: datetime
    last_used_at: datetime | None
    disabled_at: datetime | None


async def list_keys(tx: Transaction, *, partner_id: int, limit: int) -> list[KeyView]:
    """The partner's keys, those that are disabled last, the newest first."""
    rows = await tx.all(_KEYS, (partner_id, limit))
    return [KeyView(**dict(zip(KeyView.__struct_fields__, row, strict=True))) for row in rows]


async def list_partners(
    tx: Transaction,
    *,
    shop: str | None = None,
    channel: str | None = None,
    partner_id: int | None = None,
) -> list[PartnerView]:
    """Partners with their credentials, by id; no secret is read."""
    rows = await tx.all(_VIEWS, {"shop": shop, "channel": channel, "id": partner_id})
    fields = PartnerView.__struct_fields__
    return [msgspec.convert(dict(zip(fields, row, strict=True)), PartnerView) for row in rows]


_KEYS = """
    select c.id, c.public_key, (array_agg(k.hint order by k.id desc))[1], min(k.created_at), max(k.last_used_at),
           c.disabled_at
    from credentials c
    join partners p on p.shop_id = c.shop_id and p.id = c.partner_id
    join credential_secrets k on k.credential_id = c.id
    where p.id = %s
    group by c.id, c.public_key, c.disabled_at order by c.disabled_at is not null, c.id desc limit %s
"""
_VIEWS = """
    select p.id, s.slug, p.channel, p.name, p.active, p.permissions, p.backorder, p.min_amount_minor,
           p.max_amount_minor, p.visible_merchants, p.price_list_id, p.customer_id, p.settings,
           array(select o.name from partner_secrets o where o.partner_id = p.id order by o.name),
           p.watched_until,
           coalesce((select jsonb_agg(jsonb_build_object(
               'key', c.public_key, 'proof', c.proof, 'is_test', c.is_test, 'disabled', c.disabled_at is not null,
               'secrets', (select coalesce(jsonb_agg(jsonb_build_object(
                    'id', k.id, 'hint', k.hint, 'created_at', k.created_at, 'expires_at', k.expires_at,
                    'revoked_at', k.revoked_at, 'last_used_at', k.last_used_at) order by k.id), '[]'::jsonb)
                  from credential_secrets k where k.credential_id = c.id)) order by c.id)
             from credentials c where c.shop_id = p.shop_id and c.partner_id = p.id
               and c.lent_until is null), '[]'::jsonb)
    from partners p join shops s on s.id = p.shop_id
    where (%(shop)s::text is null or s.slug = %(shop)s)
      and (%(channel)s::text is null or p.channel = %(channel)s)
      and (%(id)s::bigint is null or p.id = %(id)s)
    order by p.id
"""
