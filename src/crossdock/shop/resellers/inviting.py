"""Invite resellers, and accept: the relationship begins with the acceptance (spec shoppex_reseller 6.3, 8.1, 8.2)."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.crypto import hash_key
from crossdock.kit.email import is_email
from crossdock.kit.ids import Ids
from crossdock.shop.events import ResellerAccepted, ResellerInvited, write_event
from crossdock.shop.partners import Terms, add_partner
from crossdock.shop.resellers.model import (
    Invitation,
    NewInvitation,
    ProductTerms,
    Reseller,
    ResellerTerms,
)
from crossdock.shop.resellers.programs import lock_enabled_program
from crossdock.shop.resellers.reading import read_reseller
from crossdock.shop.resellers.selling import check_products, set_products

EXPIRES_DAYS = 7
EXPIRES_DAYS_MAX = 90
HAS_TOKEN = "%(token)s in (token_hash, mailed_token_hash)"
_TOKEN_LENGTH = 43
_CODE_LENGTH = 12
_COLUMNS = ", ".join(Invitation.__struct_fields__)


async def invite(
    tx: Transaction,
    *,
    shop_id: int,
    email: str,
    terms: ResellerTerms,
    ids: Ids,
    now: datetime,
    expires_in_days: int = EXPIRES_DAYS,
) -> NewInvitation:
    """Invite somebody, and revoke an invitation of the same address that is pending.

    Raises Refused `program_disabled`, Invalid `invalid_input` for an address that is none, for days that
    are not 1 to 90 and for products that are not the shop's, Conflict `exists` for a reseller of this address.
    """
    email = email.strip()
    if not is_email(email):
        raise Invalid("invalid_input", "This is not an e-mail address.", {"field": "email"})
    if not 1 <= expires_in_days <= EXPIRES_DAYS_MAX:
        message = f"An invitation is good for 1 to {EXPIRES_DAYS_MAX} days."
        raise Invalid("invalid_input", message, {"field": "expires_in_days"})
    program = await lock_enabled_program(tx, shop_id=shop_id)
    if terms.products is not UNSET:
        await check_products(tx, shop_id=shop_id, products=terms.products)
    await _refuse_reseller(tx, shop_id=shop_id, email=email)
    await revoke_pending(tx, shop_id=shop_id, email=email, now=now)
    token, mailed_token = (ids.random_token(_TOKEN_LENGTH) for _ in range(2))
    mode = program.default_mode if terms.mode is UNSET else terms.mode
    row = await tx.one(
        "insert into reseller_invitations (shop_id, email, mode, commission_bp, discount_bp, limit_daily,"
        " limit_monthly, products, token_hash, mailed_token_hash, created_at, expires_at)"
        f" values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning {_COLUMNS}",
        (
            shop_id,
            email,
            mode,
            *(_given(terms, name) for name in _LIMITS),
            _listed(terms),
            hash_key(token),
            hash_key(mailed_token),
            now,
            now + timedelta(days=expires_in_days),
        ),
    )
    assert row is not None  # it was inserted
    invitation = _invitation(row)
    event = ResellerInvited(email=email, mode=mode, expires_at=invitation.expires_at)
    await write_event(tx, shop_id=shop_id, event=event, subject_id=invitation.id, now=now)
    return NewInvitation(invitation=invitation, token=token, mailed_token=mailed_token)


async def accept_invitation(
    tx: Transaction, *, token: str, channel: str, ids: Ids, now: datetime
) -> Reseller:
    """Begin the relationship of a pending invitation, whose calls come through `channel`.

    It is active, or `invited` where the shop verifies resellers first. Raises NotFound `not_found` for a token
    that is none, Conflict `reseller_state` for an invitation that is not pending any more, Conflict
    `exists` for a reseller of this address, Refused `program_disabled`.
    """
    shop_id = await tx.value(
        f"select shop_id from reseller_invitations where {HAS_TOKEN}", {"token": hash_key(token)}
    )
    if shop_id is None:
        raise NotFound("not_found", "There is no such invitation.")
    program = await lock_enabled_program(tx, shop_id=shop_id)  # before its invitations
    invitation = await _lock_invitation(tx, token=token)
    invitation.require_pending(now)
    await _refuse_reseller(tx, shop_id=shop_id, email=invitation.email)
    active = not program.requires_verification
    partner_id = await add_partner(
        tx,
        shop_id=shop_id,
        channel=channel,
        name=f"Reseller {invitation.email} {invitation.id}",
        terms=Terms(active=active),
    )
    reseller_id = await tx.value(
        _BEGIN,
        {
            "partner": partner_id,
            "status": "active" if active else "invited",
            "code": f"r-{ids.random_token(_CODE_LENGTH).lower()}",
            "verified": now if active else None,
            "now": now,
            "shop": shop_id,
            "invitation": invitation.id,
        },
    )
    products = await tx.value(
        "update reseller_invitations set accepted_at = %s where shop_id = %s and id = %s returning products",
        (now, shop_id, invitation.id),
    )
    await set_products(
        tx,
        shop_id=shop_id,
        reseller_id=reseller_id,
        products=None if products is None else msgspec.convert(products, tuple[ProductTerms, ...]),
    )
    reseller = await read_reseller(tx, shop_id=shop_id, reseller_id=reseller_id)
    event = ResellerAccepted(
        invitation_id=invitation.id,
        email=reseller.email,
        status=reseller.status,
        mode=reseller.mode,
    )
    await write_event(tx, shop_id=shop_id, event=event, subject_id=reseller.id, now=now)
    return reseller


async def revoke_pending(tx: Transaction, *, shop_id: int, email: str, now: datetime) -> int:
    """Revoke what invitation of this address is neither accepted nor revoked; returns how many."""
    return await tx.run(
        "update reseller_invitations set revoked_at = %s"
        " where shop_id = %s and lower(email) = lower(%s) and accepted_at is null and revoked_at is null",
        (now, shop_id, email),
    )


_LIMITS = ("commission_bp", "discount_bp", "limit_daily", "limit_monthly")
_BEGIN = """
    insert into resellers (shop_id, partner_id, invitation_id, email, status, mode, commission_bp, discount_bp,
                           limit_daily, limit_monthly, all_products, attribution_code, verified_at, created_at,
                           updated_at)
    select shop_id, %(partner)s, id, email, %(status)s, mode, commission_bp, discount_bp, limit_daily, limit_monthly,
           products is null, %(code)s, %(verified)s, %(now)s, %(now)s
    from reseller_invitations where shop_id = %(shop)s and id = %(invitation)s
    returning id
"""


async def _refuse_reseller(tx: Transaction, *, shop_id: int, email: str) -> None:
    found = await tx.value(
        "select id from resellers where shop_id = %s and lower(email) = lower(%s) and status <> 'terminated'",
        (shop_id, email),
    )
    if found is not None:
        raise Conflict("exists", "This address is a reseller's already.", {"field": "email"})


async def _lock_invitation(tx: Transaction, *, token: str) -> Invitation:
    row = await tx.one(
        f"select {_COLUMNS} from reseller_invitations where {HAS_TOKEN} for no key update",
        {"token": hash_key(token)},
    )
    assert row is not None  # invitations are never deleted
    return _invitation(row)


def _given(terms: ResellerTerms, name: str) -> Any:
    value = getattr(terms, name)
    return None if value is UNSET else value


def _listed(terms: ResellerTerms) -> Jsonb | None:
    if terms.products is UNSET or terms.products is None:
        return None
    return Jsonb(msgspec.to_builtins(terms.products))


def _invitation(row: tuple[Any, ...]) -> Invitation:
    return Invitation(**dict(zip(Invitation.__struct_fields__, row, strict=True)))
