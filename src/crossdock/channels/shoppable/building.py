"""Builds the channel, and describes its partners."""

from crossdock.channels.contract import ANY_TEXT, HTTPS_ORIGINS, Channel, ChannelFacts, Services
from crossdock.channels.plumbing.describing import described
from crossdock.channels.shoppable import (
    NAME,
    carts,
    catalogue,
    checkout,
    feed,
    hosted_links,
    hosted_pages,
    orders,
)
from crossdock.channels.shoppable.app import build_app, build_handlers
from crossdock.channels.shoppable.auth import Authenticator
from crossdock.channels.shoppable.cart_showing import CartShowing
from crossdock.channels.shoppable.carts import CartCalls
from crossdock.channels.shoppable.catalogue import Catalogue
from crossdock.channels.shoppable.checkout import CheckoutCalls
from crossdock.channels.shoppable.errors import render_error
from crossdock.channels.shoppable.feed import FeedCalls
from crossdock.channels.shoppable.hosted import HostedCheckout
from crossdock.channels.shoppable.hosted_pages import HostedPages
from crossdock.channels.shoppable.hosted_showing import HostedShowing
from crossdock.channels.shoppable.hosted_state import Sealing
from crossdock.channels.shoppable.orders import OrderCalls
from crossdock.channels.shoppable.paging import Paging
from crossdock.channels.shoppable.product import Products
from crossdock.channels.shoppable.settings import ShoppableSettings
from crossdock.channels.shoppable.shelf import Shelf
from crossdock.channels.shoppable.showing import Showing
from crossdock.channels.shoppable.trials import TRIALS
from crossdock.gate import create_gate
from crossdock.kit.languages import lazy
from crossdock.shop.partners import BearerTokens, Callers

FACTS = ChannelFacts(
    name=NAME,
    title="Shoppable",
    about=lazy(
        "Publishers and brands: they search many merchants' goods and sell them in one cart."
    ),
    permissions=(
        catalogue.PERMISSION,
        carts.PERMISSION,
        checkout.PERMISSION,
        feed.PERMISSION,
        orders.PERMISSION,
    ),
    on_request=(orders.PERMISSION,),
    settings={"domain": (ANY_TEXT,), hosted_links.SETTING: (HTTPS_ORIGINS,)},
    needs_customer=False,
    proof="bearer",
    further_proofs=("password",),
    shown_as={"user_name": "order_user_id", "password": "order_password"},
)


def create_channel(services: Services) -> Channel:
    """The channel, over the services of one process."""
    settings = services.settings
    callers = services.create_callers(NAME)
    authenticator = Authenticator(
        BearerTokens(callers), rate_limit_per_minute=settings.partners.rate_limit_per_minute
    )
    order_calls = OrderCalls(services.runtime.database)
    shelf = _shelf(services)
    showing = CartShowing(options=services.building.options, base=settings.server.public_url)
    checkouts = CheckoutCalls(
        services.checking_out,
        orders=order_calls,
        showing=showing,
        provider=settings.section(ShoppableSettings).payment_provider,
    )
    routes = (
        *_catalogue(services, shelf).routes(authenticator),
        *Products(shelf).routes(authenticator),
        *CartCalls(services.carts, showing=showing).routes(authenticator),
        *checkouts.routes(authenticator),
        *order_calls.routes(authenticator),
        *_feeds(services, callers).routes(),
    )
    app = build_app(routes)
    pages = _hosted(services, authenticator, checkouts=checkouts, showing=showing)
    return Channel(
        name=NAME,
        paths=("/v3", checkout.BELOW, feed.AUTH_PATH, hosted_pages.PATH),
        app=app,
        guests=(hosted_pages.PATH,),
        direct={**build_handlers(routes), **pages.handlers()},
        render_error=render_error,
        trials=TRIALS,
        openapi=described(app.openapi, beside=__file__),
    )


def _feeds(services: Services, callers: Callers) -> FeedCalls:
    settings = services.settings
    return FeedCalls(
        services.runtime.database,
        tokens=services.create_access_tokens(
            callers, passwords=services.create_passwords(callers), ttl_s=feed.TOKEN_S
        ),
        rate_limit_per_minute=settings.partners.rate_limit_per_minute,
        gate=create_gate(services),
    )


def _hosted(
    services: Services,
    authenticator: Authenticator,
    *,
    checkouts: CheckoutCalls,
    showing: CartShowing,
) -> HostedCheckout:
    sealing = Sealing(services.box)
    return HostedCheckout(
        services.checking_out,
        authenticator=authenticator,
        checkouts=checkouts,
        sealing=sealing,
        pages=HostedPages(sealing, showing=HostedShowing(showing), clock=services.runtime.clock),
    )


def _shelf(services: Services) -> Shelf:
    settings = services.settings
    return Shelf(
        services.runtime.database,
        showing=Showing(options=services.building.options, base=settings.server.public_url),
        clock=services.runtime.clock,
        changes=services.changes,
        own_requires_stock=services.own_requires_stock,
        memory_bytes=_cache_bytes(services),
    )


def _cache_bytes(services: Services) -> int:
    """Half of the cache's memory: for pages as a whole, and for the products on them."""
    return services.settings.section(ShoppableSettings).page_cache_mb * 500_000


def _catalogue(services: Services, shelf: Shelf) -> Catalogue:
    settings = services.settings
    return Catalogue(
        shelf,
        searching=services.searching,
        paging=Paging(public_url=settings.server.public_url),
        operator=settings.section(ShoppableSettings).default_operator,
        memory_bytes=_cache_bytes(services),
    )
