"""A pooled connection that never interrupts a COMMIT, and reports an unknown outcome as such.

PostgreSQL flushes a commit locally and then waits for the synchronous standby. If the statement is
cancelled while it waits, the client gets OK with a warning although no standby has the rows, and a
failover would lose them. So no cancel request is sent while a statement may be committing, and that
warning, a connection lost meanwhile and a missing answer all count as an unknown outcome.
"""

import asyncio
import contextlib
import os
import select
import socket
from time import monotonic
from typing import Any

import psycopg
from psycopg import AsyncConnection, waiting
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import ConnStatus, TransactionStatus
from psycopg.pq.abc import PGconn
from psycopg.waiting import Ready, Wait

from crossdock.db.repeating import Statements

INTERVAL_S = 0.1
CANCEL_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 3  # then the next host of the URL is tried
READS_TO_END = 3  # a last message, the end of the stream, and one more for TLS
SHUTDOWN_CLASS, CONNECTION_CLASS = "57P", "08"
LINK = {
    # A connection that is cut without a FIN is detected, and the request fails.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


class AnswerLost(psycopg.OperationalError):
    """The statement was sent and may or may not have committed."""


def connection_info(url: str) -> str:
    """The connection parameters for a URL of one or several hosts: the one that accepts writes.

    A `target_session_attrs` or `connect_timeout` in the URL is kept.
    """
    given = conninfo_to_dict(url)
    defaults: dict[str, str | int] = {
        "target_session_attrs": "read-write",
        "connect_timeout": CONNECT_TIMEOUT_S,
    }
    return make_conninfo(url, **{k: v for k, v in defaults.items() if k not in given})


class Connection(AsyncConnection[tuple[Any, ...]]):
    """A connection whose statements count as commits, unless `may_cancel` says otherwise.

    `patience_s` limits the wait for each answer, including a commit's wait for its standby.
    """

    def __init__(self, pgconn: PGconn, *arguments: Any, **options: Any) -> None:
        super().__init__(pgconn, *arguments, **options)
        self.may_cancel = False
        self.patience_s: float | None = None
        self.passed_on = self.drained = 0  # the pool's: see lending.py
        self._is_in_doubt = False
        self._waits_since: float | None = None
        self.statements = Statements(self)
        self._watched: tuple[asyncio.AbstractEventLoop, int] | None = None
        self._answer: asyncio.Future[None] | None = None
        self.add_notice_handler(self._noticed)

    async def wait(
        self,
        gen: PQGen[Any],
        interval: float = INTERVAL_S,
        timeout: float | None = None,  # noqa: ASYNC109 - the driver's own signature
    ) -> Any:
        """Raises AnswerLost if what was sent may or may not have been committed."""
        patience_s = self.patience_s if timeout is None else timeout
        self._waits_since = monotonic()
        try:
            if self.may_cancel:
                return await self._wait_cancellable(gen, interval=interval, patience_s=patience_s)
            return await self._wait_for_commit(gen, interval=interval, patience_s=patience_s)
        finally:
            self._waits_since = None

    def waits_s(self) -> float:
        """How long it has been waiting for an answer, in seconds."""
        return 0.0 if self._waits_since is None else monotonic() - self._waits_since

    def is_usable(self) -> bool:
        """Whether an idle connection is open: a look at the socket, without a round trip."""
        try:
            for _ in range(READS_TO_END):
                poller = select.poll()
                poller.register(self.pgconn.socket, select.POLLIN)
                if not poller.poll(0):
                    return True
                self.pgconn.consume_input()
        except psycopg.OperationalError:
            return False
        return True

    def cut(self) -> None:
        """Close the socket while a statement waits for an answer; no cancel request is sent."""
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self.pgconn.socket)) as link:
            link.shutdown(socket.SHUT_RDWR)

    async def _wait_for_commit(
        self, gen: PQGen[Any], *, interval: float, patience_s: float | None
    ) -> Any:
        try:
            answer = await self._wait_for_answer(gen, interval=interval, patience_s=patience_s)
        except asyncio.CancelledError:
            self._finish()  # the server continues, and commits what it received
            raise
        except psycopg.Error as error:
            if self._is_lost(error):
                self._finish()
                raise AnswerLost(f"no answer to a commit: {error}") from error
            raise
        if self._is_in_doubt:
            self._finish()
            raise AnswerLost("a commit was not confirmed by its standby")
        return answer

    async def _wait_cancellable(
        self, gen: PQGen[Any], *, interval: float, patience_s: float | None
    ) -> Any:
        try:
            return await self._wait_for_answer(gen, interval=interval, patience_s=patience_s)
        except asyncio.CancelledError:
            await self._cancel(gen, interval=interval)
            raise
        except psycopg.OperationalError as error:
            if not error.sqlstate:  # connection lost, or timed out
                self._finish()
            raise

    async def _cancel(self, gen: PQGen[Any], *, interval: float) -> None:
        """Have the server cancel what it was sent, and read its answer, as the driver's own `wait` does."""
        self._unwatch()
        if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
            return
        try:
            await self._try_cancel(timeout=CANCEL_TIMEOUT_S)
            await waiting.wait_async(
                gen, self.pgconn.socket, interval=interval, timeout=CANCEL_TIMEOUT_S
            )
        except psycopg.errors.QueryCanceled:
            return
        except psycopg.Error:
            self._finish()
        except BaseException:
            self._finish()
            raise

    async def _wait_for_answer(
        self, gen: PQGen[Any], *, interval: float, patience_s: float | None
    ) -> Any:
        """As the driver's `wait_async`, but the socket stays watched from one statement to the next."""
        try:
            state = next(gen)
            while state == Wait.R:
                await self._readable(patience_s)
                state = gen.send(Ready.R)
        except StopIteration as end:
            return end.value
        self._unwatch()  # the driver watches it itself, to write what the socket does not take at once
        return await waiting.wait_async(
            _resumed(gen, state), self.pgconn.socket, interval=interval, timeout=patience_s
        )

    async def _readable(self, patience_s: float | None) -> None:
        loop = asyncio.get_running_loop()
        if self._watched is None or self._watched[0] is not loop:
            self._unwatch()
            self._watched = loop, self.pgconn.socket
            loop.add_reader(self.pgconn.socket, self._became_readable)
        answer = self._answer = loop.create_future()
        timer = None if patience_s is None else loop.call_later(patience_s, _give_up, answer)
        try:
            await answer
        finally:
            self._answer = None
            if timer is not None:
                timer.cancel()

    def _became_readable(self) -> None:
        if self._answer is None:  # closed by the server while it was idle
            self._unwatch()
        elif not self._answer.done():
            self._answer.set_result(None)

    def _unwatch(self) -> None:
        """Before the socket is closed or watched by the driver; libpq may have closed it already."""
        if self._watched is not None:
            loop, number = self._watched
            self._watched = None
            if not loop.is_closed():
                loop.remove_reader(number)

    def _finish(self) -> None:
        self._unwatch()
        self.pgconn.finish()

    async def close(self) -> None:
        """Close the connection."""
        self._unwatch()
        await super().close()

    def _is_lost(self, error: psycopg.Error) -> bool:
        state = error.sqlstate or ""
        if self.pgconn.status != ConnStatus.OK or state.startswith(
            (SHUTDOWN_CLASS, CONNECTION_CLASS)
        ):
            return True
        return isinstance(error, psycopg.OperationalError) and not state  # timed out

    def _noticed(self, notice: psycopg.errors.Diagnostic) -> None:
        """Detects the warning of an interrupted wait for the standby; its text may be translated."""
        if notice.sqlstate in {"01000", "57P01"} and (
            notice.source_function == "SyncRepWaitForLSN"
            or "synchronous replication" in (notice.message_primary or "")
        ):
            self._is_in_doubt = True


def _give_up(answer: asyncio.Future[None]) -> None:
    if not answer.done():
        answer.set_exception(psycopg.OperationalError("no answer in time"))


def _resumed(gen: PQGen[Any], state: Wait) -> PQGen[Any]:
    """The rest of a generator that now waits for `state`."""
    while True:
        ready = yield state
        try:
            state = gen.send(ready)
        except StopIteration as end:
            return end.value
