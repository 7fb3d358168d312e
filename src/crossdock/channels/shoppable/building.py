"""Builds the channel, and describes its partners."""

from crossdock.channels.contract import Channel, ChannelFacts, Services
from crossdock.channels.shoppable import NAME
from crossdock.channels.shoppable.app import build_app, build_handlers
from crossdock.channels.shoppable.auth import Authenticator
from crossdock.channels.shoppable.catalogue import PERMISSION, Catalogue
from crossdock.channels.shoppable.errors import render_error
from crossdock.channels.shoppable.paging import Paging
from crossdock.channels.shoppable.product import Products
from crossdock.channels.shoppable.settings import ShoppableSettings
from crossdock.channels.shoppable.showing import Showing
from crossdock.shop.partners import BearerTokens

FACTS = ChannelFacts(
    name=NAME,
    permissions=(PERMISSION,),
    settings={},
    needs_customer=False,
    proof="bearer",
)


def create_channel(services: Services) -> Channel:
    """The channel, over the services of one process."""
    runtime = services.runtime
    settings = runtime.settings
    authenticator = Authenticator(
        BearerTokens(services.create_callers(NAME)),
        rate_limit_per_minute=settings.partners.rate_limit_per_minute,
    )
    showing = Showing(options=services.building.options, base=settings.server.public_url)
    catalogue = Catalogue(
        runtime.database,
        searching=services.searching,
        showing=showing,
        paging=Paging(public_url=settings.server.public_url),
        clock=runtime.clock,
        bounds=services.searching.bounds,
        operator=settings.section(ShoppableSettings).default_operator,
        own_requires_stock=settings.stock.sc_requires_stock,
    )
    products = Products(
        runtime.database,
        showing=showing,
        clock=runtime.clock,
        own_requires_stock=settings.stock.sc_requires_stock,
    )
    routes = (*catalogue.routes(authenticator), *products.routes(authenticator))
    app = build_app(routes)
    return Channel(
        name=NAME,
        paths=("/v3",),
        app=app,
        direct=build_handlers(routes),
        render_error=render_error,
        openapi=app.openapi,
    )
