"""The composition root: builds every service of the core from settings, clock and database.

Web processes, the worker, commands and benchmarks build their services here and nowhere else. A
service is created on first use, so that a command pays only for what it uses.
"""

from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from crossdock.db.runtime import Runtime
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids, RandomIds
from crossdock.kit.mail import Mailer
from crossdock.kit.master_key import KeyFile, decode_key
from crossdock.kit.outbound import Outbound
from crossdock.settings import SANDBOX, STRIPE, Settings
from crossdock.shop.carts import CartRules, Carts, CheckingOut
from crossdock.shop.catalogue import Changes, ImportFolder
from crossdock.shop.customers import Assigning
from crossdock.shop.deliveries import Delivering, DeliveryKinds
from crossdock.shop.dispatch import Configuring, Connectors, dispatch_kind
from crossdock.shop.events import Consumer
from crossdock.shop.mailing import AlertMail, Mailing
from crossdock.shop.media import (
    Fetching,
    ImageLimits,
    Media,
    Reader,
    VideoLimits,
    Videos,
    create_store,
    fetch_consumer,
)
from crossdock.shop.orders import Placing, delivery_consumer
from crossdock.shop.partners import AccessTokens, Callers, FailedCalls, Passwords
from crossdock.shop.payments import Paying, Provider, Sandbox, create_stripe
from crossdock.shop.people import People, create_means
from crossdock.shop.pricing import Taxes, TaxTable
from crossdock.shop.resellers import commission_consumer, create_transfer_consumer, hold_of
from crossdock.shop.search import (
    Building,
    Embedder,
    Searching,
    SearchTrials,
    create_searching,
    option_names,
)
from crossdock.shop.warehouse import Booking, LabelFonts, create_carriers
from crossdock.shop.webhooks import Subscribing, WebhookCalling


def create_box(settings: Settings) -> SecretBox:
    """Create the box that encrypts secrets, with the keys of the settings or of the data folder.

    A change of the key file takes effect while the process runs.
    """
    older = [
        decode_key(text, where="master_key_older") for text in settings.secrets.master_key_older
    ]
    if settings.secrets.master_key:
        return SecretBox(decode_key(settings.secrets.master_key, where="master_key"), older=older)
    file = KeyFile(settings.server.data_path)
    newest, *former = file.read()

    def renew() -> list[bytes] | None:
        keys = file.read_if_changed()
        return [*keys, *older] if keys else None

    return SecretBox(newest, older=[*former, *older], renew=renew)


