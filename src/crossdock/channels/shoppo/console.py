"""GET /console/partner: a page to try documents on, with the schema beside it (spec section 14).

It is GraphiQL, which calls the endpoint as any client does, and without scripts a form. What the form
sends is authenticated like every call; token and viewer id go back into its fields, so that the next
document needs no typing, and nowhere else.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.contract import Handler
from crossdock.channels.plumbing import Pages, Unreadable, urlencoded_pairs
from crossdock.channels.shoppo.auth import Authenticator
from crossdock.channels.shoppo.documents import Invalid
from crossdock.channels.shoppo.errors import WireError, describe, located_all, shown_error
from crossdock.channels.shoppo.executing import Executing
from crossdock.channels.shoppo.ids import ShopIds
from crossdock.channels.shoppo.requests import Asked, as_asked, bad_request, refuse_odd_text
from crossdock.channels.shoppo.schema import published
from crossdock.channels.shoppo.subjects import Call
from crossdock.channels.shoppo.wire import errors_body
from crossdock.errors import CrossdockError
from crossdock.gate import page_headers
from crossdock.kit.ids import Ids

PATH: Final = "/console/partner"
_NONCE_LENGTH: Final = 22  # letters and digits: 128 bits
FIELDS: Final = ("viewerid", "accesstoken", "query", "variables", "operationName")
FIRST_QUERY: Final = """{
  productList(first: 5) {
    length
    edges {
      node { id name skus { id price inventory } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""


class Console:
    """The page and its form."""

    def __init__(
        self,
        authenticator: Authenticator,
        *,
        executing: Executing,
        ids: ShopIds,
        endpoint: str,
        random: Ids,
    ) -> None:
        self._authenticator = authenticator
        self._executing = executing
        self._ids = ids
        self._endpoint = endpoint
        self._random = random
        self._pages = Pages(Path(__file__).parent / "templates", headers=page_headers())

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """The handlers by method and path."""
        return {
            (method, PATH + slash): handle
            for method, handle in (("GET", self.show), ("POST", self.run))
            for slash in ("", "/")
        }

    async def show(self, _request: Request) -> Response:
        """The page with a first document."""
        return self._page({"query": FIRST_QUERY}, answer="", code=200)

    async def run(self, request: Request) -> Response:
        """The page with the answer to what the form has."""
        try:
            given = _fields(await request.body())
        except WireError as refused:
            return self._page({}, answer=_pretty(_refusal(refused)), code=refused.status)
        try:
            body, code = await self._answer(given), 200
        except Invalid as refused:
            body, code = errors_body(located_all(refused.errors, code=refused.code)), 200
        except CrossdockError as error:
            body, code = _refusal(error), describe(error)[0]
        return self._page(given, answer=_pretty(body), code=code)

    async def _answer(self, given: Mapping[str, str]) -> bytes:
        credential = await self._authenticator.verify(
            token=given["accesstoken"].strip(), viewer=given["viewerid"].strip()
        )
        asked = _asked(given)
        ids = await self._ids.of(credential.partner.shop_id)
        return await self._executing.run(Call(credential.partner, ids), asked)

    def _page(self, given: Mapping[str, str], *, answer: str, code: int) -> Response:
        values = {name: given.get(name, "") for name in FIELDS}
        nonce = self._random.random_token(_NONCE_LENGTH)
        return self._pages.page(
            "console.html",
            code=code,
            headers=page_headers(nonce=nonce),
            nonce=nonce,
            path=PATH,
            endpoint=self._endpoint,
            answer=answer,
            schema=published(),
            given=values,
        )


def _fields(body: bytes) -> dict[str, str]:
    """The form's fields. Raises WireError BAD_REQUEST."""
    try:
        given = dict(urlencoded_pairs(body))
        for text in given.values():
            text.encode()
    except (Unreadable, UnicodeEncodeError):
        raise bad_request("The form cannot be read.") from None
    return {name: given.get(name, "") for name in FIELDS}


def _asked(given: Mapping[str, str]) -> Asked:
    """The request that the form stands for. Raises WireError BAD_REQUEST."""
    try:
        variables = json.loads(given["variables"]) if given["variables"].strip() else {}
    except (ValueError, RecursionError):
        raise bad_request("The variables are no JSON object.") from None
    name = given["operationName"].strip()
    document = {"query": given["query"], "variables": variables, "operationName": name}
    refuse_odd_text(document)
    return as_asked(document)


def _refusal(error: CrossdockError) -> bytes:
    _, code, text, told = describe(error)
    return errors_body([shown_error(text, code=code, **told)])


def _pretty(body: bytes) -> str:
    return msgspec.json.format(body, indent=2).decode()
