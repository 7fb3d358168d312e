"""Builds the channel, and describes its partners."""

from datetime import timedelta

from crossdock.channels.contract import Channel, ChannelFacts, Services
from crossdock.channels.shoppex_reseller import (
    NAME,
    analytics,
    coupons,
    customers,
    fulfillments,
    inventory,
    me,
    openapi,
    payouts,
    programs,
    purchases,
    relationships,
    reseller,
    sales,
)
from crossdock.channels.shoppex_reseller.app import build_app
from crossdock.channels.shoppex_reseller.auth import (
    EVERY_SCOPE,
    MERCHANT_PREFIX,
    SCOPES,
    Authenticator,
)
from crossdock.channels.shoppex_reseller.campaigns import Campaigns
from crossdock.channels.shoppex_reseller.consent import Consent
from crossdock.channels.shoppex_reseller.embeds import EMBED, Embeds, snippet
from crossdock.channels.shoppex_reseller.endpoint import Endpoint
from crossdock.channels.shoppex_reseller.errors import Errors
from crossdock.channels.shoppex_reseller.fulfillments import Fulfilling
from crossdock.channels.shoppex_reseller.ids import ShopIds
from crossdock.channels.shoppex_reseller.invoices import Invoices
from crossdock.channels.shoppex_reseller.oauth import PREFIXES, OAuth
from crossdock.channels.shoppex_reseller.orders import Orders
from crossdock.channels.shoppex_reseller.payments import Payments
from crossdock.channels.shoppex_reseller.products import Products
from crossdock.channels.shoppex_reseller.reseller_orders import ResellerOrders
from crossdock.channels.shoppex_reseller.routes import DEV, RESELLER, Route, Router
from crossdock.channels.shoppex_reseller.serials import Serials
from crossdock.channels.shoppex_reseller.settings import ShoppexResellerSettings
from crossdock.channels.shoppex_reseller.webhooks import Webhooks
from crossdock.gate import Gate, create_gate
from crossdock.kit.crypto import SecretBox
from crossdock.shop.invoices import PAYMENT_PAGES
from crossdock.shop.partners import Granting

FACTS = ChannelFacts(
    name=NAME,
    permissions=SCOPES,
    on_request=tuple(scope for scope in SCOPES if scope != EVERY_SCOPE),
    settings={},
    needs_customer=False,
    proof="bearer",
    token_prefix=MERCHANT_PREFIX,
    shown_as={"token": "api_key"},
)


def create_routes(services: Services) -> list[Route]:
    """Every route; a further subject is a module with a line here."""
    public_url = services.settings.server.public_url.rstrip("/")
    limits = services.settings.section(ShoppexResellerSettings).purchase_limit_unit

    def box() -> SecretBox:
        return services.box

    def accept_url(token: str) -> str:
        return f"{public_url}/portal/invite/token/{token}"

    def pay_url(token: str) -> str:
        return f"{public_url}/pay/{token}"

    return [
        *me.routes(),
        *Products(box).routes(),
        *Serials(box).routes(),
        *Orders(
            ids=services.ids,
            mailing=lambda: services.mailing,
            own_requires_stock=services.own_requires_stock,
            pay_within_s=services.settings.section(ShoppexResellerSettings).pay_within_s,
        ).routes(),
        *customers.routes(),
        *coupons.routes(),
        *Payments(
            ids=services.ids,
            pay_within_s=services.settings.section(ShoppexResellerSettings).pay_within_s,
        ).routes(),
        *Invoices(lambda: services.mailing).routes(),
        *Webhooks(services).routes(),
        *programs.ROUTES,
        *relationships.create_routes(
            ids=services.ids, accept_url=accept_url, mailing=lambda: services.mailing
        ),
        *Campaigns(box=box, snippet=lambda token: snippet(public_url, token)).routes(),
        *analytics.ROUTES,
        *sales.ROUTES,
        *payouts.ROUTES,
        *reseller.ROUTES,
        *fulfillments.create_routes(
            Fulfilling(services.runtime.database, ids=services.ids, box=box, limits=limits)
        ),
        *purchases.create_routes(limits=limits, ids=services.ids, pay_url=pay_url),
        *ResellerOrders(
            services.runtime.database, ids=services.ids, box=box, limits=limits
        ).routes(),
        *inventory.create_routes(box=box, mailing=lambda: services.mailing),
    ]


def create_channel(services: Services) -> Channel:
    """The channel, over the services of one process."""
    settings = services.settings.section(ShoppexResellerSettings)
    errors = Errors(public_url=services.settings.server.public_url)
    routes, ids = create_routes(services), ShopIds(services.runtime.database)
    embeds = Embeds(services.runtime.database, clock=services.runtime.clock, ids=ids)
    gate = create_gate(services)
    endpoint = Endpoint(
        Router(routes),
        authenticator=Authenticator(
            services.create_callers(NAME), settings=settings, failed=services.failed_calls
        ),
        source=gate.source,
        errors=errors,
        ids=ids,
        db=services.runtime.database,
        box=lambda: services.box,
        clock=services.runtime.clock,
        keys_kept=timedelta(hours=settings.idempotency_hours),
        pay_url=f"{services.settings.server.public_url.rstrip('/')}{PAYMENT_PAGES}",
    )
    return Channel(
        name=NAME,
        paths=(DEV, RESELLER, EMBED),
        app=build_app(
            endpoint,
            oauth=_create_oauth(services, gate=gate, errors=errors),
            embeds=embeds.build_app(),
        ),
        render_error=errors.render,
        openapi=lambda: openapi.document(routes),
    )


def _create_oauth(services: Services, *, gate: Gate, errors: Errors) -> OAuth:
    db, clock = services.runtime.database, services.runtime.clock
    granting = Granting(
        prefixes=PREFIXES,
        ids=services.ids,
        refresh_days=services.settings.section(ShoppexResellerSettings).oauth_refresh_days,
    )
    consent = Consent(db, gate=gate, granting=granting, clock=clock, errors=errors)
    return OAuth(
        db,
        consent=consent,
        gate=gate,
        granting=granting,
        failed=services.failed_calls,
        clock=clock,
    )
