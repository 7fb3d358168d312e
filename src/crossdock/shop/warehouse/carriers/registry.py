"""The carriers of this installation. A new one gets its module here and its line below."""

from collections.abc import Iterable

from crossdock.kit.clock import Clock
from crossdock.kit.ids import Ids
from crossdock.shop.warehouse.carriers.contract import Carriers
from crossdock.shop.warehouse.carriers.demo import DemoCarrier
from crossdock.shop.warehouse.carriers.fonts import LabelFonts


def create_carriers(
    *, ids: Ids, clock: Clock, follow_url: str, label_fonts: Iterable[str] = ()
) -> Carriers:
    """Every carrier that can be booked, the usual one first."""
    fonts = LabelFonts(label_fonts)
    return Carriers([DemoCarrier(ids=ids, clock=clock, follow_url=follow_url, fonts=fonts)])
