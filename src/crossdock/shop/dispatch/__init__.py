"""Dispatch: connectors that hand orders to the outside systems which pack them."""

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
    DispatchLine,
    DispatchOrder,
)
from crossdock.shop.dispatch.dispatching import KIND, dispatch_kind, resend
from crossdock.shop.dispatch.listing import Dispatch, list_dispatches, show_dispatch

__all__ = [
    "KIND",
    "KINDS",
    "Configuring",
    "Connector",
    "ConnectorView",
    "Connectors",
    "Dispatch",
    "DispatchLine",
    "DispatchOrder",
    "add_connector",
    "dispatch_kind",
    "list_connectors",
    "list_dispatches",
    "resend",
    "secret_place",
    "set_connector",
    "show_dispatch",
]
