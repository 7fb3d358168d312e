"""Settings of the web processes."""

from typing import Annotated, ClassVar

from msgspec import Meta

from crossdock.settings.section import Count, Natural, Seconds, Section, SettingsError

CONNECTIONS_LEAST = 16


class Http(Section, frozen=True, kw_only=True):
    """The web processes and their connections."""

    table: ClassVar[str] = "http"
    part: ClassVar[str] = "serving"
    short: ClassVar[tuple[str, ...]] = ("guest_calls_per_minute",)

    hung_after_s: Annotated[
        Seconds,
        Meta(
            description="How long a web process may go without a heartbeat before it is replaced."
        ),
    ] = 15.0
    connections_max: Annotated[
        Count,
        Meta(
            description="Connections that a web process keeps open; above it, idle ones are closed."
        ),
    ] = 4096
    connections_per_address: Annotated[
        Count,
        Meta(
            description="Connections from one address, other than this machine's and those of trusted proxies."
        ),
    ] = 256
    requests_max: Annotated[
        Count,
        Meta(description="Concurrent requests of a web process; further ones get 503."),
    ] = 1024
    guest_calls_per_minute: Annotated[
        Natural,
        Meta(
            description="Calls per network address and minute of pages and addresses that need no key; "
            "0 is without limit."
        ),
    ] = 600
    requests_per_address: Annotated[
        Count,
        Meta(
            description="Concurrent requests from one address, other than this machine's and those of trusted proxies."
        ),
    ] = 128
    idle_s: Annotated[
        Seconds,
        Meta(
            description="How long a connection may stay idle, and how long the header of a request may take."
        ),
    ] = 30.0
    write_s: Annotated[
        Seconds,
        Meta(description="How long a caller may read nothing, or almost nothing, of its answer."),
    ] = 20.0

    def check(self) -> None:
        """At least CONNECTIONS_LEAST connections, so that idle ones can be closed in time."""
        if self.connections_max < CONNECTIONS_LEAST:
            raise SettingsError(f"http_connections_max must be at least {CONNECTIONS_LEAST}")
