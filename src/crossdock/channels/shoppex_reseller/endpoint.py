"""One request, from its bytes to those of the answer: the same for every route."""

import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from crossdock.channels.plumbing import (
    KeptAnswers,
    Told,
    Unreadable,
    kind_of,
    read_document,
    read_json,
    urlencoded_pairs,
)
from crossdock.channels.shoppex_reseller import NAME
from crossdock.channels.shoppex_reseller.auth import (
    Authenticator,
    Pace,
    Surface,
    bearer_of,
    require_cover,
    require_scope,
)
from crossdock.channels.shoppex_reseller.calls import Call, PortalCall
from crossdock.channels.shoppex_reseller.errors import Errors, WireError, invalid
from crossdock.channels.shoppex_reseller.ids import ShopIds
from crossdock.channels.shoppex_reseller.portal_door import PortalDoor
from crossdock.channels.shoppex_reseller.routes import (
    Found,
    Route,
    Router,
    Serves,
    Writes,
    surface_of,
)
from crossdock.channels.shoppex_reseller.wire import HEADERS, PLAIN_TYPE, Reply, answered, encoded
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import SecretBox
from crossdock.shop.orders import Identity, write_once
from crossdock.shop.partners import Meter, Metered
from crossdock.shop.people import Visit

KEY_LENGTH_MAX: Final = 255


