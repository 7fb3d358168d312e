"""Webhooks: who is told of what, what was sent, and the same to be read by number (spec section 11.7)."""

from typing import Final

from crossdock.channels.contract import Services
from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.dialect import create_dialect
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.paging import cursor_list, page_list
from crossdock.channels.shoppex_reseller.routes import DEV, Route
from crossdock.channels.shoppex_reseller.webhook_answers import (
    STATUSES,
    Happening,
    NewWebhook,
    Queued,
    Webhook,
    WebhookLog,
    logged,
    shown,
    with_secret,
)
from crossdock.channels.shoppex_reseller.wire import NO_CONTENT, Reply, one, seconds
from crossdock.db.unit_of_work import Transaction
from crossdock.shop.webhooks import (
    NAMES_MAX,
    PAGE_MAX,
    URL_CHARS,
    Dialect,
    Subscribing,
    change_subscription,
    list_subscriptions,
    page_webhook_log,
    read_logged_webhook,
    read_subscription,
    read_webhook_feed,
    retry_webhook,
    rotate_webhook_secret,
    send_test,
    subscribe,
    unsubscribe,
)

READ, WRITE = "webhooks.read", "webhooks.write"
_TYPES: Final = {"PAYLIX": None, "ZAPIER": None}
_EVENT_CHARS: Final = 100


_URL: Final = {"type": "string", "format": "uri", "maxLength": URL_CHARS}
_EVENTS: Final = {
    "type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": NAMES_MAX,
    "uniqueItems": True,
}  # fmt: skip


