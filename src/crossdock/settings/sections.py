"""The sections of the server and the core. A channel declares its section in its own folder."""

import base64
import binascii
import ipaddress
import os
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from crossdock.kit.clock import Clock, clock_from_text
from crossdock.settings.section import Count, Natural, Port, Seconds, Section, SettingsError


def default_workers() -> int:
    """Two web workers, or one on a machine with one core."""
    return min(2, os.cpu_count() or 1)


class Server(Section, frozen=True, kw_only=True):
    """The server's address, data folder and processes."""

    table: ClassVar[str] = "server"
    part: ClassVar[str] = ""
    short: ClassVar[tuple[str, ...]] = (
        "data_dir",
        "public_url",
        "clock",
        "host",
        "port",
        "workers",
        "shutdown_grace_s",
        "disk_low_mb",
    )

    data_dir: Annotated[
        str,
        Meta(description="Folder of the embedded database, the master key and process files."),
    ] = "./data"
    public_url: Annotated[
        str,
        Meta(description="Public address of this server; links and examples start with it."),
    ] = "http://127.0.0.1:8000"
    clock: Annotated[
        str,
        Meta(description="For tests only: a fixed ISO time, or an offset in seconds like +300."),
    ] = ""
    host: Annotated[
        str, Meta(description="Address to listen on; 0.0.0.0 for every network interface.")
    ] = "127.0.0.1"
    port: Annotated[Port, Meta(description="TCP port to listen on.")] = 8000
    workers: Annotated[
        Natural, Meta(description="Web processes; 0 is one per core, at most two.")
    ] = 0
    shutdown_grace_s: Annotated[
        Seconds,
        Meta(description="How long open requests and jobs may take to finish after a stop signal."),
    ] = 20.0

    disk_low_mb: Annotated[
        Natural,
        Meta(
            description="Free megabytes on the data folder's disk below which an alert is raised; 0 raises none."
        ),
    ] = 1000

    @property
    def written_folders(self) -> tuple[Path, ...]:
        """The data folder, and the embedded database's, which may be on another disk."""
        return self.data_path, self.data_path / "postgres"

    @property
    def data_path(self) -> Path:
        """The data folder as an absolute path."""
        return Path(self.data_dir).expanduser().absolute()

    @property
    def worker_count(self) -> int:
        """The number of web processes."""
        return self.workers or default_workers()

    def make_clock(self) -> Clock:
        """Create the clock that the setting `clock` describes."""
        return clock_from_text(self.clock)

    def check(self) -> None:
        """A valid clock and a valid public address."""
        try:
            self.make_clock()
        except ValueError:
            raise SettingsError(
                f"clock must be an ISO time or an offset like +300 (got {self.clock!r})"
            ) from None
        if urlsplit(self.public_url).scheme not in {"http", "https"}:
            raise SettingsError("public_url must start with http:// or https://")


class Secrets(Section, frozen=True, kw_only=True):
    """The keys that encrypt the secrets of partners and connectors."""

    table: ClassVar[str] = "secrets"
    part: ClassVar[str] = "compose.py"
    short: ClassVar[tuple[str, ...]] = ("master_key", "master_key_older")
    secret: ClassVar[tuple[str, ...]] = ("master_key", "master_key_older")

    master_key: Annotated[
        str,
        Meta(
            description="32 bytes in base64 that encrypt stored secrets; empty uses data_dir/master.key."
        ),
    ] = ""
    master_key_older: Annotated[
        tuple[str, ...],
        Meta(
            description="Earlier master keys, which still decrypt until everything is re-encrypted."
        ),
    ] = ()

    def check(self) -> None:
        """Keys of 32 bytes."""
        if self.master_key:
            _check_key(self.master_key, name="master_key")
        for key in self.master_key_older:
            _check_key(key, name="each of master_key_older")


