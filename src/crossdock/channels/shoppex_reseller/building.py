"""Builds the channel, and describes its partners."""

from datetime import timedelta
from functools import partial

from crossdock.channels.contract import Channel, ChannelFacts, Services
from crossdock.channels.plumbing import KeptAnswers
from crossdock.channels.plumbing.describing import described
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
    portal,
    portal_keys,
    portal_money,
    portal_payments,
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
from crossdock.channels.shoppex_reseller.portal import Portal
from crossdock.channels.shoppex_reseller.portal_desk import DeskPages
from crossdock.channels.shoppex_reseller.portal_door import PortalDoor
from crossdock.channels.shoppex_reseller.portal_frame import PortalFrame
from crossdock.channels.shoppex_reseller.portal_keys import Keys
from crossdock.channels.shoppex_reseller.portal_money import Statements
from crossdock.channels.shoppex_reseller.portal_pages import STAFF_PAGE, PortalPages, invitation_url
from crossdock.channels.shoppex_reseller.products import Products
from crossdock.channels.shoppex_reseller.reseller_orders import ResellerOrders
from crossdock.channels.shoppex_reseller.routes import DEV, RESELLER, Route, Router
from crossdock.channels.shoppex_reseller.serials import Serials
from crossdock.channels.shoppex_reseller.settings import ShoppexResellerSettings
from crossdock.channels.shoppex_reseller.trials import TRIALS
from crossdock.channels.shoppex_reseller.webhooks import Webhooks
from crossdock.gate import Gate, create_gate
from crossdock.kit.crypto import SecretBox
from crossdock.kit.languages import lazy
from crossdock.kit.pacing import Pacer
from crossdock.shop.invoices import PAYMENT_PAGES
from crossdock.shop.partners import Granting
from crossdock.shop.resellers import Joining

FACTS = ChannelFacts(
    name=NAME,
    title="Shoppex Reseller",
    about=lazy(
        "Back offices and apps of your shop, by keys with scopes. Resellers are invited, not added."
    ),
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
            subscribing=lambda: services.subscribing,
        ).routes(),
        *Invoices(lambda: services.mailing).routes(),
        *Webhooks(services).routes(),
        *programs.ROUTES,
        *relationships.create_routes(
            ids=services.ids,
            accept_url=partial(invitation_url, public_url),
            mailing=lambda: services.mailing,
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
        *portal.create_routes(
            Portal(
                services.runtime.database,
                people=services.people,
                joining=create_joining(services),
                ids=ShopIds(services.runtime.database),
            )
        ),
        *portal_keys.create_routes(Keys(public_url=public_url, ids=services.ids, box=box)),
        *portal_payments.create_routes(ids=services.ids),
        *portal_money.create_routes(
            Statements(services.runtime.database, fonts=lambda: services.label_fonts)
        ),
    ]


def create_channel(services: Services) -> Channel:
    """The channel, over the services of one process."""
    settings = services.settings.section(ShoppexResellerSettings)
    errors = Errors(public_url=services.settings.server.public_url)
    routes = create_routes(services)
    db, clock, gate = services.runtime.database, services.runtime.clock, create_gate(services)
    ids = ShopIds(db)
    pages = _create_pages(services, gate=gate, ids=ids)
    oauth = _create_oauth(services, gate=gate, errors=errors)
    embeds = Embeds(db, clock=clock, ids=ids, calls_per_minute=settings.embed_calls_per_minute)
    endpoint = Endpoint(
        Router(routes),
        authenticator=Authenticator(
            services.create_callers(NAME), settings=settings, failed=services.failed_calls
        ),
        source=gate.source,
        portal=PortalDoor(
            db,
            people=gate.people,
            ids=ids,
            failed=services.failed_calls,
            pacer=Pacer(clock, per_minute=settings.calls_per_minute),
        ),
        errors=errors,
        ids=ids,
        db=db,
        box=lambda: services.box,
        answers=KeptAnswers(services.changes, memory_bytes=settings.page_cache_mb * 1_000_000),
        clock=clock,
        keys_kept=timedelta(hours=settings.idempotency_hours),
        pay_url=f"{services.settings.server.public_url.rstrip('/')}{PAYMENT_PAGES}",
    )
    return Channel(
        name=NAME,
        paths=(DEV, RESELLER, "/portal", EMBED),
        app=build_app(endpoint, oauth=oauth, embeds=embeds.build_app(), pages=pages),
        direct={
            (route.method, route.path): endpoint.handle for route in routes if "{" not in route.path
        },
        render_error=errors.render,
        guests=(f"{DEV}/oauth", "/portal", EMBED),
        trials=TRIALS,
        openapi=described(lambda: openapi.document(routes), beside=__file__),
        staff_pages=(STAFF_PAGE,),
        accept_url=partial(invitation_url, services.settings.server.public_url),
    )


def _create_pages(services: Services, *, gate: Gate, ids: ShopIds) -> PortalPages:
    frame, db, clock = PortalFrame(), services.runtime.database, services.runtime.clock
    desk = DeskPages(
        frame,
        db=db,
        gate=gate,
        shop_ids=ids,
        statements=Statements(db, fonts=lambda: services.label_fonts),
        clock=clock,
        ids=services.ids,
        box=lambda: services.box,
        public_url=services.settings.server.public_url,
    )
    return PortalPages(
        frame, db=db, gate=gate, joining=create_joining(services), ids=ids, clock=clock, desk=desk
    )


def create_joining(services: Services) -> Joining:
    """Accepts invitations; the relationships' own shops call through this channel."""
    return Joining(
        services.people,
        db=services.runtime.database,
        clock=services.runtime.clock,
        ids=services.ids,
        channel=NAME,
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
