"""Every setting in one frozen object, read from a TOML file and the environment.

Order: the default here, then `crossdock.toml`, then `CROSSDOCK_<NAME>`. The file is the one that
CROSSDOCK_CONFIG names, or ./crossdock.toml, or crossdock.toml in the data folder. The descriptions
below are the documentation: `crossdock.example.toml` and the docs page are compared with them.
"""

import base64
import binascii
import difflib
import ipaddress
import os
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from crossdock.errors import Invalid
from crossdock.kit.clock import Clock, clock_from_text

ENVIRONMENT_PREFIX = "CROSSDOCK_"
CONFIG_VARIABLE = "CROSSDOCK_CONFIG"
FILE_NAME = "crossdock.toml"

Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(gt=0)]


class SettingsError(Invalid):
    """A setting that cannot be used; the message names it and says what to write instead."""

    def __init__(self, message: str) -> None:
        super().__init__("invalid_input", message)


def default_workers() -> int:
    """Two web workers, or one on a machine with one core."""
    return min(2, os.cpu_count() or 1)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may choose. Units stand last in the names: _s, _ms, _bytes, _mb."""

    # where things are
    database_url: Annotated[
        str,
        Meta(
            description="PostgreSQL 15 or newer as a postgresql:// URL of one host or several; empty starts our own."
        ),
    ] = ""
    data_dir: Annotated[
        str,
        Meta(description="Folder of the embedded database, the master key and process files."),
    ] = "./data"
    master_key: Annotated[
        str,
        Meta(
            description="32 bytes in base64 that seal partner secrets; empty keeps one in data_dir/master.key."
        ),
    ] = ""
    master_key_older: Annotated[
        tuple[str, ...],
        Meta(
            description="Master keys of before: what they sealed still opens, until it is sealed again."
        ),
    ] = ()
    public_url: Annotated[
        str,
        Meta(description="How the outside reaches this server; links and examples start with it."),
    ] = "http://127.0.0.1:8000"
    clock: Annotated[
        str,
        Meta(description="For tests only: an ISO time that stands still, or an offset like +300."),
    ] = ""

    # the web server
    host: Annotated[
        str, Meta(description="Address to listen on; 0.0.0.0 for every network interface.")
    ] = "127.0.0.1"
    port: Annotated[Port, Meta(description="TCP port to listen on.")] = 8000
    workers: Annotated[
        Natural, Meta(description="Web processes; 0 is one per core, at most two.")
    ] = 0
    shutdown_grace_s: Annotated[
        Seconds, Meta(description="How long requests and jobs may finish after a stop signal.")
    ] = 20.0
    catalogue_cache_mb: Annotated[
        Natural,
        Meta(description="Memory per web process for rendered catalogue answers; 0 keeps none."),
    ] = 32

    # the database
    pool_min: Annotated[
        Natural, Meta(description="Connections each process keeps open to the database.")
    ] = 2
    pool_max: Annotated[
        Count, Meta(description="Connections each process may open; the rest wait in line.")
    ] = 5
    lock_timeout_ms: Annotated[
        Natural, Meta(description="How long a statement waits for a row before it answers busy.")
    ] = 3000
    statement_timeout_ms: Annotated[
        Natural, Meta(description="How long one statement may run; 0 is without end.")
    ] = 15000

    # logs and metrics
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The least grave message that is written."),
    ] = "info"
    log_format: Annotated[
        Literal["console", "json"],
        Meta(description="console for people, json (one object a line) for a log store."),
    ] = "console"
    metrics_token: Annotated[
        str,
        Meta(description="Bearer token for /metrics; empty answers callers of this machine only."),
    ] = ""

    # what a partner may send
    body_limit_bytes: Annotated[
        Count, Meta(description="Largest request body; a larger one is refused with 413.")
    ] = 262_144
    signature_window_s: Annotated[
        Count, Meta(description="How far a signed request's time may be from the server's.")
    ] = 300
    nonce_ttl_s: Annotated[
        Count,
        Meta(description="How long a spent nonce is remembered; more than twice the window."),
    ] = 900
    rate_limit_per_minute: Annotated[
        Natural, Meta(description="Requests per credential and minute; 0 is without limit.")
    ] = 600
    items_per_order_max: Annotated[Count, Meta(description="Lines that one order may have.")] = 200

    shopwedo_skew_s: Annotated[
        Natural,
        Meta(description="How many seconds a ShopWeDo timestamp may lie in the future."),
    ] = 5

    # people who sign in
    session_idle_s: Annotated[
        Count,
        Meta(description="How long a signed-in person may do nothing before the session ends."),
    ] = 3600
    session_longest_s: Annotated[
        Count, Meta(description="How long a session lives at the most, however busy it is.")
    ] = 43_200
    sign_in_free_failures: Annotated[
        Count,
        Meta(
            description="Failed sign-ins of an account without a wait; each further one doubles it."
        ),
    ] = 5
    sign_in_longest_wait_s: Annotated[
        Count, Meta(description="The longest wait between attempts to sign in.")
    ] = 900
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses or networks of proxies whose X-Forwarded-For names the caller."
        ),
    ] = ()

    # rules of the shop
    sc_requires_stock: Annotated[
        bool,
        Meta(description="Whether goods of origin SC are sold only while the own pool has them."),
    ] = False
    create_status: Annotated[
        Literal[200, 201], Meta(description="HTTP status that answers a new order.")
    ] = 201
    order_note_template: Annotated[
        str,
        Meta(
            description="Note on every order line, before the comments; {partner_order_id} is filled in."
        ),
    ] = "Partner Order ID: {partner_order_id}"
    rotation_excluded_sales_reps: Annotated[
        tuple[str, ...],
        Meta(
            description="SalesReps, by id, e-mail or name, who get no customers from the rotation."
        ),
    ] = ()

    # calls that go out
    sales_rep_directory_url: Annotated[
        str,
        Meta(description="Outside directory asked for a customer's sales rep; empty asks nobody."),
    ] = ""
    sales_rep_directory_timeout_s: Annotated[
        Seconds, Meta(description="How long that directory may take before the rotation decides.")
    ] = 3.0
    allowed_outbound_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Private or loopback hosts that outgoing calls may reach, as host or host:port."
        ),
    ] = ()
    label_fonts: Annotated[
        tuple[str, ...],
        Meta(
            description="Font files for labels in scripts beyond Latin, Greek and Cyrillic, the first asked first."
        ),
    ] = ()
    dispatch_retry_s: Annotated[
        tuple[Count, ...],
        Meta(description="Waits before each further attempt to send an order to fulfilment."),
    ] = (60, 300, 900, 3600, 21_600, 86_400)
    jobs_concurrency: Annotated[
        Count, Meta(description="Background jobs that run at the same time in one worker.")
    ] = 8
    job_history_hours: Annotated[
        Count, Meta(description="How long finished jobs are kept; failed ones stay until handled.")
    ] = 72

    @property
    def data_path(self) -> Path:
        """The data folder, absolute."""
        return Path(self.data_dir).expanduser().absolute()

    @property
    def is_embedded(self) -> bool:
        """Whether the database is the one this program starts itself."""
        return not self.database_url

    @property
    def worker_count(self) -> int:
        """How many web processes serve."""
        return self.workers or default_workers()

    def make_clock(self) -> Clock:
        """The clock that `clock` describes."""
        return clock_from_text(self.clock)


def describe() -> list[tuple[str, Any, str]]:
    """(name, default, description) of every setting, in order, for the docs and the example file."""
    hints = typing.get_type_hints(Settings, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(Settings):
        texts = [m.description for m in hints[field.name].__metadata__ if isinstance(m, Meta)]
        rows.append((field.name, field.default, next(text for text in texts if text)))
    return rows


def load_settings(
    environment: Mapping[str, str] | None = None, *, file: Path | None = None
) -> Settings:
    """The settings of this process. Raises SettingsError for unknown names and bad values."""
    environment = os.environ if environment is None else environment
    path = file or find_file(environment)
    values = _from_file(path) if path else {}
    given = dict.fromkeys(values, f"in {path}")
    for name, text in _from_environment(environment).items():
        values[name] = text
        given[name] = f"in {ENVIRONMENT_PREFIX}{name.upper()}"
    settings = _convert(values, given=given)
    _check(settings)
    return settings


def find_file(environment: Mapping[str, str]) -> Path | None:
    """The settings file that applies, or None. Raises SettingsError when a named one is missing."""
    if named := environment.get(CONFIG_VARIABLE):
        path = Path(named).expanduser()
        if not path.is_file():
            raise SettingsError(f"{CONFIG_VARIABLE} names {path}, which is not a file.")
        return path
    data_dir = environment.get(f"{ENVIRONMENT_PREFIX}DATA_DIR") or "./data"
    candidates = (Path(FILE_NAME), Path(data_dir).expanduser() / FILE_NAME)
    return next((path for path in candidates if path.is_file()), None)


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """CROSSDOCK_* variables that are no setting: most likely a slip of the pen."""
    known = {f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in _names()} | {CONFIG_VARIABLE}
    return sorted(
        name for name in environment if name.startswith(ENVIRONMENT_PREFIX) and name not in known
    )


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise SettingsError(f"trusted_proxies: {text!r} is no address or network") from None


def _check_key(text: str, *, name: str) -> None:
    try:
        size = len(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if size != 32:
        raise SettingsError(f"{name} must be 32 bytes in base64 (try: openssl rand -base64 32)")


def _names() -> tuple[str, ...]:
    return Settings.__struct_fields__


def _from_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    for name in values:
        if name not in _names():
            near = difflib.get_close_matches(name, _names(), n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else "; see crossdock.example.toml"
            raise SettingsError(f"{path} has an unknown setting {name!r}{hint}")
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    hints = typing.get_type_hints(Settings)
    for name in _names():
        text = environment.get(f"{ENVIRONMENT_PREFIX}{name.upper()}")
        if text is None:
            continue
        is_list = typing.get_origin(hints[name]) is tuple
        values[name] = _split(text) if is_list else text
    return values


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.strip("[] ").split(",") if part.strip()]


def _convert(values: dict[str, Any], *, given: Mapping[str, str]) -> Settings:
    """One value at a time, so that the message can name the setting and its place."""
    hints = typing.get_type_hints(Settings, include_extras=True)
    converted = {}
    for name, value in values.items():
        try:
            converted[name] = msgspec.convert(
                value, hints[name], strict=not isinstance(value, str | list)
            )
        except msgspec.ValidationError as error:
            raise SettingsError(
                f"{name} {given[name]}: {error} (got {_shown(name, value)})"
            ) from error
    return Settings(**converted)


def _shown(name: str, value: Any) -> str:
    is_secret = any(word in name for word in ("key", "token", "url"))
    return "a value not shown" if is_secret else repr(value)


def _check(settings: Settings) -> None:
    """Rules between settings, and those that a type cannot say."""
    try:
        settings.make_clock()
    except ValueError:
        raise SettingsError(
            f"clock must be an ISO time or an offset like +300 (got {settings.clock!r})"
        ) from None
    if settings.pool_min > settings.pool_max:
        raise SettingsError("pool_min must not be larger than pool_max")
    # Times are compared in whole seconds, so a request from the future lives for a part of one more.
    if settings.nonce_ttl_s <= 2 * settings.signature_window_s:
        raise SettingsError("nonce_ttl_s must be more than twice signature_window_s")
    if "{partner_order_id}" not in settings.order_note_template:
        raise SettingsError("order_note_template must contain {partner_order_id}")
    if settings.database_url and urlsplit(settings.database_url).scheme not in {
        "postgresql",
        "postgres",
    }:
        raise SettingsError("database_url must start with postgresql://")
    if urlsplit(settings.public_url).scheme not in {"http", "https"}:
        raise SettingsError("public_url must start with http:// or https://")
    for text in settings.trusted_proxies:
        _check_network(text)
    if settings.master_key:
        _check_key(settings.master_key, name="master_key")
    for key in settings.master_key_older:
        _check_key(key, name="each of master_key_older")