class DatabaseSection(Section, frozen=True, kw_only=True):
    """The database: address, pool, timeouts."""

    table: ClassVar[str] = "database"
    part: ClassVar[str] = "db"
    short: ClassVar[tuple[str, ...]] = (
        "pool_min",
        "pool_max",
        "lock_timeout_ms",
        "statement_timeout_ms",
    )
    secret: ClassVar[tuple[str, ...]] = ("url",)

    url: Annotated[
        str,
        Meta(
            description="postgresql:// URL of PostgreSQL 15 or newer, one or more hosts; empty starts an embedded one."
        ),
    ] = ""
    pool_min: Annotated[
        Natural, Meta(description="Connections each process keeps open to the database.")
    ] = 2
    pool_max: Annotated[
        Count, Meta(description="Connections each process may open; further requests wait for one.")
    ] = 5
    lock_timeout_ms: Annotated[
        Natural,
        Meta(description="How long a statement waits for a row lock before the answer is 503."),
    ] = 3000
    statement_timeout_ms: Annotated[
        Natural, Meta(description="How long one statement may run; 0 is without limit.")
    ] = 15000

    @property
    def is_embedded(self) -> bool:
        """Whether this program starts the database itself."""
        return not self.url

    def check(self) -> None:
        """A PostgreSQL URL, and pool sizes that fit each other."""
        if self.pool_min > self.pool_max:
            raise SettingsError("pool_min must not be larger than pool_max")
        if self.url and urlsplit(self.url).scheme not in {"postgresql", "postgres"}:
            raise SettingsError("database_url must start with postgresql://")


class Log(Section, frozen=True, kw_only=True):
    """The log."""

    table: ClassVar[str] = "log"
    part: ClassVar[str] = "serving"

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The lowest level of message that is written."),
    ] = "info"
    format: Annotated[
        Literal["console", "json"],
        Meta(description="console for people, json (one object a line) for a log store."),
    ] = "console"


class EdgeSection(Section, frozen=True, kw_only=True):
    """Limits and metrics of the HTTP server."""

    table: ClassVar[str] = "edge"
    part: ClassVar[str] = "edge"
    short: ClassVar[tuple[str, ...]] = ("body_limit_bytes", "metrics_token")
    secret: ClassVar[tuple[str, ...]] = ("metrics_token",)

    body_limit_bytes: Annotated[
        Count, Meta(description="Largest request body; a larger one is refused with 413.")
    ] = 262_144
    metrics_token: Annotated[
        str,
        Meta(
            description="Bearer token for /metrics; empty answers requests from this machine only."
        ),
    ] = ""


class GateSection(Section, frozen=True, kw_only=True):
    """Sign-in behind a reverse proxy."""

    table: ClassVar[str] = "gate"
    part: ClassVar[str] = "gate"
    short: ClassVar[tuple[str, ...]] = ("trusted_proxies",)

    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses or networks of proxies whose X-Forwarded-For header is trusted."
        ),
    ] = ()

    def check(self) -> None:
        """Valid addresses or networks."""
        for text in self.trusted_proxies:
            try:
                ipaddress.ip_network(text)
            except ValueError:
                raise SettingsError(f"trusted_proxies: {text!r} is not an IP address") from None


class Partners(Section, frozen=True, kw_only=True):
    """Defaults of all partners."""

    table: ClassVar[str] = "partners"
    part: ClassVar[str] = "shop/partners"
    short: ClassVar[tuple[str, ...]] = ("rate_limit_per_minute", "failed_calls_per_minute")

    rate_limit_per_minute: Annotated[
        Natural, Meta(description="Requests per credential and minute; 0 is without limit.")
    ] = 6000
    failed_calls_per_minute: Annotated[
        Natural, Meta(description="Wrong keys per network address and minute; 0 is without limit.")
    ] = 20


class PeopleSection(Section, frozen=True, kw_only=True):
    """People who sign in."""

    table: ClassVar[str] = "people"
    part: ClassVar[str] = "shop/people"
    short: ClassVar[tuple[str, ...]] = (
        "session_idle_s",
        "session_longest_s",
        "sign_in_free_failures",
        "sign_in_longest_wait_s",
    )

    session_idle_s: Annotated[
        Count, Meta(description="How long a session lasts without a request.")
    ] = 3600
    session_longest_s: Annotated[Count, Meta(description="How long a session lasts at most.")] = (
        43_200
    )
    sign_in_free_failures: Annotated[
        Count,
        Meta(
            description="Failed sign-ins of an account before it has to wait; each further one doubles the wait."
        ),
    ] = 5
    sign_in_longest_wait_s: Annotated[
        Count, Meta(description="The longest wait after failed sign-ins.")
    ] = 900


