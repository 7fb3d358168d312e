"""`/dev/v1/resellers`: invite resellers, and their relationships (spec sections 6.3, 6.4)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.errors import invalid
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.programs import MODES, MODES_READ, show_mode
from crossdock.channels.shoppex_reseller.routes import DEV, Route, Writes
from crossdock.channels.shoppex_reseller.terms import ACCESS, TERMS, ReadTerms, read_terms
from crossdock.channels.shoppex_reseller.wire import Reply, iso, number, one, percent
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, Invalid
from crossdock.kit.ids import Ids
from crossdock.shop.mailing import Mailing
from crossdock.shop.resellers import (
    EXPIRES_DAYS,
    EXPIRES_DAYS_MAX,
    Action,
    NewInvitation,
    ProductTerms,
    Reseller,
    Status,
    change_terms,
    invite_by_mail,
    list_resellers,
    move_reseller,
    read_reseller,
)

STATUSES: Final[dict[str, Status]] = {
    "INVITED": "invited",
    "ACTIVE": "active",
    "SUSPENDED": "suspended",
    "TERMINATED": "terminated",
}


class ShownAccess(msgspec.Struct, kw_only=True):
    """A product that a reseller may sell, with what is agreed for it."""

    product_id: str
    commission_percent_override: Decimal | None
    wholesale_price_override: Decimal | None
    min_quantity: int | None
    max_quantity: int | None
    auto_fulfilled_enabled: bool
    min_resale_price: Decimal | None
    max_resale_price: Decimal | None


class ShownReseller(msgspec.Struct, kw_only=True):
    """A relationship. `product_access` null is every product of the shop."""

    id: str
    shop_id: str
    email: str
    status: str
    mode: str
    custom_commission_percent: Decimal | None
    custom_wholesale_discount_percent: Decimal | None
    purchase_limit_daily: int | None
    purchase_limit_monthly: int | None
    product_access: list[ShownAccess] | None
    attribution_code: str
    invitation_id: str
    verified_at: str | None
    suspended_at: str | None
    terminated_at: str | None
    created_at: str | None
    updated_at: str | None


class ShownInvitation(msgspec.Struct, kw_only=True):
    """An invitation; `token` and `accept_url` are told only here, and are null in a repeated answer."""

    id: str
    shop_id: str
    email: str
    invite_type: str
    role: str | None
    expires_at: str | None
    accepted_at: str | None
    revoked_at: str | None
    token: str | None
    accept_url: str | None


class ShownMail(msgspec.Struct, kw_only=True):
    """Whether the invitation was sent by mail; the invitation is good in any case."""

    status: str
    event_id: str | None
    error: str | None


class ShownInvite(msgspec.Struct, kw_only=True):
    """The answer to an invitation."""

    invitation: ShownInvitation
    email_delivery: ShownMail


async def list_(call: Call, tx: Transaction) -> Reply:
    """The shop's relationships of every status, newest first."""
    page, filters = call.place_page(Kind.RELATIONSHIP), call.filters()
    status = filters.choice("status", STATUSES)
    mode = filters.choice("mode", MODES_READ)
    email = filters.email("email")
    filters.check()
    found = await list_resellers(
        tx, shop_id=call.shop_id, page=page, status=status, mode=mode, email=email
    )
    return cursor_list(
        found,
        page=page,
        kind=Kind.RELATIONSHIP,
        ids=call.ids,
        place=lambda each: (each.created_at, each.id),
        show=lambda each: show(call, each),
    )


async def get(call: Call, tx: Transaction) -> Reply:
    """One relationship."""
    reseller_id = call.number(Kind.RELATIONSHIP)
    return one(show(call, await read_reseller(tx, shop_id=call.shop_id, reseller_id=reseller_id)))


async def patch(call: Call, tx: Transaction) -> Reply:
    """Change terms of a relationship."""
    reseller_id = call.number(Kind.RELATIONSHIP)
    read = read_terms(call, call.fields())
    try:
        reseller = await change_terms(
            tx, shop_id=call.shop_id, reseller_id=reseller_id, terms=read.terms, now=call.now
        )
    except Invalid as error:
        raise _named(error, read) from error
    return one(show(call, reseller))


def move(action: Action) -> Writes:
    """Answers the route of an action."""

    async def act(call: Call, tx: Transaction) -> Reply:
        reseller = await move_reseller(
            tx,
            shop_id=call.shop_id,
            reseller_id=call.number(Kind.RELATIONSHIP),
            action=action,
            now=call.now,
        )
        return one(show(call, reseller))

    return act


def create_invite(
    *, ids: Ids, accept_url: Callable[[str], str], mailing: Callable[[], Mailing]
) -> Writes:
    """Answers the route that invites by mail; `accept_url` is the address where a token is accepted."""

    async def act(call: Call, tx: Transaction) -> Reply:
        fields = call.fields()
        email = fields.email("email", required=True)
        days = fields.whole("expires_in_days", least=1, most=EXPIRES_DAYS_MAX)
        read = read_terms(call, fields)
        assert email is not None  # required
        try:
            made = await invite_by_mail(
                tx,
                shop_id=call.shop_id,
                email=email,
                terms=read.terms,
                accept_url=accept_url,
                mailing=mailing(),
                ids=ids,
                now=call.now,
                expires_in_days=days or EXPIRES_DAYS,
            )
        except Invalid as error:
            raise _named(error, read) from error
        shown = ShownInvite(
            invitation=_show_invitation(call, made.invited, accept_url=made.accept_url),
            email_delivery=ShownMail(
                status="queued", event_id=call.ids.write(Kind.EVENT, made.mail_id), error=None
            ),
        )
        return one(shown, status=201)

    return act