class Services:
    """The services of one process or command; `close` them in the event loop that used them."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.settings = runtime.settings

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the HTTP client, the search and the reader of images; the database's owner closes that."""
        if "outbound" in self.__dict__:
            await self.outbound.close()
        if "searching" in self.__dict__:
            self.searching.close()
        if "media" in self.__dict__:
            self.media.reader.close()

    @cached_property
    def ids(self) -> Ids:
        """Random ids and secrets."""
        return RandomIds()

    @cached_property
    def box(self) -> SecretBox:
        """Encrypts and decrypts secrets. Reads the key file, or creates it if there is none."""
        return create_box(self.settings)

    @cached_property
    def outbound(self) -> Outbound:
        """The client for outgoing calls; bound to the event loop that uses it first."""
        return Outbound(allowed_hosts=self.settings.outbound.allowed_outbound_hosts)

    @cached_property
    def people(self) -> People:
        """People who sign in."""
        return People(create_means(self.runtime, box=self.box, ids=self.ids))

    @cached_property
    def assigning(self) -> Assigning:
        """Assigns a sales rep to a customer."""
        settings = self.settings
        return Assigning(
            db=self.runtime.database,
            clock=self.runtime.clock,
            outbound=self.outbound,
            directory_url=settings.sales_rep.directory_url,
            directory_timeout=timedelta(seconds=settings.sales_rep.directory_timeout_s),
            excluded=settings.sales_rep.rotation_excluded_sales_reps,
        )

    @cached_property
    def placing(self) -> Placing:
        """Placing of orders."""
        return Placing(
            db=self.runtime.database,
            clock=self.runtime.clock,
            ids=self.ids,
            assigning=self.assigning,
            note_template=self.settings.orders.order_note_template,
            own_requires_stock=self.own_requires_stock,
        )

    @property
    def own_requires_stock(self) -> bool:
        """Whether goods of the shop's own are sold only while they are there."""
        return self.settings.stock.sc_requires_stock

    @cached_property
    def changes(self) -> Changes:
        """The changes of goods that this process knows of, for everything that keeps goods rendered."""
        return Changes(self.runtime.database, clock=self.runtime.clock)

    @property
    def card_provider(self) -> str:
        """Who takes the cards that staff enter: Stripe where the settings have its key."""
        return STRIPE if self.settings.stripe.secret_key else SANDBOX

    @cached_property
    def paying(self) -> Paying:
        """Payments through the providers."""
        providers: list[Provider] = [Sandbox(self.runtime.database, clock=self.runtime.clock)]
        if key := self.settings.stripe.secret_key:
            stripe = create_stripe(
                self.outbound,
                secret_key=key,
                is_live=self.settings.stripe.is_live,
                api_url=self.settings.stripe.api_url,
                timeout=timedelta(seconds=self.settings.stripe.timeout_s),
            )
            providers.append(stripe)
        return Paying(
            db=self.runtime.database,
            clock=self.runtime.clock,
            ids=self.ids,
            providers={each.name: each for each in providers},
        )

    @cached_property
    def carts(self) -> Carts:
        """Shoppers' carts."""
        chosen = self.settings.carts
        return Carts(
            db=self.runtime.database,
            clock=self.runtime.clock,
            ids=self.ids,
            rules=CartRules(
                put_mode=chosen.put_mode,
                line_max=chosen.line_max,
                lines_max=chosen.lines_max,
                keep_days=chosen.keep_days,
                keep_empty_days=chosen.keep_empty_days,
            ),
            own_requires_stock=self.own_requires_stock,
        )

    @cached_property
    def taxes(self) -> Taxes:
        """What is added to prices as tax, from the shop's table of rates."""
        return TaxTable(self.runtime.database)

    @cached_property
    def checking_out(self) -> CheckingOut:
        """Carts that become orders."""
        return CheckingOut(carts=self.carts, paying=self.paying, taxes=self.taxes)

    @cached_property
    def label_fonts(self) -> LabelFonts:
        """The fonts of labels and other documents to print."""
        return LabelFonts(self.settings.label.fonts)

    @cached_property
    def booking(self) -> Booking:
        """Shipments through this installation's carriers, and tracking."""
        carriers = create_carriers(
            ids=self.ids,
            clock=self.runtime.clock,
            follow_url=f"{self.settings.server.public_url.rstrip('/')}/track/",
            label_fonts=self.settings.label.fonts,
        )
        return Booking(db=self.runtime.database, clock=self.runtime.clock, carriers=carriers)

    @cached_property
    def connectors(self) -> Connectors:
        """The connectors to outside systems that fulfil orders."""
        return Connectors(outbound=self.outbound, box=self.box, clock=self.runtime.clock)

    @cached_property
    def building(self) -> Building:
        """Builds and feeds the search indexes of this machine."""
        settings = self.settings.search
        return Building(
            db=self.runtime.database,
            clock=self.runtime.clock,
            ids=self.ids,
            root=self.settings.server.data_path / "search",
            options=option_names(
                color=settings.color_options,
                size=settings.size_options,
                material=settings.material_options,
            ),
            writer_mb=settings.writer_mb,
            embedder=self.embedder,
        )

    @cached_property
    def embedder(self) -> Embedder | None:
        """What compares meanings, if the settings ask for it."""
        return Embedder() if self.settings.search.rerank else None

    @cached_property
    def searching(self) -> Searching:
        """Searches the catalogue."""
        return create_searching(self.settings.search, building=self.building)

    @cached_property
    def search_trials(self) -> SearchTrials:
        """Searches with other weights than those of the settings."""
        return SearchTrials(self.settings.search, building=self.building)

    @property
    def images_base_url(self) -> str:
        """What the addresses of images start with."""
        return (self.settings.media.cdn_url or self.settings.server.public_url).rstrip("/")

    @cached_property
    def media(self) -> Media:
        """Images: their store, and the threads that read them."""
        settings = self.settings.media
        limits = ImageLimits(bytes_max=settings.upload_max_bytes, pixels_max=settings.pixels_max)
        return Media(
            db=self.runtime.database,
            clock=self.runtime.clock,
            ids=self.ids,
            store=create_store(settings, data_path=self.settings.server.data_path),
            reader=Reader(
                limits=limits, at_once=settings.at_once, waiting_max=settings.waiting_max
            ),
            base_url=self.images_base_url,
            keep_unused=timedelta(days=settings.keep_unused_days),
            unused_max=settings.unused_max,
        )

    @cached_property
    def import_folder(self) -> ImportFolder:
        """Where catalogues that staff upload are kept."""
        chosen, path = self.settings.imports, self.settings.server.data_path / "imports"
        path = Path(chosen.folder).expanduser().absolute() if chosen.folder else path
        keep, most = timedelta(days=chosen.keep_days), chosen.upload_max_bytes
        return ImportFolder(path=path, upload_max_bytes=most, keep=keep)

    @cached_property
    def videos(self) -> Videos:
        """Videos: their limits, and the folder where they are worked on."""
        settings = self.settings.media
        return Videos(
            media=self.media,
            limits=VideoLimits(
                bytes_max=settings.video_max_bytes,
                seconds_max=settings.video_max_seconds,
                pixels_max=settings.video_pixels_max,
            ),
            folder=self.settings.server.data_path / "films",
            examine_s=settings.video_read_s,
            render_s=settings.video_render_s,
        )

    @cached_property
    def delivery_kinds(self) -> DeliveryKinds:
        """Every kind of delivery that this installation sends."""
        dispatch = dispatch_kind(self.connectors, waits_s=self.settings.dispatch.retry_s)
        return DeliveryKinds([dispatch, self.alert_mail.delivery_kind, self.mailing.delivery_kind])

    @cached_property
    def mailer(self) -> Mailer | None:
        """The SMTP server, if one is configured."""
        smtp = self.settings.smtp
        if not smtp.host:
            return None
        return Mailer(
            host=smtp.host,
            port=smtp.port,
            encryption=smtp.tls,
            sender=smtp.mail_from,
            user=smtp.user,
            password=smtp.password,
        )

    @cached_property
    def mailing(self) -> Mailing:
        """Mails to people, and the mailbox that keeps them."""
        host = urlsplit(self.settings.server.public_url).hostname or "localhost"
        return Mailing(box=self.box, mailer=self.mailer, host=host)

    @cached_property
    def subscribing(self) -> Subscribing:
        """Makes subscriptions to webhooks."""
        return Subscribing(outbound=self.outbound, box=self.box, ids=self.ids)

    @cached_property
    def webhook_calling(self) -> WebhookCalling:
        """Calls the receivers of webhooks."""
        return WebhookCalling(outbound=self.outbound, box=self.box, clock=self.runtime.clock)

    @cached_property
    def alert_mail(self) -> AlertMail:
        """Alerts by mail, if an SMTP server is configured."""
        return AlertMail(
            mailer=self.mailer,
            recipients=self.settings.smtp.alert_mail_to,
            page_url=f"{self.settings.server.public_url.rstrip('/')}/console/alerts",
        )

    @cached_property
    def consumers(self) -> list[Consumer]:
        """The core's event consumers, run by the worker."""
        fetches = [fetch_consumer()] if self.settings.media.fetch else []
        commission = commission_consumer(hold=hold_of(self.settings.resellers))
        orders = [delivery_consumer(lambda: self.mailing), create_transfer_consumer()]
        return [self.alert_mail.consumer, commission, *orders, *fetches]

    @cached_property
    def fetching(self) -> Fetching:
        """Fetches the images that products name."""
        at_once = self.settings.media.fetch_at_once
        return Fetching(media=self.media, outbound=self.outbound, at_once=at_once)

    @cached_property
    def delivering(self) -> Delivering:
        """Sends due deliveries, by the database's clock, whatever the shop's clock says."""
        runtime, kinds = self.runtime, self.delivery_kinds
        return Delivering(db=runtime.database, clock=runtime.clock, kinds=kinds)

    @cached_property
    def configuring(self) -> Configuring:
        """Adds and changes connectors."""
        return Configuring(outbound=self.outbound, box=self.box)

    def create_callers(self, channel: str) -> Callers:
        """Create the callers of a channel. They cache, so create them once per channel."""
        runtime = self.runtime
        return Callers(runtime.database, channel=channel, box=self.box, clock=runtime.clock)

    @cached_property
    def failed_calls(self) -> FailedCalls:
        """Counts the wrong keys of each address, for all channels of this process."""
        per_minute = self.settings.partners.failed_calls_per_minute
        return FailedCalls(self.runtime.clock, per_minute=per_minute)

    def create_passwords(self, callers: Callers) -> Passwords:
        """Name and password authentication of a channel's partners, throttled like signing in."""
        return Passwords(
            callers,
            free_failures=self.settings.people.sign_in_free_failures,
            longest_wait_s=self.settings.people.sign_in_longest_wait_s,
        )

    def create_access_tokens(
        self, callers: Callers, *, passwords: Passwords, ttl_s: int
    ) -> AccessTokens:
        """Tokens that a channel gives for names and passwords, good for so many seconds."""
        return AccessTokens(callers, passwords=passwords, ids=self.ids, ttl_s=ttl_s)