class SalesRep(Section, frozen=True, kw_only=True):
    """The sales reps of customers."""

    table: ClassVar[str] = "sales_rep"
    part: ClassVar[str] = "shop/customers"
    short: ClassVar[tuple[str, ...]] = ("rotation_excluded_sales_reps",)

    directory_url: Annotated[
        str,
        Meta(description="URL of the directory that names a customer's sales rep; empty for none."),
    ] = ""
    directory_timeout_s: Annotated[
        Seconds,
        Meta(
            description="How long the directory may take to answer; after that the rotation decides."
        ),
    ] = 3.0
    rotation_excluded_sales_reps: Annotated[
        tuple[str, ...],
        Meta(description="Sales reps, by id, e-mail or name, whom the rotation leaves out."),
    ] = ()


class Stock(Section, frozen=True, kw_only=True):
    """Rules for selling stock."""

    table: ClassVar[str] = "stock"
    part: ClassVar[str] = "shop/stock"
    short: ClassVar[tuple[str, ...]] = ("sc_requires_stock",)

    sc_requires_stock: Annotated[
        bool,
        Meta(
            description="Whether variants of origin SC are listed only while the own pool has stock."
        ),
    ] = False


class Orders(Section, frozen=True, kw_only=True):
    """Contents of orders."""

    table: ClassVar[str] = "orders"
    part: ClassVar[str] = "shop/orders"
    short: ClassVar[tuple[str, ...]] = ("order_note_template",)

    order_note_template: Annotated[
        str,
        Meta(
            description="Note on every order line, before the comments; {partner_order_id} is filled in."
        ),
    ] = "Partner Order ID: {partner_order_id}"

    def check(self) -> None:
        """A template that contains the order's number."""
        if "{partner_order_id}" not in self.order_note_template:
            raise SettingsError("order_note_template must contain {partner_order_id}")


class Dispatch(Section, frozen=True, kw_only=True):
    """Sending orders to outside systems."""

    table: ClassVar[str] = "dispatch"
    part: ClassVar[str] = "shop/dispatch"

    retry_s: Annotated[
        tuple[Count, ...],
        Meta(description="Waits before each retry of a dispatch."),
    ] = (60, 300, 900, 3600, 21_600, 86_400)


class OutboundSection(Section, frozen=True, kw_only=True):
    """Outgoing calls."""

    table: ClassVar[str] = "outbound"
    part: ClassVar[str] = "kit/outbound.py"
    short: ClassVar[tuple[str, ...]] = ("allowed_outbound_hosts",)

    allowed_outbound_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Private or loopback hosts that outgoing calls may reach, as host or host:port."
        ),
    ] = ()


class Label(Section, frozen=True, kw_only=True):
    """Shipping labels."""

    table: ClassVar[str] = "label"
    part: ClassVar[str] = "shop/warehouse"

    fonts: Annotated[
        tuple[str, ...],
        Meta(
            description="Font files for labels in other scripts, such as Chinese, in order of preference."
        ),
    ] = ()


class Jobs(Section, frozen=True, kw_only=True):
    """Background jobs."""

    table: ClassVar[str] = "jobs"
    part: ClassVar[str] = "jobs"
    short: ClassVar[tuple[str, ...]] = ("job_history_hours",)

    concurrency: Annotated[
        Count, Meta(description="Jobs that one worker runs at the same time.")
    ] = 8
    job_history_hours: Annotated[
        Count,
        Meta(
            description="How long finished jobs are kept; failed ones stay until somebody handles them."
        ),
    ] = 72


def _check_key(text: str, *, name: str) -> None:
    try:
        size = len(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if size != 32:
        raise SettingsError(f"{name} must be 32 bytes in base64 (try: openssl rand -base64 32)")
