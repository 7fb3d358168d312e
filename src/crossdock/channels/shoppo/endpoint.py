"""POST /api/graphql/partner: one request, from its bytes to those of the answer (spec section 1)."""

from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.plumbing import KeptAnswers, Told, answering, kind_of
from crossdock.channels.shoppo.auth import (
    TOKEN_VARIABLE,
    VIEWER_VARIABLE,
    Authenticator,
    Caller,
)
from crossdock.channels.shoppo.documents import Invalid
from crossdock.channels.shoppo.errors import (
    WireError,
    describe,
    located_all,
    render_error,
    shown_error,
)
from crossdock.channels.shoppo.executing import Executing
from crossdock.channels.shoppo.ids import ShopIds
from crossdock.channels.shoppo.multipart import Uploads
from crossdock.channels.shoppo.requests import Asked, read_asked
from crossdock.channels.shoppo.subjects import Call
from crossdock.channels.shoppo.wire import (
    GRAPHQL_TYPE,
    HEADERS,
    JSON_TYPE,
    errors_body,
    ranks_graphql,
)
from crossdock.errors import CrossdockError
from crossdock.shop.catalogue import offer_key

PATH = "/api/graphql/partner"
# What a body names that reads lists of goods: the version of the goods is then asked for at once.
_GOODS = b"productList"
_DOCUMENTS_OWN = frozenset({"OPERATION_RESOLUTION_FAILURE", "QUERY_TOO_DEEP", "QUERY_TOO_COMPLEX"})


class Endpoint:
    """Answers the requests of partners."""

    def __init__(
        self,
        authenticator: Authenticator,
        *,
        executing: Executing,
        answers: KeptAnswers,
        ids: ShopIds,
        uploads: Uploads,
    ) -> None:
        self._authenticator = authenticator
        self._executing = executing
        self._answers = answers
        self._ids = ids
        self._uploads = uploads

    async def handle(self, request: Request) -> Response:
        """The answer, in the content type that the client prefers."""
        is_graphql = ranks_graphql(request.headers.get("accept", ""))
        content_type = GRAPHQL_TYPE if is_graphql else JSON_TYPE
        try:
            body = await self._answer(request)
            status = 200
        except Invalid as refused:
            body = errors_body(located_all(refused.errors, code=refused.code))
            status = 400 if is_graphql else 200
        except CrossdockError as error:
            _, code, text, told = describe(error)
            if code not in _DOCUMENTS_OWN:
                answer = render_error(error, request.method)
                response = answering(answer)
                response.headers["Content-Type"] = content_type
                return response
            body = errors_body([shown_error(text, code=code, **told)])
            status = 400 if is_graphql else 200
        return Response(body, status_code=status, headers=HEADERS, media_type=content_type)

    async def _answer(self, request: Request) -> bytes:
        kind, boundary = kind_of(request.headers.get("content-type", ""))
        if kind not in {"json", "multipart"}:
            text = "The Content-Type is application/json, or multipart/form-data for a file."
            raise WireError("BAD_REQUEST", text, status=415)
        if kind == "multipart":
            caller = await self._authenticator.by_headers(request)
            viewer = caller.credential.public_key if caller else ""
            asked = await self._uploads.read(request, boundary=boundary, viewer=viewer)
            return (await self._run(caller, asked)).body
        body = await request.body()
        caller = await self._authenticator.by_headers(request, reads_goods=_GOODS in body)
        if caller is None or caller.goods_version is None:
            return (await self._run(caller, read_asked(body))).body
        partner = caller.credential.partner
        return await self._answers.answer(
            shop_id=partner.shop_id,
            version=caller.goods_version,
            key=(offer_key(partner), body),
            key_bytes=len(body),
            run=lambda: self._run(caller, read_asked(body)),
        )

    async def _run(self, caller: Caller | None, asked: Asked) -> Told:
        """The answer; a caller who is not known by the headers is looked for among the variables."""
        if caller is None:
            caller = Caller(await self._authenticator.by_variables(asked))
        asked.variables.pop(TOKEN_VARIABLE, None)
        asked.variables.pop(VIEWER_VARIABLE, None)
        return await self._executing.answer(await self._call(caller), asked)

    async def _call(self, caller: Caller) -> Call:
        partner = caller.credential.partner
        ids = await self._ids.of(partner.shop_id)
        return Call(partner, ids, goods_version=caller.goods_version)