class Webhooks:
    """The handlers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._dialect: Dialect = create_dialect()

    @property
    def _subscribing(self) -> Subscribing:
        return self._services.subscribing

    def routes(self) -> tuple[Route, ...]:
        """The routes of this file."""
        root = f"{DEV}/webhooks"
        return (*self._subscription_routes(root), *self._delivery_routes(root))

    def _subscription_routes(self, root: str) -> tuple[Route, ...]:
        return (
            Route(
                method="GET", covers="shop", path=root, name="listWebhooks", summary="List webhooks",
                scope=READ, reads=self._list, answer=Webhook, listed="cursor",
            ),
            Route(
                method="POST", covers="shop", path=root, name="createWebhook",
                summary="Add a webhook; its secret is in this answer alone",
                scope=WRITE, writes=self._create, status=201, answer=NewWebhook,
                body={
                    "url": _URL, "events": _EVENTS,
                    "type": {"type": "string", "enum": ["paylix", "zapier"]},
                },
                required=("url", "events"), told_once=("secret",),
            ),
            Route(
                method="GET", covers="shop", path=f"{root}/{{id}}", name="getWebhook", summary="Read a webhook",
                scope=READ, reads=self._get, answer=Webhook,
            ),
            Route(
                method="PATCH", covers="shop", path=f"{root}/{{id}}", name="updateWebhook",
                summary="Change a webhook", scope=WRITE, writes=self._update, answer=Webhook,
                body={"url": _URL, "events": _EVENTS},
            ),
            Route(
                method="DELETE", covers="shop", path=f"{root}/{{id}}", name="deleteWebhook",
                summary="Delete a webhook", scope=WRITE, writes=self._delete, status=204,
            ),
            Route(
                method="POST", covers="shop", path=f"{root}/{{id}}/test", name="testWebhook",
                summary="Send a signed call with made-up data", scope=WRITE, writes=self._test,
                answer=Queued, body={"event": {"type": "string"}},
            ),
            Route(
                method="POST", covers="shop", path=f"{root}/{{id}}/rotate-secret", name="rotateWebhookSecret",
                summary="Replace the secret; the old one signs nothing more",
                scope=WRITE, writes=self._rotate, answer=NewWebhook, told_once=("secret",),
            ),
        )  # fmt: skip

    def _delivery_routes(self, root: str) -> tuple[Route, ...]:
        return (
            Route(
                method="GET", covers="shop", path=f"{root}/events", name="listWebhookEvents",
                summary="List the names of events", scope=READ, reads=self._events,
                answer=list[str],
            ),
            Route(
                method="GET", covers="shop", path=f"{root}/feed", name="readWebhookFeed",
                summary="Read what happened by its number; kept for 90 days",
                scope=READ, reads=self._feed, answer=list[Happening],
                query={
                    "after": {"type": "integer", "minimum": 0},
                    "limit": {"type": "integer", "minimum": 1, "maximum": PAGE_MAX},
                },
            ),
            Route(
                method="GET", covers="shop", path=f"{root}/logs", name="listWebhookLogs",
                summary="List deliveries", scope=READ, reads=self._logs, answer=WebhookLog,
                listed="page",
                query={
                    "status": {"type": "string", "enum": sorted(map(str.lower, STATUSES))},
                    "event_type": {"type": "string"},
                    "webhook_uniqid": {"type": "string"},
                },
            ),
            Route(
                method="GET", covers="shop", path=f"{root}/logs/{{id}}", name="getWebhookLog",
                summary="Read a delivery", scope=READ, reads=self._log, answer=WebhookLog,
            ),
            Route(
                method="POST", covers="shop", path=f"{root}/logs/{{id}}/retry", name="retryWebhookLog",
                summary="Send a delivery again under its id", scope=WRITE, writes=self._retry,
                answer=WebhookLog,
            ),
        )  # fmt: skip

    async def _list(self, call: Call, tx: Transaction) -> Reply:
        page = call.place_page(Kind.WEBHOOK)
        found = await list_subscriptions(
            tx,
            dialect=self._dialect,
            shop_id=call.shop_id,
            before=None if page.after is None else page.after[1],
            limit=page.size + 1,
        )
        return cursor_list(
            found,
            page=page,
            kind=Kind.WEBHOOK,
            ids=call.ids,
            place=lambda each: (each.created_at, each.id),
            show=lambda each: shown(each, call.ids),
        )

    async def _create(self, call: Call, tx: Transaction) -> Reply:
        fields = call.fields()
        url = fields.text("url", required=True, longest=URL_CHARS) or ""
        names = fields.texts("events", required=True, most=NAMES_MAX) or []
        fields.choice("type", _TYPES)
        fields.check()
        made, secret = await subscribe(
            tx,
            service=self._subscribing,
            dialect=self._dialect,
            shop_id=call.shop_id,
            url=url,
            names=names,
            now=call.now,
        )
        return one(with_secret(made, secret, call.ids), status=201)

    async def _get(self, call: Call, tx: Transaction) -> Reply:
        found = await read_subscription(
            tx,
            dialect=self._dialect,
            shop_id=call.shop_id,
            subscription_id=call.number(Kind.WEBHOOK),
        )
        return one(shown(found, call.ids))

    async def _update(self, call: Call, tx: Transaction) -> Reply:
        fields = call.fields()
        url = fields.text("url", longest=URL_CHARS)
        names = fields.texts("events", most=NAMES_MAX)
        fields.check()
        changed = await change_subscription(
            tx,
            service=self._subscribing,
            dialect=self._dialect,
            shop_id=call.shop_id,
            subscription_id=call.number(Kind.WEBHOOK),
            url=url,
            names=names,
            now=call.now,
        )
        return one(shown(changed, call.ids))

    async def _delete(self, call: Call, tx: Transaction) -> Reply:
        await unsubscribe(
            tx,
            dialect=self._dialect,
            shop_id=call.shop_id,
            subscription_id=call.number(Kind.WEBHOOK),
            now=call.now,
        )
        return NO_CONTENT

    async def _rotate(self, call: Call, tx: Transaction) -> Reply:
        found, secret = await rotate_webhook_secret(
            tx,
            service=self._subscribing,
            dialect=self._dialect,
            shop_id=call.shop_id,
            subscription_id=call.number(Kind.WEBHOOK),
            now=call.now,
        )
        return one(with_secret(found, secret, call.ids))

    async def _test(self, call: Call, tx: Transaction) -> Reply:
        fields = call.fields()
        name = fields.text("event", longest=_EVENT_CHARS)
        fields.check()
        delivery_id = await send_test(
            tx,
            dialect=self._dialect,
            shop_id=call.shop_id,
            subscription_id=call.number(Kind.WEBHOOK),
            name=name,
            now=call.now,
        )
        log_id = call.ids.write(Kind.WEBHOOK_LOG, delivery_id)
        return one(Queued(f"Test webhook queued; see the log {log_id}."))

    async def _events(self, call: Call, _tx: Transaction) -> Reply:
        return one(list(self._dialect.names))

    async def _feed(self, call: Call, tx: Transaction) -> Reply:
        fields = call.filters()
        after = fields.whole("after", most=2**62) or 0
        limit = fields.whole("limit", least=1, most=PAGE_MAX) or 100
        fields.check()
        items = await read_webhook_feed(
            tx, dialect=self._dialect, shop_id=call.shop_id, after=after, limit=limit
        )
        return one(
            [
                Happening(
                    sequence=item.sequence,
                    event=item.name,
                    data=item.data,
                    created_at=seconds(item.happened_at),
                )
                for item in items
            ]
        )

    async def _logs(self, call: Call, tx: Transaction) -> Reply:
        asked, fields = call.numbered(), call.filters()
        statuses = fields.choice("status", STATUSES)
        name = fields.text("event_type", longest=_EVENT_CHARS)
        fields.check()
        of = call.query.get("webhook_uniqid")
        webhook_id = call.ids.find(Kind.WEBHOOK, of) if of else None
        if of and webhook_id is None:
            return page_list([], asked=asked, total=0)
        rows, total = await page_webhook_log(
            tx,
            dialect=self._dialect,
            shop_id=call.shop_id,
            subscription_id=webhook_id,
            name=name or None,
            statuses=statuses,
            limit=asked.limit,
            offset=asked.offset,
        )
        return page_list([logged(row, call.ids) for row in rows], asked=asked, total=total)

    async def _log(self, call: Call, tx: Transaction) -> Reply:
        row = await read_logged_webhook(
            tx,
            dialect=self._dialect,
            shop_id=call.shop_id,
            delivery_id=call.number(Kind.WEBHOOK_LOG),
        )
        return one(logged(row, call.ids))

    async def _retry(self, call: Call, tx: Transaction) -> Reply:
        row = await retry_webhook(
            tx,
            dialect=self._dialect,
            shop_id=call.shop_id,
            delivery_id=call.number(Kind.WEBHOOK_LOG),
            now=call.now,
        )
        return one(logged(row, call.ids))
