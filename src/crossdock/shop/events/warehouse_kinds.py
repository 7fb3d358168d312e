"""The events of packing: what is picked, packed, shipped and comes back. The subject is the order."""

from crossdock.shop.events.payloads import Payload


class OrderPicked(Payload, frozen=True, kw_only=True):
    """Units were picked: the quantities by line number as text."""

    kind = "order.picked"
    topic = "orders"
    lines: dict[str, int]


class OrderUnpicked(Payload, frozen=True, kw_only=True):
    """Picked units went back to the shelf: the quantities by line number as text."""

    kind = "order.unpicked"
    topic = "orders"
    lines: dict[str, int]


class PackagePacked(Payload, frozen=True, kw_only=True):
    """Picked units were packed."""

    kind = "package.packed"
    topic = "orders"
    package_id: int


class PackageUnpacked(Payload, frozen=True, kw_only=True):
    """A package that had not left was opened; its units are picked and in no package."""

    kind = "package.unpacked"
    topic = "orders"
    package_id: int


class PackageShipped(Payload, frozen=True, kw_only=True):
    """A package was shipped; `state` is the order's state after it."""

    kind = "package.shipped"
    topic = "orders"
    package_id: int
    carrier: str
    state: str


class PackageDelivered(Payload, frozen=True, kw_only=True):
    """A package was delivered."""

    kind = "package.delivered"
    topic = "orders"
    package_id: int


class ReturnAnnounced(Payload, frozen=True, kw_only=True):
    """A return was announced."""

    kind = "return.announced"
    topic = "orders"
    return_id: int


class ReturnReceived(Payload, frozen=True, kw_only=True):
    """A return was received; the serials that came back with it are no longer valid."""

    kind = "return.received"
    topic = "orders"
    return_id: int
    revoked_serials: list[int]


WAREHOUSE_KINDS: tuple[type[Payload], ...] = (
    OrderPicked,
    OrderUnpicked,
    PackagePacked,
    PackageUnpacked,
    PackageShipped,
    PackageDelivered,
    ReturnAnnounced,
    ReturnReceived,
)
