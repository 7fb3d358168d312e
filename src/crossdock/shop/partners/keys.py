"""The lifecycle of credentials, the same for every kind of proof: add, rotate, revoke, disable."""

from datetime import datetime, timedelta

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.partners.keeping import Kept, keep, new_key, new_secret
from crossdock.shop.partners.managing import touch_partner
from crossdock.shop.partners.model import Proof

LIVE_SECRETS_MAX = 2

_FIND = """
select id, partner_id, public_key, proof, token_prefix from credentials
where public_key = %s and (%s = '' or channel = %s) order by id limit 2
"""
_LOCK = "select true from credentials where id = %s and disabled_at is null for no key update"
_LIVE = """
select count(*) from credential_secrets
where credential_id = %s and revoked_at is null and (expires_at is null or expires_at > %s)
"""
_END_LATER = """
update credential_secrets set expires_at = %s
where credential_id = %s and revoked_at is null and expires_at is null
"""
_REVOKE = """
update credential_secrets set revoked_at = %(now)s
where credential_id = %(id)s and revoked_at is null
  and (%(all)s or id < (select max(id) from credential_secrets where credential_id = %(id)s and revoked_at is null))
"""
_KEPT_BY = """
select case
    when exists (select from apps a where a.partner_id = %(partner)s)
        then 'An app''s tokens come from consents alone; end them with crossdock reseller apps revoke.'
    when exists (select from resellers r where r.partner_id = %(partner)s)
        then 'A reseller makes its own keys, and its relationship says whether they work; see crossdock reseller.'
end
"""


class NewCredential(msgspec.Struct, frozen=True, kw_only=True):
    """A new credential with its secret, which is shown only now. Its repr hides the secret."""

    partner_id: int
    key: str
    proof: Proof
    secret: str

    def __repr__(self) -> str:
        return f"NewCredential(partner_id={self.partner_id}, key={self.key!r})"

    @property
    def shown(self) -> dict[str, str]:
        """The values to give to the partner; the names depend on the kind of proof.

        | proof     | names                 |
        |-----------|-----------------------|
        | signature | key, secret           |
        | bearer    | key, token            |
        | password  | user_name, password   |
        """
        key, secret = _SHOWN[self.proof]
        return {key: self.key, secret: self.secret}


_SHOWN: dict[Proof, tuple[str, str]] = {
    "signature": ("key", "secret"),
    "bearer": ("key", "token"),
    "password": ("user_name", "password"),
}


class _Known(msgspec.Struct, frozen=True):
    id: int
    partner_id: int
    key: str
    proof: Proof
    prefix: str


async def add_credential(
    tx: Transaction,
    *,
    partner_id: int,
    ids: Ids,
    box: SecretBox,
    proof: Proof = "signature",
    prefix: str = "",
    is_test: bool = False,
    is_number: bool = False,
    key: str = "",
    secret: str = "",
) -> NewCredential:
    """Add a key with its first secret, which cannot be read again. Pass both to import an old pair.

    Tokens begin with `prefix`. `is_number` takes the key from the sequence of caller numbers, for
    channels that identify callers by a number. Raises Conflict `exists` if a key or token is in use.
    """
    if is_number and not key:
        key = str(await tx.value("select nextval('caller_numbers')"))
    key = key or new_key(ids, proof=proof)
    secret = secret or new_secret(ids, proof=proof, prefix=prefix)
    kept = await keep(secret, proof=proof, key=key, prefix=prefix, box=box)
    credential_id = await tx.value(
        "insert into credentials (shop_id, partner_id, channel, public_key, proof, token_prefix, is_test)"
        " select shop_id, id, channel, %s, %s, %s, %s from partners where id = %s"
        " on conflict do nothing returning id",
        (key, proof, prefix, is_test, partner_id),
    )
    if credential_id is None:
        raise Conflict("exists", "This key is in use on the channel already.")
    await _insert(tx, credential_id=credential_id, kept=kept)
    return NewCredential(partner_id=partner_id, key=key, proof=proof, secret=secret)


async def refuse_kept_by_others(tx: Transaction, *, partner_id: int) -> None:
    """Raises Invalid `invalid_input` for a partner that stands for an app or a reseller.

    Its keys are its own: an app's come from consents, a reseller makes its own, and both are switched on where they
    are kept. Staff may switch them off.
    """
    kept: str | None = await tx.value(_KEPT_BY, {"partner": partner_id})
    if kept is not None:
        raise Invalid("invalid_input", kept)


