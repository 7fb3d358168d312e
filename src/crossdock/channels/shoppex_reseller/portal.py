"""`/portal/v1`: an invitation, signing in and out, and whose relationships somebody has (spec section 14)."""

from decimal import Decimal
from typing import Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import PortalCall
from crossdock.channels.shoppex_reseller.errors import WireError
from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds
from crossdock.channels.shoppex_reseller.portal_door import NO_SESSION
from crossdock.channels.shoppex_reseller.programs import show_mode
from crossdock.channels.shoppex_reseller.routes import PORTAL, Route
from crossdock.channels.shoppex_reseller.wire import NO_CONTENT, Reply, iso, one, percent, text
from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid
from crossdock.shop.people import People, Person
from crossdock.shop.resellers import Joining, Offer, Relationship, list_relationships

NAME_LENGTH_MAX: Final = 100
_TOKEN_LENGTH_MAX: Final = 200


class ShownOffer(msgspec.Struct, kw_only=True):
    """What an invitation offers; `products` null is every product of the shop."""

    email: str
    shop: str
    state: str
    mode: str
    commission_percent: Decimal | None
    wholesale_discount_percent: Decimal | None
    purchase_limit_daily: int | None
    purchase_limit_monthly: int | None
    products: int | None
    terms_url: str | None
    expires_at: str | None
    is_verified_first: bool


class ShownPerson(msgspec.Struct, kw_only=True):
    """Who is signed in."""

    email: str
    name: str
    has_second_factor: bool


class ShownSession(msgspec.Struct, kw_only=True):
    """A session; its token is told only now."""

    token: str


class ShownMine(msgspec.Struct, kw_only=True):
    """A relationship of the person's; its id chooses it, as `relationship_id`."""

    id: str
    shop: str
    currency: str
    email: str
    status: str
    mode: str
    attribution_code: str
    balance: str | None
    created_at: str | None


class ShownEntry(msgspec.Struct, kw_only=True):
    """Who signed in, with the session."""

    session: ShownSession
    person: ShownPerson


class ShownJoined(msgspec.Struct, kw_only=True):
    """The relationship that began; `session` is null for who was signed in."""

    session: ShownSession | None
    person: ShownPerson
    relationship: ShownMine


class ShownVisitor(msgspec.Struct, kw_only=True):
    """Who is signed in, with their relationships."""

    person: ShownPerson
    relationships: list[ShownMine]


class Portal:
    """Invitations, sessions, and the person's own."""

    def __init__(self, db: Database, *, people: People, joining: Joining, ids: ShopIds) -> None:
        self._db = db
        self._people = people
        self._joining = joining
        self._ids = ids

    async def preview(self, call: PortalCall) -> Reply:
        """What an invitation offers, in any state."""
        fields = call.fields()
        token = fields.text("token", required=True, longest=_TOKEN_LENGTH_MAX)
        fields.check()
        assert token is not None  # required
        return one(_show_offer(await self._joining.look(token=token), call))

    async def accept(self, call: PortalCall) -> Reply:
        """Accept an invitation with a new account, or with the one of its address."""
        fields = call.fields()
        token = fields.text("token", required=True, longest=_TOKEN_LENGTH_MAX)
        name = fields.text("name", nullable=True, longest=NAME_LENGTH_MAX)
        password = fields.secret("password", nullable=True)
        code = fields.text("code", nullable=True, longest=NAME_LENGTH_MAX)
        fields.check()
        assert token is not None  # required
        joined = await self._joining.accept(
            token=token,
            name=name or "",
            password=password or "",
            code=code or "",
            visit=call.visit,
            source=call.source,
        )
        mine = await self._relationships(joined.person)
        [begun] = [
            shown
            for each, shown in mine
            if (each.shop_id, each.id) == (joined.reseller.shop_id, joined.reseller.id)
        ]
        session = joined.session
        shown = ShownJoined(
            session=None if session is None else ShownSession(token=session.token),
            person=_show_person(joined.person),
            relationship=begun,
        )
        return one(shown, status=201)

    async def sign_in(self, call: PortalCall) -> Reply:
        """Open a session with e-mail, password, and the code of the second factor where there is one."""
        fields = call.fields()
        email = fields.email("email", required=True)
        password = fields.secret("password", required=True)
        code = fields.text("code", nullable=True, longest=NAME_LENGTH_MAX)
        fields.check()
        assert email is not None  # required, like the password
        assert password is not None
        try:
            made = await self._people.sign_in_at_once(
                email=email, password=password, code=code or "", source=call.source
            )
        except Invalid as error:
            raise WireError("UNAUTHORIZED", error.message) from error
        visit = await self._people.visit(token=made.token)
        if visit is None:
            raise WireError("UNAUTHORIZED", NO_SESSION)
        shown = ShownEntry(
            session=ShownSession(token=made.token), person=_show_person(visit.person)
        )
        return one(shown, status=201)

    async def sign_out(self, call: PortalCall) -> Reply:
        """End the session of this call."""
        await self._people.sign_out(token=call.token)
        return NO_CONTENT

    async def me(self, call: PortalCall) -> Reply:
        """Who is signed in, with their relationships."""
        mine = [shown for _, shown in await self._relationships(call.person)]
        return one(ShownVisitor(person=_show_person(call.person), relationships=mine))

    async def relationships(self, call: PortalCall) -> Reply:
        """The person's relationships of every shop and status; there is always one page of them."""
        mine = [shown for _, shown in await self._relationships(call.person)]
        return Reply(body={"data": mine, "pagination": {"next_cursor": None, "has_more": False}})

    async def _relationships(self, person: Person) -> list[tuple[Relationship, ShownMine]]:
        async with self._db.statement() as tx:
            mine = await list_relationships(tx, person_id=person.id)
        return [(each, await self._show(each)) for each in mine]

    async def _show(self, mine: Relationship) -> ShownMine:
        ids = await self._ids.of(mine.shop_id)
        return ShownMine(
            id=ids.write(Kind.RELATIONSHIP, mine.id),
            shop=mine.shop_name,
            currency=mine.currency,
            email=mine.email,
            status=mine.status.upper(),
            mode=show_mode(mine.mode),
            attribution_code=mine.attribution_code,
            balance=text(mine.balance_minor, mine.currency),
            created_at=iso(mine.created_at),
        )


