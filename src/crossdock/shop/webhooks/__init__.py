"""Webhooks: subscriptions to what happens, calls of them in the words of a channel, and a feed of the same."""

from crossdock.shop.webhooks.calling import (
    DEADLINE_S,
    PAUSE_AFTER,
    WAITS_S,
    WebhookCalling,
    delivery_body,
)
from crossdock.shop.webhooks.dialect import Attempt, Dialect, Message
from crossdock.shop.webhooks.log import (
    LoggedWebhook,
    page_webhook_log,
    read_logged_webhook,
    resume_webhook,
    retry_webhook,
    send_test,
)
from crossdock.shop.webhooks.pausing import (
    WebhookEndpoint,
    list_webhook_endpoints,
    pause_webhook,
)
from crossdock.shop.webhooks.relaying import (
    FEED_DAYS,
    PAGE_MAX,
    FeedItem,
    purge_webhook_feeds,
    read_webhook_feed,
    webhook_consumer,
)
from crossdock.shop.webhooks.subscribing import (
    NAMES_MAX,
    SUBSCRIPTIONS_MAX,
    URL_CHARS,
    Subscribing,
    Subscription,
    change_subscription,
    list_subscriptions,
    read_subscription,
    rotate_webhook_secret,
    subscribe,
    unsubscribe,
    webhook_secret_place,
)

__all__ = [
    "DEADLINE_S",
    "FEED_DAYS",
    "NAMES_MAX",
    "PAGE_MAX",
    "PAUSE_AFTER",
    "SUBSCRIPTIONS_MAX",
    "URL_CHARS",
    "WAITS_S",
    "Attempt",
    "Dialect",
    "FeedItem",
    "LoggedWebhook",
    "Message",
    "Subscribing",
    "Subscription",
    "WebhookCalling",
    "WebhookEndpoint",
    "change_subscription",
    "delivery_body",
    "list_subscriptions",
    "list_webhook_endpoints",
    "page_webhook_log",
    "pause_webhook",
    "purge_webhook_feeds",
    "read_logged_webhook",
    "read_subscription",
    "read_webhook_feed",
    "resume_webhook",
    "retry_webhook",
    "rotate_webhook_secret",
    "send_test",
    "subscribe",
    "unsubscribe",
    "webhook_consumer",
    "webhook_secret_place",
]
