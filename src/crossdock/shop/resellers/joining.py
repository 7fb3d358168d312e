"""The invited person's side of an invitation: see what is offered, and accept it with an account.

| the address of the invitation | is accepted with |
|---|---|
| has no account yet | a password that the person chooses, which makes the account |
| has one | the password of that account, and the code where its second factor is on |
| is that of the person who is signed in | nothing more |
"""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError, Invalid, NotFound, Refused
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import hash_key
from crossdock.kit.ids import Ids
from crossdock.shop.people import NewSession, People, Person, Visit, add_person, find_person
from crossdock.shop.resellers.acting import add_member
from crossdock.shop.resellers.inviting import HAS_TOKEN, accept_invitation
from crossdock.shop.resellers.model import Invitation, Mode, Reseller

_COLUMNS = ", ".join(f"i.{name}" for name in Invitation.__struct_fields__)
_WRONG = "There is an account with this address already, and this is not its password."


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation with the terms that hold if it is accepted now.

    Rates are basis points; None is what was not agreed, and for `products` every product of the shop.
    """

    invitation: Invitation
    shop: str
    mode: Mode
    commission_bp: int | None
    discount_bp: int | None
    limit_daily: int | None
    limit_monthly: int | None
    products: int | None
    terms_url: str | None
    is_enabled: bool
    is_suspended: bool
    is_verified_first: bool
    has_account: bool


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """A relationship that began, whose person, and the session; None for who was signed in."""

    reseller: Reseller
    person: Person
    session: NewSession | None


class Joining:
    """Accepts invitations whose relationships' calls come through `channel`."""

    def __init__(
        self, people: People, *, db: Database, clock: Clock, ids: Ids, channel: str
    ) -> None:
        self._people = people
        self._db = db
        self._clock = clock
        self._ids = ids
        self._channel = channel

    async def look(self, *, token: str) -> Offer:
        """What an invitation offers, whatever its state. Raises NotFound `not_found`."""
        async with self._db.statement() as tx:
            return await _read_offer(tx, token=token)

    async def accept(
        self,
        *,
        token: str,
        source: str,
        name: str = "",
        password: str = "",
        code: str = "",
        visit: Visit | None = None,
    ) -> Joined:
        """Accept, with the account of the invitation's address; `source` is the caller's network address.

        Raises NotFound `not_found`, Conflict `reseller_state` for an invitation that is not pending,
        Conflict `exists` for a reseller of this address, Refused `program_disabled` and `shop_suspended`, Invalid
        `invalid_input` with the `field` for a password that is weak or not the account's, and for a
        wrong code; Unavailable `rate_limited` after too many of those. Nothing is written then.
        """
        offer = await self.look(token=token)
        now = self._clock.now()
        offer.invitation.require_pending(now)
        if offer.is_suspended:
            raise Refused("shop_suspended")
        email = offer.invitation.email
        if visit is not None and visit.person.email.lower() == email.lower():
            return await self._join(token=token, person=visit.person, session=None)
        if not offer.has_account:
            return await self._join_anew(token=token, email=email, name=name, password=password)
        session = await self._prove(email, password=password, code=code, source=source)
        try:
            proven = await self._people.visit(token=session.token)
            if proven is None:
                raise Invalid("invalid_input", _WRONG, {"field": "password"})
            return await self._join(token=token, person=proven.person, session=session)
        except CrossdockError:
            await self._people.sign_out(token=session.token)
            raise

    async def _join(self, *, token: str, person: Person, session: NewSession | None) -> Joined:
        now = self._clock.now()
        async with self._db.begin() as tx:
            reseller = await self._begin(tx, token=token, now=now)
            await _link(tx, reseller=reseller, person=person, now=now)
        return Joined(reseller=reseller, person=person, session=session)

    async def _join_anew(self, *, token: str, email: str, name: str, password: str) -> Joined:
        hashed = await self._people.hash_new(password, email=email)
        now = self._clock.now()
        async with self._db.begin() as tx:
            reseller = await self._begin(tx, token=token, now=now)
            person = await add_person(
                tx,
                shop_id=reseller.shop_id,
                email=email,
                name=name,
                password_hash=hashed,
                is_reseller=True,
                now=now,
            )
            await _link(tx, reseller=reseller, person=person, now=now)
            session = await self._people.open(tx, person=person)
        return Joined(reseller=reseller, person=person, session=session)

    async def _begin(self, tx: Transaction, *, token: str, now: datetime) -> Reseller:
        return await accept_invitation(
            tx, token=token, channel=self._channel, ids=self._ids, now=now
        )

    async def _prove(self, email: str, *, password: str, code: str, source: str) -> NewSession:
        """A session of the account of this address."""
        try:
            return await self._people.sign_in_at_once(
                email=email, password=password, code=code, source=source
            )
        except Invalid as error:
            if error.data.get("field") == "password":
                raise Invalid("invalid_input", _WRONG, error.data) from error
            raise


async def _link(tx: Transaction, *, reseller: Reseller, person: Person, now: datetime) -> None:
    await add_member(
        tx, shop_id=reseller.shop_id, reseller_id=reseller.id, person_id=person.id, now=now
    )


async def _read_offer(tx: Transaction, *, token: str) -> Offer:
    row = await tx.one(_OFFER, {"token": hash_key(token)})
    if row is None:
        raise NotFound("not_found", "There is no such invitation.")
    length = len(Invitation.__struct_fields__)
    named = zip(Invitation.__struct_fields__, row[:length], strict=True)
    invitation = Invitation(**dict(named))
    names = Offer.__struct_fields__[1:-1]
    return Offer(
        invitation=invitation,
        has_account=await _has_account(tx, email=invitation.email),
        **dict(zip(names, row[length:], strict=True)),
    )


async def _has_account(tx: Transaction, *, email: str) -> bool:
    try:
        await find_person(tx, email=email)
    except NotFound:
        return False
    return True


_OFFER = f"""
    select {_COLUMNS}, s.name, i.mode, coalesce(i.commission_bp, g.default_commission_bp),
           coalesce(i.discount_bp, g.default_discount_bp), i.limit_daily, i.limit_monthly,
           jsonb_array_length(i.products), g.terms_url, coalesce(g.enabled, false), s.suspended_at is not null,
           coalesce(g.requires_verification, false)
    from reseller_invitations i
    join shops s on s.id = i.shop_id
    left join reseller_programs g on g.shop_id = i.shop_id
    where {HAS_TOKEN}
"""
