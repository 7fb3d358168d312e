"""Builds the channel, and describes its partners."""

from crossdock.channels.contract import (
    HTTPS_URL,
    SECRET_TEXT,
    WEBHOOK_SECRET,
    Channel,
    ChannelFacts,
    Services,
)
from crossdock.channels.plumbing import KeptAnswers
from crossdock.channels.plumbing.describing import described
from crossdock.channels.shoppo import NAME, console
from crossdock.channels.shoppo.app import build_app
from crossdock.channels.shoppo.auth import PERMISSION, Authenticator
from crossdock.channels.shoppo.calling import SIGNING, TOKEN
from crossdock.channels.shoppo.catalogue import Catalogue
from crossdock.channels.shoppo.console import Console
from crossdock.channels.shoppo.documents import Documents
from crossdock.channels.shoppo.endpoint import PATH, Endpoint
from crossdock.channels.shoppo.errors import render_error
from crossdock.channels.shoppo.executing import Executing
from crossdock.channels.shoppo.ids import ShopIds
from crossdock.channels.shoppo.images import Images
from crossdock.channels.shoppo.limits import BODY_BYTES
from crossdock.channels.shoppo.multipart import Uploads
from crossdock.channels.shoppo.notifying import URLS
from crossdock.channels.shoppo.orders import Orders
from crossdock.channels.shoppo.outgoing import create_pictures
from crossdock.channels.shoppo.replying import REPLY_URL
from crossdock.channels.shoppo.schema import build_served
from crossdock.channels.shoppo.settings import ShoppoSettings
from crossdock.channels.shoppo.shelf import Shelf
from crossdock.channels.shoppo.subjects import Subject
from crossdock.channels.shoppo.telling import GOODS_URLS
from crossdock.channels.shoppo.tickets import Tickets
from crossdock.channels.shoppo.trials import TRIALS
from crossdock.kit.languages import lazy
from crossdock.shop.partners import BearerTokens

FACTS = ChannelFacts(
    name=NAME,
    title="SHOPPO",
    about=lazy("Drop shippers: they sell what you ship, over GraphQL."),
    permissions=(PERMISSION,),
    settings={
        **dict.fromkeys((REPLY_URL, *URLS.values(), *GOODS_URLS), (HTTPS_URL,)),
        TOKEN: (SECRET_TEXT,),
        SIGNING: (WEBHOOK_SECRET,),
    },
    needs_customer=False,
    proof="bearer",
    shown_as={"key": "viewerid", "token": "accesstoken"},
)


def create_channel(services: Services) -> Channel:
    """The channel, over the services of one process."""
    served = build_served(create_subjects(services))
    settings = services.settings.section(ShoppoSettings)
    authenticator = Authenticator(
        BearerTokens(services.create_callers(NAME)),
        per_second=settings.rate_limit_per_second,
        burst=settings.rate_limit_burst,
        takes_variables=settings.allow_variable_auth,
    )
    executing = Executing(served, Documents(served))
    ids = ShopIds(services.runtime.database)
    upload_max_bytes = services.settings.media.upload_max_bytes
    endpoint = Endpoint(
        authenticator,
        executing=executing,
        answers=KeptAnswers(services.changes, memory_bytes=_cache_bytes(settings)),
        ids=ids,
        uploads=Uploads(file_max_bytes=upload_max_bytes),
    )
    pages = (
        Console(authenticator, executing=executing, ids=ids, endpoint=PATH, random=services.ids)
        if settings.console
        else None
    )
    app = build_app(endpoint.handle)
    return Channel(
        name=NAME,
        paths=(PATH, *([console.PATH] if pages else [])),
        app=app,
        direct={("POST", PATH): endpoint.handle, **(pages.handlers() if pages else {})},
        render_error=render_error,
        trials=TRIALS,
        openapi=described(app.openapi, beside=__file__),
        body_limit_bytes=BODY_BYTES,
        body_limits={"multipart/form-data": BODY_BYTES + upload_max_bytes},
    )


def _cache_bytes(settings: ShoppoSettings) -> int:
    """Half of the cache's memory: for whole answers, and for the pages in them."""
    return settings.page_cache_mb * 500_000


def create_subjects(services: Services) -> list[Subject]:
    """What the schema is made of; a further subject is a module with a line here."""
    settings = services.settings.section(ShoppoSettings)
    shelf = Shelf(
        services.runtime.database,
        changes=services.changes,
        clock=services.runtime.clock,
        own_requires_stock=services.own_requires_stock,
        memory_bytes=_cache_bytes(settings),
    )
    catalogue = Catalogue(
        services.runtime.database,
        shelf=shelf,
        options=services.building.options,
        pictures=create_pictures(services),
    )
    images = Images(lambda: services.media)
    orders = Orders(services.placing, settings=settings)
    tickets = Tickets(
        services.runtime.database,
        clock=services.runtime.clock,
        images_base=services.images_base_url,
    )
    return [catalogue.subject(), images.subject(), orders.subject(), tickets.subject()]