def _show_person(person: Person) -> ShownPerson:
    return ShownPerson(email=person.email, name=person.name, has_second_factor=person.has_totp)


def _show_offer(offer: Offer, call: PortalCall) -> ShownOffer:
    invitation = offer.invitation
    return ShownOffer(
        email=invitation.email,
        shop=offer.shop,
        state=invitation.state(call.now).upper(),
        mode=show_mode(offer.mode),
        commission_percent=percent(offer.commission_bp),
        wholesale_discount_percent=percent(offer.discount_bp),
        purchase_limit_daily=offer.limit_daily,
        purchase_limit_monthly=offer.limit_monthly,
        products=offer.products,
        terms_url=offer.terms_url,
        expires_at=iso(invitation.expires_at),
        is_verified_first=offer.is_verified_first,
    )


_TEXT: Final = {"type": "string"}
_MAYBE: Final = {"type": ["string", "null"]}


def create_routes(portal: Portal) -> tuple[Route, ...]:
    """The routes of this file."""
    return (
        Route(
            method="POST", path=f"{PORTAL}/invitations/preview", name="previewInvitation",
            summary="What an invitation offers, in any state.", serves=portal.preview,
            for_guests=True, answer=ShownOffer, body={"token": _TEXT}, required=("token",),
        ),
        Route(
            method="POST", path=f"{PORTAL}/invitations/accept", name="acceptInvitation",
            summary="Accept an invitation: the relationship begins, and with it an account where there is none.",
            serves=portal.accept, for_guests=True, status=201, answer=ShownJoined,
            body={"token": _TEXT, "name": _MAYBE, "password": _MAYBE, "code": _MAYBE},
            required=("token",),
        ),
        Route(
            method="POST", path=f"{PORTAL}/sessions", name="signIn",
            summary="Sign in; the token is good until it is not used for a while, or signed out.",
            serves=portal.sign_in, for_guests=True, status=201, answer=ShownEntry,
            body={"email": {"type": "string", "format": "email"}, "password": _TEXT, "code": _MAYBE},
            required=("email", "password"),
        ),
        Route(
            method="DELETE", path=f"{PORTAL}/sessions/current", name="signOut",
            summary="End the session of this call.", serves=portal.sign_out, status=204,
        ),
        Route(
            method="GET", path=f"{PORTAL}/me", name="getVisitor",
            summary="Who is signed in, with their relationships.", serves=portal.me,
            answer=ShownVisitor,
        ),
        Route(
            method="GET", path=f"{PORTAL}/relationships", name="listMyRelationships",
            summary="The person's relationships of every shop and status, newest first.",
            serves=portal.relationships, answer=ShownMine, listed="cursor",
        ),
    )  # fmt: skip
