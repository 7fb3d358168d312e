"""The Order API: a token for a name and a password, and the orders of a range (spec 8)."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.plumbing import Unreadable, read_document
from crossdock.channels.shoppable.auth import bearer_of
from crossdock.channels.shoppable.errors import INVALID_PARAMETER, WireError, refusal
from crossdock.channels.shoppable.order_answers import WireFedLine, WireLogin
from crossdock.channels.shoppable.order_showing import OrderShowing
from crossdock.channels.shoppable.parameters import read_parameters
from crossdock.channels.shoppable.routes import Operation, Route, parameter
from crossdock.channels.shoppable.wire import CORS, answered
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Invalid, Refused
from crossdock.gate import Gate
from crossdock.shop.orders import FEED_MAX, Fed, FedOrder, read_changed_orders, read_order_page
from crossdock.shop.partners import AccessTokens, Credential, Partner

AUTH_PATH = "/auth"
PATH = "/v3/orderData"
PERMISSION = "orders.feed"
TOKEN_S: Final = 86_400
NEXT: Final = "X-Next-After"
_EXPOSED: Final = "Access-Control-Expose-Headers"
_RANGE = f"{PATH}/{{rows}}/page/{{page}}/startdate/{{start}}/enddate/{{end}}"
_WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)
_FRACTION = re.compile(r"[.,]([0-9]+)", re.ASCII)
_UNKNOWN = ("credential_unknown", "credential_signature", "credential_stale")
_PAGE_MAX: Final = 10**9


class FeedCalls:
    """The calls of the Order API."""

    def __init__(
        self,
        db: Database,
        *,
        tokens: AccessTokens,
        rate_limit_per_minute: int,
        gate: Gate,
    ) -> None:
        self._db = db
        self._tokens = tokens
        self._rate_limit_per_minute = rate_limit_per_minute
        self._gate = gate

    def routes(self) -> tuple[Route, ...]:
        """The routes of both calls."""
        return (
            Route(method="POST", path=AUTH_PATH, handler=self.log_in, operation=LOG_IN),
            Route(method="GET", path=_RANGE, handler=self.browse, operation=BROWSE),
        )

    async def log_in(self, request: Request) -> Response:
        """A token for a day. Raises WireError 400 for a missing field, Unavailable after many wrong pairs."""
        name, password = await _pair(request)
        try:
            given = await self._tokens.issue(
                name=name,
                password=password,
                rate_limit_per_minute=self._rate_limit_per_minute,
                source=self._gate.source(request),
            )
        except Refused as refused:
            if refused.code not in _UNKNOWN:
                raise
            return answered([WireLogin(auth=False, token="", expire=0)], status=401)  # nosec B106
        expire = int(given.expires_at.timestamp())
        return answered([WireLogin(auth=True, token=given.token, expire=expire)])

    async def browse(self, request: Request) -> Response:
        """The orders of a range, line by line."""
        partner = (await self._caller(request)).partner
        parts = {name: unquote(text) for name, text in request.path_params.items()}
        rows = _whole(parts["rows"], "rows", least=1, most=FEED_MAX)
        page = _whole(parts["page"], "page", least=0, most=_PAGE_MAX)
        start = _moment(parts["start"], "startdate", partner=partner)
        end = _moment(parts["end"], "enddate", partner=partner, is_end=True)
        if start > end:
            raise refusal(INVALID_PARAMETER, "enddate")
        after = read_parameters(request.scope["query_string"]).get("after")
        if after is None:
            async with self._db.statement() as tx:
                orders = await read_order_page(
                    tx,
                    shop_id=partner.shop_id,
                    partner_id=partner.id,
                    start=start,
                    end=end,
                    offset=page * rows,
                    limit=rows,
                )
            return _told(orders, partner=partner)
        async with self._db.statement() as tx:
            fed = await self._changed(tx, partner=partner, after=after, limit=rows)
        return _told(fed.orders, partner=partner, upto=fed.upto)

    async def _changed(self, tx: Transaction, *, partner: Partner, after: str, limit: int) -> Fed:
        number = _whole(after, "after", least=0, most=10**15)
        try:
            return await read_changed_orders(
                tx, shop_id=partner.shop_id, partner_id=partner.id, after=number, limit=limit
            )
        except Invalid:
            raise refusal(INVALID_PARAMETER, "after") from None

    async def _caller(self, request: Request) -> Credential:
        """Who calls. Raises WireError 401 in the form of this API."""
        token = request.headers.get("x-access-token", "").strip() or bearer_of(request)
        try:
            credential = await self._tokens.verify(
                token=token, rate_limit_per_minute=self._rate_limit_per_minute
            )
        except Refused as refused:
            if refused.code not in _UNKNOWN:
                raise
            text = "The token is missing, unknown or has expired."
            raise WireError(401, text, status=401, body={"auth": False}) from None
        if PERMISSION not in credential.partner.permissions:
            raise Refused("permission_denied")
        return credential


async def _pair(request: Request) -> tuple[str, str]:
    content_type = request.headers.get("content-type", "")
    try:
        document: Any = read_document(await request.body(), content_type=content_type)
    except Unreadable:
        document = None
    given = document if isinstance(document, dict) else {}
    pair = [given.get(name) for name in ("userId", "password")]
    for name, text in zip(("userId", "password"), pair, strict=True):
        if not isinstance(text, str) or not text:
            raise WireError(400, f"{name} is missing.", status=400)
    return str(pair[0]), str(pair[1])


def _told(orders: Sequence[FedOrder], *, partner: Partner, upto: int | None = None) -> Response:
    response = answered(OrderShowing(partner).feed(orders))
    if upto is not None:
        response.headers[NEXT] = str(upto)
        response.headers[_EXPOSED] = f"{CORS[_EXPOSED]}, {NEXT}"
    return response


def _whole(text: str, name: str, *, least: int, most: int) -> int:
    number = int(text) if _WHOLE.fullmatch(text) else -1
    if not least <= number <= most:
        raise refusal(INVALID_PARAMETER, name)
    return number


def _moment(text: str, name: str, *, partner: Partner, is_end: bool = False) -> datetime:
    """A date and time; one without an offset is the shop's, and a date alone is the whole day."""
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is None:
            found = found.replace(tzinfo=partner.zone)
        if is_end and _is_date(text):
            found = datetime.combine(found, time.max, tzinfo=found.tzinfo)
        elif is_end:
            found += _rest(text)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise refusal(INVALID_PARAMETER, name) from None


