"""The section of the web processes."""

from typing import Annotated, ClassVar

from msgspec import Meta

from crossdock.settings.section import Count, Seconds, Section, SettingsError

CONNECTIONS_LEAST = 16


class Http(Section, frozen=True, kw_only=True):
    """The web processes and their connections."""

    table: ClassVar[str] = "http"
    part: ClassVar[str] = "serving"

    hung_after_s: Annotated[
        Seconds,
        Meta(
            description="How long a web process may be without a sign of life before it is replaced."
        ),
    ] = 15.0
    connections_max: Annotated[
        Count,
        Meta(
            description="Connections that a web process holds; beyond it, those that do nothing are closed."
        ),
    ] = 4096
    connections_per_address: Annotated[
        Count,
        Meta(
            description="The same for one address, other than this machine's and those of trusted proxies."
        ),
    ] = 256
    requests_max: Annotated[
        Count,
        Meta(description="Requests that a web process answers at once; a further one gets 503."),
    ] = 1024
    requests_per_address: Annotated[
        Count,
        Meta(
            description="The same from one address, other than this machine's and those of trusted proxies."
        ),
    ] = 128
    idle_s: Annotated[
        Seconds,
        Meta(
            description="How long a connection may wait for a request, and how long its header may take."
        ),
    ] = 30.0
    write_s: Annotated[
        Seconds,
        Meta(description="How long a caller may read nothing, or next to nothing, of its answer."),
    ] = 20.0

    def check(self) -> None:
        """Enough connections to close idle ones in time."""
        if self.connections_max < CONNECTIONS_LEAST:
            raise SettingsError(f"http_connections_max must be at least {CONNECTIONS_LEAST}")