async def rotate_secret(
    tx: Transaction,
    *,
    key: str,
    ids: Ids,
    box: SecretBox,
    now: datetime,
    overlap_s: int,
    channel: str = "",
) -> NewCredential:
    """Add a second secret; the first expires after `overlap_s` seconds. Raises Conflict if two are valid, and as
    `refuse_kept_by_others`.

    `channel` is needed if several channels have this key.
    """
    known = await _find(tx, key=key, channel=channel)
    await refuse_kept_by_others(tx, partner_id=known.partner_id)
    secret = new_secret(ids, proof=known.proof, prefix=known.prefix)
    kept = await keep(secret, proof=known.proof, key=known.key, prefix=known.prefix, box=box)
    if not await tx.value(_LOCK, (known.id,)):
        raise NotFound("not_found", "There is no live credential with this key.")
    if await tx.value(_LIVE, (known.id, now)) >= LIVE_SECRETS_MAX:
        raise Conflict(
            "exists",
            "Two secrets are valid already; wait until the older one expires, or revoke it.",
        )
    await tx.run(_END_LATER, (now + timedelta(seconds=overlap_s), known.id))
    await _insert(tx, credential_id=known.id, kept=kept)
    await touch_partner(tx, partner_id=known.partner_id)
    return NewCredential(
        partner_id=known.partner_id, key=known.key, proof=known.proof, secret=secret
    )


async def revoke_secrets(tx: Transaction, *, key: str, now: datetime, channel: str = "") -> int:
    """Revoke all secrets at once; returns how many. `rotate_secret` adds a new one afterwards."""
    return await _revoke(tx, key=key, now=now, channel=channel, takes_newest=True)


async def revoke_old_secrets(tx: Transaction, *, key: str, now: datetime, channel: str = "") -> int:
    """Revoke all secrets but the newest at once; returns how many."""
    return await _revoke(tx, key=key, now=now, channel=channel, takes_newest=False)


async def disable_credential(
    tx: Transaction, *, key: str, now: datetime, channel: str = ""
) -> None:
    """Refuse the key from now on; idempotent."""
    known = await _find(tx, key=key, channel=channel)
    await tx.run(
        "update credentials set disabled_at = coalesce(disabled_at, %s) where id = %s",
        (now, known.id),
    )
    await touch_partner(tx, partner_id=known.partner_id)


async def enable_credential(tx: Transaction, *, key: str, channel: str = "") -> None:
    """Accept the key again, with its secrets. Raises NotFound `not_found`, and as `refuse_kept_by_others`."""
    known = await _find(tx, key=key, channel=channel)
    await refuse_kept_by_others(tx, partner_id=known.partner_id)
    await tx.run("update credentials set disabled_at = null where id = %s", (known.id,))
    await touch_partner(tx, partner_id=known.partner_id)


async def _find(tx: Transaction, *, key: str, channel: str) -> _Known:
    rows = await tx.all(_FIND, (key, channel, channel))
    if not rows:
        raise NotFound("not_found", "There is no credential with this key.")
    if len(rows) > 1:
        raise Invalid("invalid_input", "Several channels have this key; name the channel.")
    return _Known(*rows[0])


async def _revoke(
    tx: Transaction, *, key: str, now: datetime, channel: str, takes_newest: bool
) -> int:
    known = await _find(tx, key=key, channel=channel)
    # Wait for a concurrent rotation, so that its secret counts as the newest.
    await tx.run("select 1 from credentials where id = %s for no key update", (known.id,))
    count = await tx.run(_REVOKE, {"now": now, "id": known.id, "all": takes_newest})
    await tx.run("delete from access_tokens where credential_id = %s", (known.id,))
    await touch_partner(tx, partner_id=known.partner_id)
    return count


async def _insert(tx: Transaction, *, credential_id: int, kept: Kept) -> None:
    added = await tx.run(
        "insert into credential_secrets (credential_id, sealed, token_hash, password_hash, hint)"
        " values (%s, %s, %s, %s, %s) on conflict do nothing",
        (credential_id, kept.sealed, kept.token_hash, kept.password_hash, kept.hint),
    )
    if not added:
        raise Conflict("exists", "This token is in use already.")
