"""Alerts: conditions that need a person's attention, raised once while open, closed when seen."""

from crossdock.shop.alerts.isolating import isolated
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
    "isolated",
    "list_alerts",
    "mark_seen",
    "raise_alert",
    "raise_for_operator",
    "read_alert",
]
