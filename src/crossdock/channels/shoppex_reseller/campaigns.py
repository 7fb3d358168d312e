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
from crossdock.channels.shoppex_reseller.routes import DEV, Route
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
    """How often a campaign was shown and followed, and what it sold less what was refunded."""

    views: int
    clicks: int
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
    embed_snippet: str
    attribution_code: str
    stats: ShownStats
    paused_at: str | None
    revoked_at: str | None
    created_at: str | None
    updated_at: str | None


class Campaigns:
    """The calls of campaigns; `snippet` writes what a page includes to show one, from its token."""

    def __init__(self, *, box: Callable[[], SecretBox], snippet: Callable[[str], str]) -> None:
        self._box = box
        self._snippet = snippet

    def routes(self) -> tuple[Route, ...]:
        """The routes of this file."""
        return (
            Route(
                method="GET", covers="shop", path=_ALL, name="listEmbedCampaigns",
                summary="A reseller's embed campaigns of every status, newest first.",
                scope="resellers.read", reads=self._list, answer=ShownCampaign, listed="cursor",
                query={"status": _STATUS},
            ),
            Route(
                method="POST", covers="shop", path=_ALL, name="createEmbedCampaign",
                summary="Begin an embed campaign of an active reseller.",
                scope="resellers.write", writes=self._create, status=201, answer=ShownCampaign,
                body={"name": _NAME, "product_ids": _IDS, "variant_ids": _IDS}, required=("name",),
            ),
            Route(
                method="PATCH", covers="shop", path=f"{_ALL}/{{campaignId}}", name="updateEmbedCampaign",
                summary="Rename an embed campaign, or pause, resume or revoke it; what it earned stays.",
                scope="resellers.write", writes=self._patch, answer=ShownCampaign,
                body={"name": _NAME, "status": _STATUS},
            ),
        )  # fmt: skip

    async def _list(self, call: Call, tx: Transaction) -> Reply:
        reseller_id, page = call.number(Kind.RELATIONSHIP), call.place_page(Kind.CAMPAIGN)
        filters = call.filters()
        status = filters.choice("status", STATUSES)
        filters.check()
        await read_reseller(tx, shop_id=call.shop_id, reseller_id=reseller_id)  # or 404
        found = await list_campaigns(
            tx, shop_id=call.shop_id, reseller_id=reseller_id, page=page, status=status
        )
        return cursor_list(
            found,
            page=page,
            kind=Kind.CAMPAIGN,
            ids=call.ids,
            place=lambda each: (each.created_at, each.id),
            show=lambda each: self._show(call, each),
        )

    async def _create(self, call: Call, tx: Transaction) -> Reply:
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
                box=self._box(),
                now=call.now,
            )
        except Invalid as error:
            field, place = str(error.data["field"]), error.data["place"]
            raise invalid((f"{field}[{place}]", _NO_GOODS[field])) from error
        return one(self._show(call, campaign), status=201)

    async def _patch(self, call: Call, tx: Transaction) -> Reply:
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
        return one(self._show(call, campaign))

    def _show(self, call: Call, campaign: Campaign) -> ShownCampaign:
        ids, sums = call.ids, campaign.sums
        return ShownCampaign(
            id=ids.write(Kind.CAMPAIGN, campaign.id),
            reseller_relationship_id=ids.write(Kind.RELATIONSHIP, campaign.reseller_id),
            name=campaign.name,
            status=campaign.status.upper(),
            product_ids=[ids.write(Kind.PRODUCT, number) for number in campaign.product_ids],
            variant_ids=[ids.write(Kind.VARIANT, number) for number in campaign.variant_ids],
            public_token=campaign.public_token,
            embed_snippet=self._snippet(campaign.public_token),
            attribution_code=campaign.attribution_code,
            stats=ShownStats(
                views=sums.views,
                clicks=sums.clicks,
                sales=sums.sales,
                revenue=number(sums.revenue_minor, call.currency),
                commission=number(sums.commission_minor, call.currency),
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
