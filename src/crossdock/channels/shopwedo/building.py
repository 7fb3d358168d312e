"""Builds the channel, and describes its partners."""

from pathlib import Path

from crossdock.channels.contract import JSON_OBJECT, Channel, ChannelFacts, Services
from crossdock.channels.plumbing.describing import described
from crossdock.channels.shopwedo import NAME
from crossdock.channels.shopwedo.app import PREFIXES, build_app, build_handlers
from crossdock.channels.shopwedo.auth import Authenticator
from crossdock.channels.shopwedo.errors import render_error
from crossdock.channels.shopwedo.labels import LABEL_PATH, PATHS, STAFF_PAGE, LabelPages
from crossdock.channels.shopwedo.lists import WholeLists
from crossdock.channels.shopwedo.methods import Methods
from crossdock.channels.shopwedo.ordering import RELEASE_IMMEDIATE, RELEASE_LOOKING
from crossdock.channels.shopwedo.settings import ShopwedoSettings
from crossdock.channels.shopwedo.showing import DISCOUNT, DISCOUNTED, PROMOTION_PRICE
from crossdock.channels.shopwedo.trials import TRIALS
from crossdock.gate import create_gate
from crossdock.kit.languages import lazy
from crossdock.shop.partners import Signatures

FACTS = ChannelFacts(
    name=NAME,
    title="ShopWeDo",
    about=lazy("Web shops whose goods your warehouse holds: it ships what they sell."),
    permissions=(),
    settings={
        "release_mode": (RELEASE_LOOKING, RELEASE_IMMEDIATE),
        PROMOTION_PRICE: (DISCOUNT, DISCOUNTED),
        "replay_cache": ("yes", "no"),
        "require_v11_fields": ("yes", "no"),
        "stock_as_list": ("yes", "no"),
        "returns": (JSON_OBJECT,),
    },
    keys_are_numbers=True,
    needs_customer=False,
)


def create_channel(services: Services) -> Channel:
    """The channel, over the services of one process."""
    runtime = services.runtime
    signatures = Signatures(services.create_callers(NAME))
    folder = runtime.settings.server.data_path / "cache"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lists = WholeLists(runtime.database, folder=str(folder))
    methods = Methods(
        runtime.database,
        clock=runtime.clock,
        ids=services.ids,
        box=services.box,
        lists=lists,
        public_url=runtime.settings.server.public_url,
    )
    authenticator = Authenticator(
        signatures,
        clock=runtime.clock,
        skew_s=runtime.settings.section(ShopwedoSettings).skew_s,
        rate_limit_per_minute=runtime.settings.partners.rate_limit_per_minute,
    )
    label_pages = LabelPages(runtime.database, booking=services.booking, gate=create_gate(services))
    handlers = build_handlers(authenticator, methods.table(), lists=lists)
    app = build_app(handlers, label_pages=label_pages)
    return Channel(
        name=NAME,
        paths=(*PREFIXES, *PATHS, LABEL_PATH),
        app=app,
        direct=handlers,
        render_error=render_error,
        openapi=described(app.openapi, beside=__file__),
        trials=TRIALS,
        signing_script=Path(__file__).parent / "static/signing.js",
        staff_pages=(STAFF_PAGE,),
    )
