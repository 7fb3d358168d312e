"""The portal's pages of one relationship: its money, keys and products, and the forms that change them.

Each is thin over what `/portal/v1` calls as well. An address names the relationship by its id; that of
anybody else is not found, like one that is none.
"""

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from crossdock.channels.shoppex_reseller.auth import RESELLER_PREFIX
from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds, WireIds
from crossdock.channels.shoppex_reseller.portal_forms import (
    amount_in,
    day_in,
    midnight,
    page_number,
    text_in,
)
from crossdock.channels.shoppex_reseller.portal_frame import HEADERS, HOME, PortalFrame
from crossdock.channels.shoppex_reseller.portal_keys import dynamic_url
from crossdock.channels.shoppex_reseller.portal_money import Statements
from crossdock.channels.shoppex_reseller.portal_payments import NOTE_MAX, TEXT_MAX
from crossdock.channels.shoppex_reseller.portal_words import (
    CLAIM_STATES,
    MODES,
    STATES,
    kind_word,
    wrong_words,
)
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Conflict, CrossdockError, Invalid, NotFound, Refused
from crossdock.gate import Form, Gate
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.kit.paging import PlacePage
from crossdock.shop.invoices import PAYMENT_PAGES
from crossdock.shop.people import Visit
from crossdock.shop.resellers import (
    NewClaim,
    Purse,
    Relationship,
    Statement,
    add_key,
    list_claims,
    list_products,
    list_relationships,
    list_reseller_keys,
    read_buckets,
    read_lines,
    read_program,
    read_statement,
    request_payout,
    revoke_key,
    top_up,
)
from crossdock.shop.shops import require_running