class Endpoint:
    """Answers every path of the channel."""

    def __init__(
        self,
        router: Router,
        *,
        authenticator: Authenticator,
        source: Callable[[Request], str],
        portal: PortalDoor,
        errors: Errors,
        ids: ShopIds,
        db: Database,
        box: Callable[[], SecretBox],
        answers: KeptAnswers,
        clock: Clock,
        keys_kept: timedelta,
        pay_url: str = "",
    ) -> None:
        self._router = router
        self._authenticator = authenticator
        self._source = source
        self._portal = portal
        self._errors = errors
        self._ids = ids
        self._db = db
        self._box = box
        self._answers = answers
        self._clock = clock
        self._keys_kept = keys_kept
        self._pay_url = pay_url

    async def handle(self, request: Request) -> Response:
        """The response to a request, an error's too; what remains of the limit is told with both."""
        told: dict[str, str] = {}
        try:
            return await self._answer(request, told)
        except CrossdockError as error:
            if isinstance(meter := error.data.get("meter"), Meter):
                told |= limit_headers(meter)
            answer = self._errors.render(error, request.method)
            return Response(
                answer.body,
                status_code=answer.status,
                headers={**answer.headers, **told},
                media_type=answer.content_type,
            )

    async def _answer(self, request: Request, told: dict[str, str]) -> Response:
        found = self._find(request)
        query = read_query(request.scope["query_string"])
        if isinstance(found, WireError):
            surface = surface_of(request.scope["path"])
            if surface != "portal":  # a known key is told its limit here as well
                with contextlib.suppress(WireError):
                    await self._verify(request, bearer_of(request), surface=surface, told=told)
            raise found
        route = found.route
        request.scope["crossdock.route"] = route.path
        if route.token_in_query and _is_prefetch(request):
            raise WireError("METHOD_NOT_ALLOWED", allow="GET, POST")
        token = bearer_of(request)
        if not token and route.token_in_query:
            token = query.get(route.token_in_query, "")
        visit, let_in = None, None
        if route.surface == "portal":
            visit, meter = await self._portal.admit(
                token, for_guests=route.for_guests, address=self._source(request)
            )
            if meter:
                told |= limit_headers(meter)
            if route.serves is not None:
                return await self._serve(route.serves, request, visit, query=query, told=told)
            assert visit is not None  # guests are served
            wanted = query.get("relationship_id")
            credential = await self._portal.credential(
                visit, wanted=wanted, writes=request.method != "GET"
            )
        else:
            let_in = await self._verify(
                request,
                token,
                surface=route.surface,
                pace=route.pace,
                told=told,
                reads_goods=route.kept_by is not None,
            )
            credential = let_in.credential
            require_scope(credential, route.scope)
            require_cover(credential, route.covers)
        call = Call(
            credential=credential,
            path=found.path,
            query=query,
            body=await _read_body(request) if route.method != "GET" else {},
            ids=await self._ids.of(credential.partner.shop_id),
            now=self._clock.now(),
            key=_read_key(request),
            wants_text="text/plain" in request.headers.get("accept", ""),
            pay_url=self._pay_url,
            visit=visit,
        )
        if route.kept_by is not None and let_in is not None:
            return await self._tell_again(route, call, request, told=told, let_in=let_in)
        return await self._run(route, call, told=told)

    async def _tell_again(
        self,
        route: Route,
        call: Call,
        request: Request,
        *,
        told: dict[str, str],
        let_in: Metered,
    ) -> Response:
        """The answer of a route that is of goods, rendered now or since when they are the same."""
        assert route.kept_by is not None
        assert route.reads is not None  # what is kept changes nothing
        reads, query = route.reads, request.scope["query_string"]

        async def run() -> Told:
            async with self._db.statement() as tx:
                reply = await reads(call, tx)
            return Told(encoded(reply.body), is_of_goods=True)

        body = await self._answers.answer(
            shop_id=call.shop_id,
            version=let_in.goods_version,
            beside=let_in.moved_version if route.shows_on_hand else 0,
            key=(route.path, *call.path.values(), query, route.kept_by(call)),
            key_bytes=len(query),
            run=run,
        )
        return answered(body, status=route.status, headers=told)

    def _find(self, request: Request) -> Found | WireError:
        try:
            return self._router.find(request.method, request.scope["path"])
        except WireError as error:
            return error

    async def _verify(
        self,
        request: Request,
        token: str,
        *,
        surface: Surface,
        told: dict[str, str],
        pace: Pace = "calls",
        reads_goods: bool = False,
    ) -> Metered:
        """Whose call it is, counted; what is left of the limit is noted in `told`."""
        let_in = await self._authenticator.verify(
            token,
            surface=surface,
            pace=pace,
            address=self._source(request),
            reads_goods=reads_goods,
        )
        if let_in.meter:
            told |= limit_headers(let_in.meter)
        return let_in

    async def _serve(
        self,
        serves: Serves,
        request: Request,
        visit: Visit | None,
        *,
        query: Mapping[str, str],
        told: Mapping[str, str],
    ) -> Response:
        call = PortalCall(
            visit=visit,
            token=bearer_of(request),
            source=self._source(request),
            query=query,
            body=await _read_body(request) if request.method != "GET" else {},
            now=self._clock.now(),
        )
        return _response(await serves(call), told)

    async def _run(self, route: Route, call: Call, *, told: dict[str, str]) -> Response:
        if route.writes is not None:
            return await self._write(route, call, writes=route.writes, told=told)
        if route.acts is not None:
            reply = await route.acts(call)
        else:
            assert route.reads is not None  # a route has one of the three
            async with self._db.statement() as tx:
                reply = await route.reads(call, tx)
        return _response(reply, told)

    async def _write(
        self, route: Route, call: Call, *, writes: Writes, told: dict[str, str]
    ) -> Response:
        async def act(tx: Transaction) -> bytes:
            reply = await writes(call, tx)
            body = b"null" if reply.body is None else encoded(reply.body)
            return msgspec.json.encode(_Kept(reply.status, msgspec.Raw(body)))

        written = await write_once(
            self._db,
            shop_id=call.shop_id,
            identity=_identity(route, call),
            act=act,
            keeps=partial(_without, told_once=route.told_once),
            box=self._box(),
            now=call.now,
            expires_at=call.now + self._keys_kept,
        )
        kept = msgspec.json.decode(written.answer, type=_Kept)
        if written.is_replayed:
            told["Idempotent-Replayed"] = "true"
        return answered(bytes(kept.body), status=kept.status, headers=told)


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it is kept for repeats."""

    status: int
    body: msgspec.Raw


def _without(answer: bytes, *, told_once: Sequence[str]) -> bytes:
    """The answer as it is kept: what is told once is null in it."""
    kept = msgspec.json.decode(answer, type=_Kept)
    body = kept.body
    for name in told_once:
        body = _emptied(body, ["data", *name.split(".")])
    return msgspec.json.encode(_Kept(kept.status, body))


def _emptied(value: msgspec.Raw, path: Sequence[str]) -> msgspec.Raw:
    """A JSON object with null for the field at this path. Raises KeyError where there is none."""
    fields = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
    name, *rest = path
    known = fields[name]
    fields[name] = _emptied(known, rest) if rest else msgspec.Raw(b"null")
    return msgspec.Raw(msgspec.json.encode(fields))


def limit_headers(meter: Meter) -> dict[str, str]:
    """What remains of the caller's limit: per minute, now, and when it is whole again (Unix seconds)."""
    return {
        "X-RateLimit-Limit": str(meter.per_minute),
        "X-RateLimit-Remaining": str(meter.left),
        "X-RateLimit-Reset": str(math.ceil(meter.full_at.timestamp())),
    }


