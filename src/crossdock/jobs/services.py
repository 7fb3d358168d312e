"""The services that call other people's servers, built from the runtime where they are used."""

from crossdock.db.runtime import Runtime
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import RandomIds
from crossdock.kit.master_key import KeyFile, decode_key
from crossdock.kit.outbound import Outbound
from crossdock.settings import Settings
from crossdock.shop.dispatch import Configuring, Connectors, Dispatching
from crossdock.shop.warehouse import Booking, create_carriers


def create_outbound(settings: Settings) -> Outbound:
    """The client for outgoing calls; belongs to the event loop that uses it, and is closed there."""
    return Outbound(allowed_hosts=settings.allowed_outbound_hosts)


def create_box(settings: Settings) -> SecretBox:
    """What opens and seals secrets, with the keys of the settings or of the data folder.

    A change of the folder's file counts while the process runs.
    """
    older = [decode_key(text, where="master_key_older") for text in settings.master_key_older]
    if settings.master_key:
        return SecretBox(decode_key(settings.master_key, where="master_key"), older=older)
    file = KeyFile(settings.data_path)
    newest, *former = file.read()

    def renew() -> list[bytes] | None:
        keys = file.read_if_changed()
        return [*keys, *older] if keys else None

    return SecretBox(newest, older=[*former, *older], renew=renew)


def create_dispatching(runtime: Runtime, *, outbound: Outbound) -> Dispatching:
    """Sending of orders as the settings say."""
    box = create_box(runtime.settings)
    return Dispatching(
        db=runtime.database,
        clock=runtime.clock,
        connectors=Connectors(outbound=outbound, box=box, clock=runtime.clock),
        waits_s=runtime.settings.dispatch_retry_s,
    )


def create_configuring(runtime: Runtime, *, outbound: Outbound) -> Configuring:
    """Adding and changing connectors."""
    return Configuring(outbound=outbound, box=create_box(runtime.settings))


def create_booking(runtime: Runtime) -> Booking:
    """Booking with this installation's carriers, and asking them."""
    settings = runtime.settings
    carriers = create_carriers(
        ids=RandomIds(),
        clock=runtime.clock,
        public_url=settings.public_url,
        label_fonts=settings.label_fonts,
    )
    return Booking(db=runtime.database, clock=runtime.clock, carriers=carriers)
