"""Who calls the portal: a session's token stands where a key does, and names one person.

The relationship that a call is about is the person's only one, or the one that `relationship_id` names; that
of anybody else is not found, like one that is none. No cookie is read, so that no other site can call.
"""

from typing import Final

from crossdock.channels.shoppex_reseller.errors import WireError, invalid
from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds
from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound, Refused, Unavailable
from crossdock.kit.pacing import Pacer
from crossdock.shop.partners import Credential, FailedCalls, Meter, read_partner
from crossdock.shop.people import People, Visit
from crossdock.shop.resellers import Relationship, list_relationships
from crossdock.shop.shops import read_shop_by_id

NO_SESSION: Final = (
    "Sign in first. Expected: Authorization: Bearer <the token of POST /portal/v1/sessions>"
)
_CHOOSE: Final = "is required: you have several relationships, see GET /portal/v1/relationships"
_NO_RIGHTS: Final = 0
"""Stands for the id of a credential: a session is none."""


class PortalDoor:
    """Finds the person of a session, and the partner of a relationship that is theirs."""

    def __init__(
        self, db: Database, *, people: People, ids: ShopIds, failed: FailedCalls, pacer: Pacer
    ) -> None:
        self._failed = failed
        self._pacer = pacer
        self._db = db
        self._people = people
        self._ids = ids

    async def admit(
        self, token: str, *, for_guests: bool, address: str
    ) -> tuple[Visit | None, Meter | None]:
        """Who is signed in, and what is left of the person's calls, of all their sessions together.

        Raises WireError UNAUTHORIZED for nobody, but on a route for guests; Unavailable `rate_limited` with a
        `meter` for somebody who calls too often, and without one while `address` waits after sessions of nobody.
        """
        visit = await self._people.admit(token=token)
        if visit is None:
            if for_guests:
                return None, None
            self._failed.check(address)
            self._failed.note(address)
            raise WireError("UNAUTHORIZED", NO_SESSION)
        pace = self._pacer.take(str(visit.person.id))
        if pace is None:
            return visit, None
        meter = Meter(per_minute=pace.per_minute, left=pace.left, full_at=pace.full_at)
        if pace.retry_after_s:
            facts = {"retry_after_s": pace.retry_after_s, "meter": meter}
            raise Unavailable("rate_limited", data=facts)
        return visit, meter

    async def credential(self, visit: Visit, *, wanted: str | None, writes: bool) -> Credential:
        """What stands for a key: no secret, and the partner of the relationship.

        Raises NotFound, WireError VALIDATION_ERROR where the person has several and names none, and Refused
        `shop_suspended` for a call that writes while the shop is suspended.
        """
        async with self._db.statement() as tx:
            mine = await list_relationships(tx, person_id=visit.person.id)
            chosen = await self._choose(mine, wanted)
            partner = await read_partner(tx, partner_id=chosen.partner_id)
            shop = await read_shop_by_id(tx, shop_id=chosen.shop_id)
        if partner is None:
            raise NotFound("not_found")
        if writes and shop.suspended_at is not None:
            raise Refused("shop_suspended")
        return Credential(
            id=_NO_RIGHTS,
            public_key="",
            proof="bearer",
            is_test=False,
            secrets=(),
            partner=partner,
        )

    async def _choose(self, mine: list[Relationship], wanted: str | None) -> Relationship:
        if wanted is None:
            if len(mine) > 1:
                raise invalid(("relationship_id", _CHOOSE))
            if mine:
                return mine[0]
        for each in mine:
            ids = await self._ids.of(each.shop_id)
            if wanted and ids.find(Kind.RELATIONSHIP, wanted) == each.id:
                return each
        raise NotFound("not_found")
