"""`/dev/v1/resellers/{id}/embed-campaigns` (spec sections 6.8, 8.6)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import UNSET

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.errors import invalid
from crossdock.channels.shoppex_reseller.fields import Fields
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.routes import DEV, Route, Writes
from crossdock.channels.shoppex_reseller.wire import Reply, iso, number, one
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.crypto import SecretBox
from crossdock.shop.resellers import (
    NAME_MAX,
    Campaign,
    CampaignChanges,
    CampaignStatus,
    NewCampaign,
    change_campaign,
    create_campaign,
    list_campaigns,
    read_reseller,
)

GOODS_MAX: Final = 500
STATUSES: Final[dict[str, CampaignStatus]] = {
    "ACTIVE": "active",
    "PAUSED": "paused",
    "REVOKED": "revoked",
}
_NO_GOODS: Final = {
    "product_ids": "is no product of the shop",
    "variant_ids": "is no variant of the shop",
}


class ShownStats(msgspec.Struct, kw_only=True):
    """What a campaign sold, less what was refunded."""

    sales: int
    revenue: Decimal | None
    commission: Decimal | None


class ShownCampaign(msgspec.Struct, kw_only=True):
    """A campaign; without products and variants it is for all that the reseller may sell."""

    id: str
    reseller_relationship_id: str
    name: str
    status: str
    product_ids: list[str]
    variant_ids: list[str]
    public_token: str
    attribution_code: str
    stats: ShownStats
    paused_at: str | None
    revoked_at: str | None
    created_at: str | None
    updated_at: str | None


async def list_(call: Call, tx: Transaction) -> Reply:
    """The relationship's campaigns, newest first."""
    reseller_id, page = call.number(Kind.RELATIONSHIP), call.place_page(Kind.CAMPAIGN)
    filters = call.filters()
    status = filters.choice("status", STATUSES)
    filters.check()
    await read_reseller(tx, shop_id=call.shop_id, reseller_id=reseller_id)  # 404 for another shop's
    found = await list_campaigns(
        tx, shop_id=call.shop_id, reseller_id=reseller_id, page=page, status=status
    )
    return cursor_list(
        found,
        page=page,
        kind=Kind.CAMPAIGN,
        ids=call.ids,
        place=lambda each: (each.created_at, each.id),
        show=lambda each: show(call, each),
    )


def create(box: Callable[[], SecretBox]) -> Writes:
    """Answers the route that begins a campaign."""

    async def act(call: Call, tx: Transaction) -> Reply:
        reseller_id, fields = call.number(Kind.RELATIONSHIP), call.fields()
        name = fields.text("name", required=True, longest=NAME_MAX)
        products = _goods(call, fields, "product_ids", Kind.PRODUCT)
        variants = _goods(call, fields, "variant_ids", Kind.VARIANT)
        fields.check()
        assert name is not None  # required
        try:
            campaign = await create_campaign(
                tx,
                shop_id=call.shop_id,
                reseller_id=reseller_id,
                campaign=NewCampaign(name=name, product_ids=products, variant_ids=variants),
                write_id=lambda number: call.ids.write(Kind.CAMPAIGN, number),
                box=box(),
                now=call.now,
            )
        except Invalid as error:
            field, place = str(error.data["field"]), error.data["place"]
            raise invalid((f"{field}[{place}]", _NO_GOODS[field])) from error
        return one(show(call, campaign), status=201)

    return act


async def patch(call: Call, tx: Transaction) -> Reply:
    """Rename a campaign, or change its status."""
    reseller_id = call.number(Kind.RELATIONSHIP)
    campaign_id, fields = call.number(Kind.CAMPAIGN, "campaignId"), call.fields()
    name = fields.text("name", longest=NAME_MAX)
    status = fields.choice("status", STATUSES)
    if name == "":
        fields.refuse("name", "must not be empty")
    if not fields.given("name") and not fields.given("status"):
        fields.refuse("status", "or a name is required")
    fields.check()
    changes = CampaignChanges(
        name=UNSET if name is None else name, status=UNSET if status is None else status
    )
    campaign = await change_campaign(
        tx,
        shop_id=call.shop_id,
        reseller_id=reseller_id,
        campaign_id=campaign_id,
        changes=changes,
        now=call.now,
    )
    return one(show(call, campaign))


def show(call: Call, campaign: Campaign) -> ShownCampaign:
    """A campaign as it is told."""
    return ShownCampaign(
        id=call.ids.write(Kind.CAMPAIGN, campaign.id),
        reseller_relationship_id=call.ids.write(Kind.RELATIONSHIP, campaign.reseller_id),
        name=campaign.name,
        status=campaign.status.upper(),
        product_ids=[call.ids.write(Kind.PRODUCT, number) for number in campaign.product_ids],
        variant_ids=[call.ids.write(Kind.VARIANT, number) for number in campaign.variant_ids],
        public_token=campaign.public_token,
        attribution_code=campaign.attribution_code,
        stats=ShownStats(
            sales=campaign.sums.sales,
            revenue=number(campaign.sums.revenue_minor, call.currency),
            commission=number(campaign.sums.commission_minor, call.currency),
        ),
        paused_at=iso(campaign.paused_at),
        revoked_at=iso(campaign.revoked_at),
        created_at=iso(campaign.created_at),
        updated_at=iso(campaign.updated_at),
    )


def _goods(call: Call, fields: Fields, name: str, kind: Kind) -> tuple[int, ...]:
    """The numbers behind a list of ids; each that is none, or is there twice, is noted."""
    found: list[int] = []
    for place, text in enumerate(fields.texts(name, most=GOODS_MAX, nullable=True) or ()):
        number = call.ids.find(kind, text)
        if number is None or number in found:
            wrong = _NO_GOODS[name] if number is None else "is there twice"
            fields.refuse(f"{name}[{place}]", wrong)
        else:
            found.append(number)
    return tuple(found)


_ALL: Final = f"{DEV}/resellers/{{id}}/embed-campaigns"
_NAME: Final[dict[str, Any]] = {"type": "string", "minLength": 1, "maxLength": NAME_MAX}
_IDS: Final[dict[str, Any]] = {"type": "array", "items": {"type": "string"}, "maxItems": GOODS_MAX}
_STATUS: Final[dict[str, Any]] = {"type": "string", "enum": [*STATUSES]}


def create_routes(*, box: Callable[[], SecretBox]) -> tuple[Route, ...]:
    """The routes of campaigns."""
    return (
        Route(
            method="GET", path=_ALL, name="listEmbedCampaigns",
            summary="A reseller's embed campaigns of every status, newest first.",
            scope="resellers.read", reads=list_, answer=ShownCampaign, listed="cursor",
            query={"status": _STATUS},
        ),
        Route(
            method="POST", path=_ALL, name="createEmbedCampaign",
            summary="Begin an embed campaign of an active reseller.",
            scope="resellers.write", writes=create(box), status=201, answer=ShownCampaign,
            body={"name": _NAME, "product_ids": _IDS, "variant_ids": _IDS}, required=("name",),
        ),
        Route(
            method="PATCH", path=f"{_ALL}/{{campaignId}}", name="updateEmbedCampaign",
            summary="Rename an embed campaign, or pause, resume or revoke it; what it earned stays.",
            scope="resellers.write", writes=patch, answer=ShownCampaign,
            body={"name": _NAME, "status": _STATUS},
        ),
    )  # fmt: skip