PROGRAMMES: Final = f"{HOME}programmes/"
_ROWS: Final = 50
_DAYS: Final = 30
_PURSES: Final[dict[str, Purse]] = {"balance": "prepaid", "commission": "commission"}


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, the relationship that the page is about, and the ids of its shop."""

    visit: Visit
    mine: Relationship
    ids: WireIds
    id: str

    def address(self, rest: str = "") -> str:
        """The local address of a page of the relationship."""
        return f"{PROGRAMMES}{self.id}{rest}"


class DeskPages:
    """The pages, and the forms on them."""

    def __init__(
        self,
        frame: PortalFrame,
        *,
        db: Database,
        gate: Gate,
        shop_ids: ShopIds,
        statements: Statements,
        clock: Clock,
        ids: Ids,
        box: Callable[[], SecretBox],
        public_url: str,
    ) -> None:
        self._frame = frame
        self._db = db
        self._gate = gate
        self._shop_ids = shop_ids
        self._statements = statements
        self._clock = clock
        self._ids = ids
        self._box = box
        self._public_url = public_url

    def routes(self) -> list[Route]:
        """The pages by their paths."""
        shown = {
            "": self.overview,
            "/balance": self.purse,
            "/commission": self.purse,
            "/keys": self.keys,
            "/keys/{key}": self.key,
            "/products": self.products,
            "/{purse:str}.{kind:str}": self.file,
        }
        sent = {
            "/balance": self.top_up,
            "/commission": self.ask_payout,
            "/keys": self.make_key,
            "/keys/{key}": self.revoke_key,
        }
        return [
            Route(f"{PROGRAMMES}{{id}}{path}", self._frame.guarded(page), methods=[method])
            for method, pages in (("GET", shown), ("POST", sent))
            for path, page in pages.items()
        ]

    async def overview(self, request: Request) -> Response:
        """What there is: both balances, the code that earns, and where to go."""
        desk = await self._desk(request)
        shop_id, mine = desk.mine.shop_id, desk.mine
        async with self._db.statement() as tx:
            buckets = await read_buckets(tx, shop_id=shop_id, reseller_id=mine.id)
        return self._page("overview.html", desk, here="overview", buckets=buckets)

    async def purse(self, request: Request) -> Response:
        """The prepaid balance or the commission, with its statement and the form that moves it."""
        desk = await self._desk(request)
        return await self._purse(request, desk, _purse_of(request))

    async def top_up(self, request: Request) -> Response:
        """Make the invoice of a top-up, and lead to the page where it is paid."""
        desk, form = await self._sent(request)
        try:
            amount = amount_in(form, desk.mine.currency)
            async with self._db.begin() as tx:
                invoice = await top_up(
                    tx,
                    shop_id=desk.mine.shop_id,
                    reseller_id=desk.mine.id,
                    amount_minor=amount,
                    ids=self._ids,
                    now=self._clock.now(),
                )
        except (Conflict, Invalid, Refused) as error:
            return await self._purse(request, desk, "prepaid", form=form, error=error)
        return _to(f"{PAYMENT_PAGES}{invoice.token}")

    async def ask_payout(self, request: Request) -> Response:
        """Claim an amount of the commission that is available."""
        desk, form = await self._sent(request)
        try:
            claim = NewClaim(
                amount_minor=amount_in(form, desk.mine.currency),
                asset=text_in(form, "asset", most=TEXT_MAX),
                network=text_in(form, "network", most=TEXT_MAX),
                address=text_in(form, "address", most=TEXT_MAX),
                note=text_in(form, "note", most=NOTE_MAX),
            )
            async with self._db.begin() as tx:
                await request_payout(
                    tx,
                    shop_id=desk.mine.shop_id,
                    reseller_id=desk.mine.id,
                    claim=claim,
                    now=self._clock.now(),
                )
        except (Conflict, Invalid, Refused) as error:
            return await self._purse(request, desk, "commission", form=form, error=error)
        return _to(desk.address("/commission?done=asked"))

    async def keys(self, request: Request) -> Response:
        """The keys of the reseller's own shop, and the address for tools that can only call one."""
        desk = await self._desk(request)
        return await self._keys(desk, done=request.query_params.get("done", ""))

    async def make_key(self, request: Request) -> Response:
        """Make a key, which this answer alone shows."""
        desk, _ = await self._sent(request)
        try:
            async with self._db.begin() as tx:
                made = await add_key(
                    tx,
                    shop_id=desk.mine.shop_id,
                    reseller_id=desk.mine.id,
                    prefix=RESELLER_PREFIX,
                    ids=self._ids,
                    box=self._box(),
                )
        except (Conflict, Refused) as error:
            return await self._keys(desk, error=error)
        return await self._keys(desk, secret=made.secret)

    async def key(self, request: Request) -> Response:
        """Ask before a key is revoked, which cannot be undone."""
        desk = await self._desk(request)
        number = desk.ids.read(Kind.API_KEY, request.path_params["key"])
        async with self._db.statement() as tx:
            known = await self._known_keys(tx, desk)
        found = [each for each in known if each.id == number]
        if not found:
            raise NotFound("not_found")
        return self._page("key_revoke.html", desk, here="keys", key=found[0])

    async def revoke_key(self, request: Request) -> Response:
        """Refuse a key for ever."""
        desk, _ = await self._sent(request)
        async with self._db.begin() as tx:
            await revoke_key(
                tx,
                shop_id=desk.mine.shop_id,
                reseller_id=desk.mine.id,
                key_id=desk.ids.read(Kind.API_KEY, request.path_params["key"]),
                now=self._clock.now(),
            )
        return _to(desk.address("/keys?done=revoked"))

    async def products(self, request: Request) -> Response:
        """What may be delivered, and at which price."""
        desk = await self._desk(request)
        number = page_number(request.query_params.get("page", ""))
        async with self._db.statement() as tx:
            found = await list_products(
                tx,
                shop_id=desk.mine.shop_id,
                partner_id=desk.mine.partner_id,
                now=self._clock.now(),
                limit=_ROWS,
                offset=(number - 1) * _ROWS,
            )
        return self._page(
            "products.html",
            desk,
            here="products",
            products=[(desk.ids.write(Kind.PRODUCT, each.id), each) for each in found.products],
            page=number,
            has_more=number * _ROWS < found.total,
        )

    async def file(self, request: Request) -> Response:
        """A statement as CSV or PDF."""
        desk = await self._desk(request)
        purse, kind = _purse_of(request), request.path_params["kind"]
        if kind not in ("csv", "pdf"):
            raise NotFound("not_found")
        async with self._db.statement() as tx:
            statement = await self._statement(tx, desk, purse, request)
        file = await (
            self._statements.csv(statement, ids=desk.ids)
            if kind == "csv"
            else self._statements.pdf(statement, now=self._clock.now())
        )
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{file.name}"'}
        return StreamingResponse(file.pieces, media_type=file.content_type, headers=headers)

    async def _purse(
        self,
        request: Request,
        desk: Desk,
        purse: Purse,
        *,
        form: Form | None = None,
        error: CrossdockError | None = None,
    ) -> Response:
        mine = desk.mine
        after = desk.ids.find(Kind.ENTRY, request.query_params.get("after", "")) or 0
        async with self._db.statement() as tx:
            statement = await self._statement(tx, desk, purse, request)
            lines = await read_lines(tx, statement=statement, after_id=after, limit=_ROWS + 1)
            extra: dict[str, Any] = {}
            if purse == "commission":
                extra["buckets"] = await read_buckets(tx, shop_id=mine.shop_id, reseller_id=mine.id)
                extra["claims"] = await list_claims(
                    tx, shop_id=mine.shop_id, reseller_id=mine.id, page=PlacePage(size=_ROWS)
                )
                extra["program"] = await read_program(tx, shop_id=mine.shop_id)
        shown = lines[:_ROWS]
        place = desk.ids.write(Kind.ENTRY, shown[-1].entry_id) if len(lines) > _ROWS else ""
        return self._page(
            "balance.html" if purse == "prepaid" else "commission.html",
            desk,
            code=422 if error else 200,
            here="balance" if purse == "prepaid" else "commission",
            statement=statement,
            since=statement.since.date() if statement.since else None,
            until=(statement.until - timedelta(microseconds=1)).date(),
            lines=shown,
            after=place,
            is_first=not after,
            kind_word=kind_word,
            typed=form or {},
            done=request.query_params.get("done", ""),
            error=wrong_words(error, currency=mine.currency) if error else "",
            **extra,
        )

    async def _statement(
        self, tx: Transaction, desk: Desk, purse: Purse, request: Request
    ) -> Statement:
        """The statement of the days that are asked for, the last month's unless others are."""
        today = self._clock.now().astimezone(UTC).date()
        query = request.query_params
        last = day_in(query.get("to", "")) or today
        first = day_in(query.get("from", "")) or min(last, today) - timedelta(days=_DAYS)
        return await read_statement(
            tx,
            shop_id=desk.mine.shop_id,
            reseller_id=desk.mine.id,
            purse=purse,
            since=midnight(min(first, last)),
            until=midnight(last) + timedelta(days=1),
        )

    async def _keys(
        self, desk: Desk, *, secret: str = "", error: CrossdockError | None = None, done: str = ""
    ) -> Response:
        async with self._db.statement() as tx:
            known = await self._known_keys(tx, desk)
        return self._page(
            "keys.html",
            desk,
            code=422 if error else 200,
            here="keys",
            keys=[(desk.ids.write(Kind.API_KEY, each.id), each) for each in known],
            secret=secret,
            url=dynamic_url(self._public_url, api_key=secret),
            done=done,
            error=wrong_words(error, currency=desk.mine.currency) if error else "",
        )

    async def _known_keys(self, tx: Transaction, desk: Desk) -> list[Any]:
        return await list_reseller_keys(tx, shop_id=desk.mine.shop_id, reseller_id=desk.mine.id)

    async def _desk(self, request: Request) -> Desk:
        """The relationship that the address names. Raises SignInNeeded, NotFound."""
        visit = await self._gate.require_person(request)
        wanted = request.path_params["id"]
        async with self._db.statement() as tx:
            mine = await list_relationships(tx, person_id=visit.person.id)
        for each in mine:
            ids = await self._shop_ids.of(each.shop_id)
            if ids.find(Kind.RELATIONSHIP, wanted) == each.id:
                return Desk(visit=visit, mine=each, ids=ids, id=wanted)
        raise NotFound("not_found")

    async def _sent(self, request: Request) -> tuple[Desk, Form]:
        """The same for a form of this session, while the shop is not suspended."""
        desk = await self._desk(request)
        form = await self._gate.checked_form(request, visit=desk.visit)
        async with self._db.statement() as tx:
            await require_running(tx, shop_id=desk.mine.shop_id)
        return desk, form

    def _page(self, template: str, desk: Desk, *, code: int = 200, **values: object) -> Response:
        return self._frame.page(
            template,
            code=code,
            visit=desk.visit,
            desk=desk,
            mine=desk.mine,
            state=STATES[desk.mine.status],
            modes=MODES,
            claim_states=CLAIM_STATES,
            **values,
        )


def _purse_of(request: Request) -> Purse:
    """The purse that the last part of the address names. Raises NotFound."""
    name = request.path_params.get("purse") or request.url.path.rpartition("/")[2]
    if name not in _PURSES:
        raise NotFound("not_found")
    return _PURSES[name]


def _to(address: str) -> Response:
    return RedirectResponse(address, status_code=303, headers=HEADERS)