def show(call: Call, reseller: Reseller) -> ShownReseller:
    """A relationship as it is told."""
    products = reseller.products
    return ShownReseller(
        id=call.ids.write(Kind.RELATIONSHIP, reseller.id),
        shop_id=call.ids.write(Kind.SHOP, reseller.shop_id),
        email=reseller.email,
        status=reseller.status.upper(),
        mode=show_mode(reseller.mode),
        custom_commission_percent=percent(reseller.commission_bp),
        custom_wholesale_discount_percent=percent(reseller.discount_bp),
        purchase_limit_daily=reseller.limit_daily,
        purchase_limit_monthly=reseller.limit_monthly,
        product_access=None
        if products is None
        else [_show_access(call, terms) for terms in products],
        attribution_code=reseller.attribution_code,
        invitation_id=call.ids.write(Kind.INVITATION, reseller.invitation_id),
        verified_at=iso(reseller.verified_at),
        suspended_at=iso(reseller.suspended_at),
        terminated_at=iso(reseller.terminated_at),
        created_at=iso(reseller.created_at),
        updated_at=iso(reseller.updated_at),
    )


def _show_access(call: Call, terms: ProductTerms) -> ShownAccess:
    return ShownAccess(
        product_id=call.ids.write(Kind.PRODUCT, terms.product_id),
        commission_percent_override=percent(terms.commission_bp),
        wholesale_price_override=number(terms.wholesale_minor, call.currency),
        min_quantity=terms.min_quantity,
        max_quantity=terms.max_quantity,
        auto_fulfilled_enabled=terms.auto_fulfilled,
        min_resale_price=number(terms.min_resale_minor, call.currency),
        max_resale_price=number(terms.max_resale_minor, call.currency),
    )


def _show_invitation(call: Call, invited: NewInvitation, *, accept_url: str) -> ShownInvitation:
    invitation = invited.invitation
    return ShownInvitation(
        id=call.ids.write(Kind.INVITATION, invitation.id),
        shop_id=call.ids.write(Kind.SHOP, invitation.shop_id),
        email=invitation.email,
        invite_type="RESELLER",
        role=None,
        expires_at=iso(invitation.expires_at),
        accepted_at=None,
        revoked_at=None,
        token=invited.token,
        accept_url=accept_url,
    )


def _named(error: Invalid, read: ReadTerms) -> CrossdockError:
    """The core's refusal of a product, under the name of its field."""
    place = error.data.get("place")
    if isinstance(place, int):
        return invalid((read.names[place], "is no product of the shop"))
    return error


_ONE: Final = f"{DEV}/resellers/{{id}}"
_FILTERS: Final[dict[str, dict[str, Any]]] = {
    "status": {"type": "string", "enum": [*STATUSES]},
    "mode": {"type": "string", "enum": [*MODES]},
    "email": {"type": "string"},
}
_INVITATION: Final[dict[str, dict[str, Any]]] = {
    "email": {"type": "string", "format": "email"},
    **TERMS,
    **ACCESS,
    "expires_in_days": {
        "type": "integer",
        "minimum": 1,
        "maximum": EXPIRES_DAYS_MAX,
        "default": EXPIRES_DAYS,
    },
}


def create_routes(
    *, ids: Ids, accept_url: Callable[[str], str], mailing: Callable[[], Mailing]
) -> tuple[Route, ...]:
    """The routes of relationships."""
    return (
        Route(
            method="GET", covers="shop", path=f"{DEV}/resellers", name="listResellers",
            summary="The shop's resellers of every status, newest first.",
            scope="resellers.read", reads=list_, answer=ShownReseller, listed="cursor",
            query=_FILTERS,
        ),
        Route(
            method="POST", covers="shop", path=f"{DEV}/resellers/invite", name="inviteReseller",
            summary="Invite a reseller; an invitation of the same address that is pending is revoked.",
            scope="resellers.write", writes=create_invite(ids=ids, accept_url=accept_url, mailing=mailing),
            status=201, answer=ShownInvite, body=_INVITATION, required=("email",),
            told_once=("invitation.token", "invitation.accept_url"),
        ),
        Route(
            method="GET", covers="shop", path=_ONE, name="getReseller", summary="One reseller.",
            scope="resellers.read", reads=get, answer=ShownReseller,
        ),
        Route(
            method="PATCH", covers="shop", path=_ONE, name="updateReseller",
            summary="Change a reseller's terms; absent ones stay, null clears, lists are replaced.",
            scope="resellers.write", writes=patch, answer=ShownReseller, body={**TERMS, **ACCESS},
        ),
        Route(
            method="POST", covers="shop", path=f"{_ONE}/suspend", name="suspendReseller",
            summary="Suspend a reseller: its keys do not work until it is active again.",
            scope="resellers.write", writes=move("suspend"), answer=ShownReseller,
        ),
        Route(
            method="POST", covers="shop", path=f"{_ONE}/terminate", name="terminateReseller",
            summary="End a relationship for ever; its balance and history stay.",
            scope="resellers.write", writes=move("terminate"), answer=ShownReseller,
        ),
    )  # fmt: skip
