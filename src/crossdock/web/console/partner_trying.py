"""A test call from a partner's page: an operation of its channel, really sent, as the partner's program would."""

import asyncio
import itertools
import time
from collections.abc import Mapping
from contextvars import Context
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Scope

from crossdock.compose import Services
from crossdock.errors import CrossdockError, Invalid, NotFound
from crossdock.gate import Form, Gate
from crossdock.kit.languages import gettext
from crossdock.shop.partners import (
    ChannelFacts,
    PartnerView,
    TrialCall,
    lend_credential,
    refuse_kept_by_others,
    take_back,
)
from crossdock.shop.people import Visit
from crossdock.web.console.partner_reading import partner_of
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages
from crossdock.web.operations import Operation, TriedDoor, find_operations

_ANSWER_CHARS: Final = 50_000
_PATH_MAX: Final = 2_000
_BODY_MAX: Final = 100_000
_PLAIN: Final = "%/?:@!$&'()*+,;=-._~"  # what an address has as it is
_numbers = itertools.count(1)


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What the server answered, and what was sent."""

    status: int
    headers: dict[str, str]
    body: str
    took_ms: int


class PartnerTrying:
    """The form for a test call, and its answer."""

    def __init__(
        self,
        gate: Gate,
        pages: Pages,
        *,
        services: Services,
        facts: Mapping[str, ChannelFacts],
        doors: Mapping[str, TriedDoor],
        sends: ASGIApp,
    ) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._facts = facts
        self._doors = doors
        self._sends = sends
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def ask(self, request: Request) -> Response:
        """The operations of the partner's channel, and the form for one of them."""
        visit = await self._gate.require_person(request, right="partners.manage")
        partner, operations = await self._read(request, visit)
        chosen = operations.get(request.query_params.get("operation", ""))
        chosen = chosen or next(iter(operations.values()))
        form = {"path": chosen.path, "body": chosen.body}
        return self._page(visit, partner, operations, chosen=chosen, form=form)

    async def send(self, request: Request) -> Response:
        """Send the call with a test key that is good for it alone, and show the answer."""
        visit, form = await self._gate.require_form(
            request, right="partners.manage", personal=("body", "path")
        )
        partner, operations = await self._read(request, visit)
        chosen = operations.get(form.get("operation", ""))
        if chosen is None:
            raise Invalid("invalid_input", gettext("Choose an operation."))
        try:
            answered = await self._answered(partner, self._call(partner, chosen, form))
        except CrossdockError as error:
            if error.code != "invalid_input":
                raise
            return self._page(
                visit, partner, operations, chosen=chosen, form=form, error=why(error)
            )
        return self._page(visit, partner, operations, chosen=chosen, form=form, answered=answered)

    def _page(
        self,
        visit: Visit,
        partner: PartnerView,
        operations: Mapping[str, Operation],
        *,
        chosen: Operation,
        form: Form,
        answered: Answered | None = None,
        error: str = "",
    ) -> Response:
        return self._pages.page(
            "partner_try.html",
            visit=visit,
            status=422 if error else 200,
            partner=partner,
            operations=operations,
            chosen=chosen,
            form=form,
            answered=answered,
            error=error,
        )

    async def _read(
        self, request: Request, visit: Visit
    ) -> tuple[PartnerView, dict[str, Operation]]:
        async with self._db.statement() as tx:
            partner = await partner_of(tx, request, visit.person)
            await refuse_kept_by_others(tx, partner_id=partner.id)
        door = self._doors.get(partner.channel)
        operations = find_operations(door) if door else {}
        if not operations:
            raise NotFound("not_found", gettext("The partner's channel has no calls to try."))
        return partner, operations

    def _call(self, partner: PartnerView, operation: Operation, form: Form) -> TrialCall:
        """The call of the form. Raises Invalid `invalid_input`."""
        path = form.get("path", "").strip()[:_PATH_MAX]
        allowed = urlsplit(operation.path).path.split("{")[0]
        unfilled = path.replace("{token}", "")
        if not path.startswith(allowed) or any(sign in path for sign in " \r\n#"):
            text = gettext("The path must begin with %(path)s, without spaces.")
            raise Invalid("invalid_input", text % {"path": allowed})
        if "{" in unfilled:
            raise Invalid("invalid_input", gettext("Fill in what is in braces in the path."))
        body = form.get("body", "").strip()[:_BODY_MAX].replace("\r\n", "\n").encode()
        has_body = operation.method in {"POST", "PUT", "PATCH", "DELETE"} and body
        headers = {"host": "localhost", "accept": "application/json"}
        if has_body:
            headers["content-type"] = "application/json"
        return TrialCall(
            method=operation.method, path=path, head=headers, body=body if has_body else b""
        )

    async def _answered(self, partner: PartnerView, call: TrialCall) -> Answered:
        services, facts = self._services, self._facts[partner.channel]
        async with self._db.begin() as tx:
            lent = await lend_credential(
                tx,
                partner_id=partner.id,
                facts=facts,
                ids=services.ids,
                box=services.box,
                now=self._clock.now(),
            )
        try:
            proven = self._doors[partner.channel].trials.prove(call, lent, self._clock.now())
            # A context of its own: what the call does is the partner's, not an act of the person's.
            task = asyncio.create_task(sent(self._sends, proven), context=Context())
            return await task
        finally:
            async with self._db.begin() as tx:
                await take_back(tx, channel=partner.channel, key=lent.key)


async def sent(app: ASGIApp, call: TrialCall) -> Answered:
    """The application's answer to the call, which comes in by the same door as every other."""
    body, started = call.body, time.perf_counter()
    answer: dict[str, Any] = {"status": 0, "headers": [], "body": bytearray()}
    is_sent = False

    async def receive() -> Message:
        nonlocal is_sent
        if is_sent:
            return {"type": "http.disconnect"}
        is_sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.update(status=message["status"], headers=message["headers"])
        elif message["type"] == "http.response.body":
            answer["body"] += message.get("body", b"")

    await app(_scope(call), receive, send)
    text = answer["body"].decode("utf-8", "replace")
    return Answered(
        status=answer["status"],
        headers={
            name.decode("latin-1"): value.decode("latin-1") for name, value in answer["headers"]
        },
        body=_indented(text)[:_ANSWER_CHARS],
        took_ms=round((time.perf_counter() - started) * 1000),
    )


def _indented(text: str) -> str:
    try:
        return msgspec.json.format(text, indent=2)
    except msgspec.DecodeError:
        return text


def _scope(call: TrialCall) -> Scope:
    path, _, query = call.path.partition("?")
    headers = {**call.head, "content-length": str(len(call.body))}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": quote(path, safe=_PLAIN).encode(),
        "query_string": quote(query, safe=_PLAIN).encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", next(_numbers)),
        "server": ("127.0.0.1", 0),
        "state": {},
    }
