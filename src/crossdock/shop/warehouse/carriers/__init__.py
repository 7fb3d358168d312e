"""Carriers: what one is, which there are, and the labels they print."""

from crossdock.shop.warehouse.carriers.contract import (
    LANGUAGES,
    Capabilities,
    Carrier,
    Carriers,
    Parcel,
)
from crossdock.shop.warehouse.carriers.demo import DemoCarrier
from crossdock.shop.warehouse.carriers.fonts import LabelFonts
from crossdock.shop.warehouse.carriers.numbers import is_tracking_number
from crossdock.shop.warehouse.carriers.registry import create_carriers

__all__ = [
    "LANGUAGES",
    "Capabilities",
    "Carrier",
    "Carriers",
    "DemoCarrier",
    "LabelFonts",
    "Parcel",
    "create_carriers",
    "is_tracking_number",
]
