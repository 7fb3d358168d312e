"""Alerts: what somebody has to look at, raised once while it is open, and closed by being seen."""

from crossdock.shop.alerts.raising import raise_alert, raise_for_operator
from crossdock.shop.alerts.seeing import (
    PAGE_MAX,
    Alert,
    count_before,
    count_open,
    list_alerts,
    mark_seen,
    read_alert,
)

__all__ = [
    "PAGE_MAX",
    "Alert",
    "count_before",
    "count_open",
    "list_alerts",
    "mark_seen",
    "raise_alert",
    "raise_for_operator",
    "read_alert",
]
