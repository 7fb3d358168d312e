"""Builds the channel, and describes its partners."""

from pathlib import Path

from crossdock.channels.contract import Channel, ChannelFacts, Services
from crossdock.channels.plumbing.describing import described
from crossdock.channels.shoppex_partner import NAME
from crossdock.channels.shoppex_partner.app import PREFIX, Door, build_app, path_in_query
from crossdock.channels.shoppex_partner.auth import Authenticator
from crossdock.channels.shoppex_partner.catalogue import CatalogueAnswers
from crossdock.channels.shoppex_partner.errors import render_error
from crossdock.channels.shoppex_partner.explain import PATH, Explainer, ExplainTool
from crossdock.channels.shoppex_partner.pages import OrderPages
from crossdock.channels.shoppex_partner.settings import ShoppexPartnerSettings
from crossdock.channels.shoppex_partner.trials import TRIALS
from crossdock.kit.languages import lazy
from crossdock.shop.partners import Signatures

FACTS = ChannelFacts(
    name=NAME,
    title="Shoppex Partner",
    about=lazy(
        "Wholesale partners: their program reads the catalogue and places orders, each call signed."
    ),
    permissions=("products.read", "orders.create"),
    settings={},
)


def create_channel(services: Services) -> Channel:
    """The channel, over the services of one process."""
    runtime = services.runtime
    settings = runtime.settings
    own = settings.section(ShoppexPartnerSettings)
    signatures = Signatures(services.create_callers(NAME))
    folder = settings.server.data_path / "cache"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    door = Door(
        authenticator=Authenticator(
            signatures,
            clock=runtime.clock,
            settings=own,
            rate_limit_per_minute=settings.partners.rate_limit_per_minute,
        ),
        catalogue=CatalogueAnswers(
            runtime.database,
            clock=runtime.clock,
            folder=str(folder),
            own_requires_stock=services.own_requires_stock,
            memory_bytes=own.catalogue_cache_mb * 1_000_000,
        ),
        placing=services.placing,
        settings=own,
        public_url=settings.server.public_url,
    )
    explainer = Explainer(runtime.database, signatures, clock=runtime.clock, settings=own)
    app = build_app(
        door,
        order_pages=OrderPages(runtime.database, public_url=settings.server.public_url),
        tool=ExplainTool(explainer),
    )
    return Channel(
        name=NAME,
        paths=(PREFIX, "/order-detail", PATH),
        app=app,
        guests=("/order-detail",),
        direct=door.handlers(),
        render_error=render_error,
        path_in_query=path_in_query,
        openapi=described(app.openapi, beside=__file__),
        trials=TRIALS,
        signing_script=Path(__file__).parent / "static/signing.js",
    )
