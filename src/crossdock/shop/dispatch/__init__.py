"""Fulfilment: how an order reaches the system that packs it."""

from crossdock.shop.dispatch.configuring import (
    Configuring,
    ConnectorView,
    add_connector,
    list_connectors,
    set_connector,
)
from crossdock.shop.dispatch.connecting import KINDS, Connectors, secret_place
from crossdock.shop.dispatch.contract import (
    Connector,
    DispatchFailed,
    DispatchLine,
    DispatchOrder,
    Permanent,
    Retryable,
    Sent,
)
from crossdock.shop.dispatch.dispatching import Dispatching, send_dispatch
from crossdock.shop.dispatch.listing import Dispatch, list_dispatches, show_dispatch
from crossdock.shop.dispatch.notes import item_note
from crossdock.shop.dispatch.retrying import QUEUE, TASK, requeue_lost, resend
from crossdock.shop.dispatch.webhook import new_secret

__all__ = [
    "KINDS",
    "QUEUE",
    "TASK",
    "Configuring",
    "Connector",
    "ConnectorView",
    "Connectors",
    "Dispatch",
    "DispatchFailed",
    "DispatchLine",
    "DispatchOrder",
    "Dispatching",
    "Permanent",
    "Retryable",
    "Sent",
    "add_connector",
    "item_note",
    "list_connectors",
    "list_dispatches",
    "new_secret",
    "requeue_lost",
    "resend",
    "secret_place",
    "send_dispatch",
    "set_connector",
    "show_dispatch",
]
