"""Close connections that are idle or do not read: the HTTP server has no such limits.

A thread checks the process's sockets several times a second and shuts down those that are too many or
do not read; the HTTP server then sees a closed connection.
"""

import contextlib
import os
import resource
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator

import msgspec
import structlog

from crossdock.edge.room import Client, Room
from crossdock.settings import Settings

EVERY_S = 0.5
SOON_S = 0.25  # if more than half of the connections are in use
BURST = 2  # up to this multiple of `connections_max` may be open until the next check
SPARE_FILES = 256  # of a process, besides its connections
READ_LEAST_BYTES = 16 * 1024  # a caller must read at least this much within `write_s`
# struct tcp_info of linux/tcp.h
_INFO_BYTES = 148
_UNACKED, _LAST_RECEIVED_MS, _ACKED, _UNSENT = (24, "I"), (52, "I"), (120, "Q"), (144, "I")
_LINGER_NOT = struct.pack("ii", 1, 0)

log = structlog.get_logger("crossdock.connections")


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A connection at the time of a check; its descriptor may be reused before the check ends."""

    descriptor: int
    client: Client
    idle_ms: int
    acked: int
    has_unread: bool


class Connections:
    """The connections of this process to one port."""

    def __init__(self, settings: Settings, *, room: Room) -> None:
        self._http = settings.http
        self._port = settings.server.port
        self._room = room
        self._progress: dict[Client, tuple[int, float]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="connections", daemon=True)

    def start(self) -> None:
        """Start the thread; the port is open."""
        for descriptor in _descriptors():
            with _socket(descriptor, port=self._port) as found:
                if found and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    _end_when_unheard(found, after_s=self._http.write_s)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        wait_s = EVERY_S
        while not self._stopping.wait(wait_s):
            try:
                count = self._look()
                wait_s = SOON_S if count > self._http.connections_max / 2 else EVERY_S
            except Exception:
                log.exception("connections could not be checked")

    def _look(self) -> int:
        """Close connections over the limits; returns how many there were."""
        seen = [each for each in map(self._examine, _descriptors()) if each]
        busy = self._room.busy.copy()
        ended = self._unread(seen)
        late = {each.client for each in ended}
        waiting = [each for each in seen if each.client not in late and each.client not in busy]
        waiting.sort(key=lambda each: (not each.has_unread, -each.idle_ms))
        ended += self._too_many(seen, waiting, already=len(ended))
        for each in ended:
            self._end(each)
        if ended:
            log.warning("connections closed", count=len(ended), of=len(seen))
        return len(seen)

    def _unread(self, seen: list[Seen]) -> list[Seen]:
        """Connections whose caller has not read for too long."""
        now, before = time.monotonic(), self._progress
        self._progress = {}
        late = []
        for each in seen:
            if not each.has_unread:
                continue
            acked, since = before.get(each.client, (each.acked, now))
            if each.acked - acked >= READ_LEAST_BYTES:
                acked, since = each.acked, now
            self._progress[each.client] = (acked, since)
            if now - since > self._http.write_s:
                late.append(each)
        return late

    def _too_many(self, seen: list[Seen], waiting: list[Seen], *, already: int) -> list[Seen]:
        """The longest idle connections, as many as exceed the limits in total or per address."""
        surplus = len(seen) - already - self._http.connections_max
        counts = Counter(each.client[0] for each in seen)
        crowded = {
            address: count - self._http.connections_per_address
            for address, count in counts.items()
            if count > self._http.connections_per_address and not self._room.is_proxy(address)
        }
        ended = []
        for each in waiting:
            of_address = crowded.get(each.client[0], 0)
            if surplus > 0 or of_address > 0:
                ended.append(each)
                surplus -= 1
                crowded[each.client[0]] = of_address - 1
        return ended

    def _examine(self, descriptor: int) -> Seen | None:
        with _socket(descriptor, port=self._port) as found:
            if found is None:
                return None
            try:
                peer = found.getpeername()
                info = found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
            except OSError:  # a listening socket, or one that was closed
                return None
        if len(info) < _INFO_BYTES:  # an older kernel with fewer fields
            return None
        return Seen(
            descriptor=descriptor,
            client=(peer[0], peer[1]),
            idle_ms=_field(info, _LAST_RECEIVED_MS),
            acked=_field(info, _ACKED),
            has_unread=_field(info, _UNACKED) + _field(info, _UNSENT) > 0,
        )

    def _end(self, each: Seen) -> None:
        """Shut down both directions; unread data is lost."""
        with _socket(each.descriptor, port=self._port) as found, contextlib.suppress(OSError):
            if found is None or found.getpeername()[:2] != each.client:
                return
            if each.has_unread:
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            found.shutdown(socket.SHUT_RDWR)


def make_room_for(connections: int) -> None:
    """Raise the limit of open files to what the connections need, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = BURST * connections + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < wanted:
            log.warning("too few open files for http_connections_max", allowed=allowed)


def _descriptors() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208 - twice as fast


@contextlib.contextmanager
def _socket(descriptor: int, *, port: int) -> Iterator[socket.socket | None]:
    """A duplicate of the descriptor if it is a socket of the port, else None.

    A descriptor may be reused at any moment; its duplicate is not.
    """
    try:
        copy = os.dup(descriptor)
    except OSError:
        yield None
        return
    try:
        found = socket.socket(fileno=copy)
    except OSError:  # not a socket
        os.close(copy)
        yield None
        return
    with found:
        yield found if _port(found) == port else None


def _port(found: socket.socket) -> int:
    if found.family not in {socket.AF_INET, socket.AF_INET6}:
        return 0
    with contextlib.suppress(OSError):
        return int(found.getsockname()[1])
    return 0


def _field(info: bytes, place: tuple[int, str]) -> int:
    found: int = struct.unpack_from("=" + place[1], info, place[0])[0]
    return found


def _end_when_unheard(listener: socket.socket, *, after_s: float) -> None:
    """Set TCP_USER_TIMEOUT, which accepted connections inherit: the kernel drops silent peers."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(after_s * 1000))