def read_query(query_string: bytes) -> dict[str, str]:
    """The last value of each parameter. Raises WireError VALIDATION_ERROR for more than a query has."""
    try:
        pairs = urlencoded_pairs(query_string)
    except Unreadable:
        raise invalid(("query", "has too many parameters")) from None
    return {
        name: value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for name, value in pairs
    }


def _response(reply: Reply, told: Mapping[str, str]) -> Response:
    if reply.file is not None:
        headers = {**HEADERS, **told}
        headers["Content-Disposition"] = f'attachment; filename="{reply.file.name}"'
        kind = reply.file.content_type
        return StreamingResponse(reply.file.pieces, headers=headers, media_type=kind)
    if reply.plain is not None:
        body, status = reply.plain.encode(), reply.status
        return answered(body, status=status, headers=told, content_type=PLAIN_TYPE)
    body = b"" if reply.body is None else encoded(reply.body)
    return answered(body, status=reply.status, headers=told)


def _is_prefetch(request: Request) -> bool:
    """Whether a browser or a preview loads the address in case somebody follows it (spec 7.6)."""
    told = (
        request.headers.get(name, "") for name in ("sec-purpose", "purpose", "x-moz", "x-purpose")
    )
    return any(
        word in each.lower() for each in told for word in ("prefetch", "prerender", "preview")
    )


async def _read_body(request: Request) -> dict[str, Any]:
    """The JSON object, or a form of its fields; {} for no body, whatever its type (spec section 1).

    The PHP client writes an object without fields as `[]`.
    """
    body = await request.body()
    if not body.strip():
        return {}
    content_type = request.headers.get("content-type", "")
    is_form = kind_of(content_type)[0] in {"form", "multipart"}
    try:
        found = read_document(body, content_type=content_type) if is_form else read_json(body)
    except Unreadable as error:
        raise invalid(("body", f"{error}")) from None
    if found == []:
        return {}
    if not isinstance(found, dict):
        raise invalid(("body", "is not a JSON object"))
    return found


def _read_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= KEY_LENGTH_MAX:
        raise invalid(("Idempotency-Key", f"must have 1 to {KEY_LENGTH_MAX} characters"))
    return key


def _identity(route: Route, call: Call) -> Identity | None:
    """Of whom, for which method and path, under which key, for which body (spec section 4)."""
    if call.key is None:
        return None
    side = ":portal" if route.surface == "portal" else ""
    tenant = "" if route.surface == "dev" else f"{side}:{call.partner.id}"
    # An id may be written in either case.
    path = route.path.format(**{name: text.lower() for name, text in call.path.items()})
    return Identity(
        namespace=f"{NAME}{tenant} {route.method} {path}",
        key=call.key,
        request_hash=fingerprint(call.body),
    )


def fingerprint(body: Mapping[str, Any]) -> bytes:
    """SHA-256 of the body's canonical JSON: keys in order, numbers as they were sent."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()