def _is_date(text: str) -> bool:
    """Whether it is a date alone, in any form of ISO 8601."""
    try:
        date.fromisoformat(text.strip())
    except ValueError:
        return False
    return True


def _rest(text: str) -> timedelta:
    """An end is inclusive as it is written: to its last second, or to the last digit of its fraction."""
    fraction = _FRACTION.search(text)
    digits = len(fraction[1]) if fraction else 0
    return timedelta(microseconds=10 ** max(6 - digits, 0) - 1)


_STRING = {"type": "string"}
LOG_IN = Operation(
    operation_id="logIn",
    summary="Get a token for the order feed",
    description=(
        "The token is good for 24 hours, and ends at once with its password. A wrong pair answers 401 "
        "with `auth` false; after several of them the caller has to wait."
    ),
    answers=(list[WireLogin],),
    errors=(400,),
    refused={401: list[WireLogin]},
    body={
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["userId", "password"],
                    "properties": {"userId": _STRING, "password": _STRING},
                }
            }
        },
    },
    security=[],
)
BROWSE = Operation(
    operation_id="browseOrders",
    summary="Read orders",
    description=(
        "All lines of the orders of a range, by date, order and line; both ends are inclusive. "
        "With `after` the orders that changed after that number instead, in the order of their "
        f"changes, whatever the page and the dates: continue from the header `{NEXT}`, and no change "
        "is skipped or told twice while orders arrive. Begin with 0; a number that no change has yet "
        f"is refused. Needs the right `{PERMISSION}`."
    ),
    answers=(list[WireFedLine],),
    errors=(INVALID_PARAMETER,),
    parameters=(
        parameter(
            "rows",
            "How many orders.",
            place="path",
            schema={"type": "integer", "minimum": 1, "maximum": FEED_MAX},
        ),
        parameter(
            "page",
            "The page, from 0.",
            place="path",
            schema={"type": "integer", "minimum": 0},
        ),
        parameter("start", "The first date of an order, ISO 8601.", place="path"),
        parameter("end", "The last date of an order, ISO 8601.", place="path"),
        parameter(
            "after",
            "The number to continue from.",
            schema={"type": "integer", "minimum": 0},
        ),
    ),
    security=[{"access": []}],
)
