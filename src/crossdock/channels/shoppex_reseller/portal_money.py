"""`/portal/v1`: the prepaid balance, and its statement as JSON, CSV or PDF."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.portal_keys import own_reseller
from crossdock.channels.shoppex_reseller.reseller import (
    ShownBalance,
    ShownProduct,
    get_balance,
    get_products,
)
from crossdock.channels.shoppex_reseller.routes import PORTAL, Route
from crossdock.channels.shoppex_reseller.wire import File, Reply, iso, text
from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid
from crossdock.shop.resellers import (
    STATEMENT_LINES_MAX,
    Named,
    Purse,
    Statement,
    StatementLine,
    read_lines,
    read_statement,
    statement_csv,
    statement_pdf,
    stream_lines,
)

if TYPE_CHECKING:
    from crossdock.shop.warehouse import LabelFonts

_FORMATS: Final = {"JSON": "json", "CSV": "csv", "PDF": "pdf"}
_KINDS: Final[dict[Named, Kind]] = {
    "entry": Kind.ENTRY,
    "order": Kind.ORDER,
    "payment": Kind.PAYMENT,
    "fulfilment": Kind.FULFILLMENT,
}


class ShownLine(msgspec.Struct, kw_only=True):
    """A change of the balance; what was debited is negative. Ids are of what caused it."""

    id: str
    at: str | None
    kind: str
    amount: str | None
    balance: str | None
    currency: str
    order_id: str | None
    payment_id: str | None
    fulfillment_id: str | None
    external_order_id: str | None
    reason: str


class ShownStatement(msgspec.Struct, kw_only=True):
    """The head of a statement, beside its lines: opening and all lines make closing."""

    currency: str
    opening_balance: str | None
    closing_balance: str | None
    lines: int
    since: str | None
    until: str | None


class Statements:
    """The statements of the relationship's prepaid balance and of its commission."""

    def __init__(self, db: Database, *, fonts: "Callable[[], LabelFonts]") -> None:
        self._db = db
        self._fonts = fonts

    async def get(self, call: Call) -> Reply:
        """The statement of the prepaid balance."""
        return await self._get(call, "prepaid")

    async def get_commission(self, call: Call) -> Reply:
        """The statement of commission."""
        return await self._get(call, "commission")

    async def _get(self, call: Call, purse: Purse) -> Reply:
        """The statement in the format that is asked for; `from` is within, `to` is not."""
        filters = call.filters()
        since, until = filters.moment("from"), filters.moment("to")
        kind = filters.choice("format", _FORMATS) or "json"
        if since and until and since >= until:
            filters.refuse("to", "must be later than `from`")
        filters.check()
        async with self._db.statement() as tx:
            statement = await read_statement(
                tx,
                shop_id=call.shop_id,
                reseller_id=await own_reseller(call, tx),
                purse=purse,
                since=since,
                until=until or call.now + timedelta(microseconds=1),
            )
        if kind == "json":
            return await self._json(call, statement)
        file = (
            self.pdf(statement, now=call.now)
            if kind == "pdf"
            else self.csv(statement, ids=call.ids)
        )
        return Reply(file=await file)

    async def _json(self, call: Call, statement: Statement) -> Reply:
        page = call.place_page(Kind.ENTRY)
        async with self._db.statement() as tx:
            found = await read_lines(
                tx,
                statement=statement,
                after_id=page.after[1] if page.after else 0,
                limit=page.size + 1,
            )
        return cursor_list(
            found,
            page=page,
            kind=Kind.ENTRY,
            ids=call.ids,
            place=lambda line: (line.at, line.entry_id),
            show=lambda line: _show_line(call, line),
            statement=_show(statement),
        )

    async def csv(self, statement: Statement, *, ids: WireIds) -> File:
        """The statement as a table, with the ids of what its lines name."""

        def naming(kind: Named, number: int) -> str:
            return ids.write(_KINDS[kind], number)

        async def pieces() -> AsyncIterator[bytes]:
            lines = stream_lines(self._db, statement=statement)
            async for piece in statement_csv(statement, lines, naming=naming):
                yield piece.encode()

        name = f"{_name(statement)}.csv"
        return File(pieces=pieces(), content_type="text/csv; charset=utf-8", name=name)

    async def pdf(self, statement: Statement, *, now: datetime) -> File:
        """The statement on paper. Raises Invalid `invalid_input` for one that is too long for it."""
        if statement.lines > STATEMENT_LINES_MAX:
            message = f"has more than {STATEMENT_LINES_MAX} lines: choose a shorter time, or CSV"
            raise Invalid("invalid_input", message, {"field": "format"})
        lines = [line async for line in stream_lines(self._db, statement=statement)]
        made = await asyncio.to_thread(
            statement_pdf, statement, lines, fonts=self._fonts(), now=now
        )

        async def pieces() -> AsyncIterator[bytes]:
            yield made

        name = f"{_name(statement)}.pdf"
        return File(pieces=pieces(), content_type="application/pdf", name=name)


def _name(statement: Statement) -> str:
    since = f"{statement.since:%Y-%m-%d}-" if statement.since else ""
    begin = "statement" if statement.purse == "prepaid" else "commission"
    return f"{begin}-{since}{statement.until:%Y-%m-%d}"


def _show(statement: Statement) -> ShownStatement:
    return ShownStatement(
        currency=statement.currency,
        opening_balance=text(statement.opening_minor, statement.currency),
        closing_balance=text(statement.closing_minor, statement.currency),
        lines=statement.lines,
        since=iso(statement.since),
        until=iso(statement.until),
    )


def _show_line(call: Call, line: StatementLine) -> ShownLine:
    def named(kind: Kind, number: int | None) -> str | None:
        return None if number is None else call.ids.write(kind, number)

    return ShownLine(
        id=call.ids.write(Kind.ENTRY, line.entry_id),
        at=iso(line.at),
        kind=line.kind,
        amount=text(line.amount_minor, line.currency),
        balance=text(line.balance_minor, line.currency),
        currency=line.currency,
        order_id=named(Kind.ORDER, line.order_id),
        payment_id=named(Kind.PAYMENT, line.payment_id),
        fulfillment_id=named(Kind.FULFILLMENT, line.fulfilment_id),
        external_order_id=line.external_order_id,
        reason=line.reason,
    )


_TIME: Final[dict[str, Any]] = {"type": "string", "description": "A date, or a time, in UTC."}

_ASKED: Final[dict[str, dict[str, Any]]] = {
    "from": _TIME,
    "to": _TIME,
    "format": {"type": "string", "enum": ["json", "csv", "pdf"]},
}


def create_routes(statements: Statements) -> tuple[Route, ...]:
    """The routes of this file."""
    return (
        Route(
            method="GET", path=f"{PORTAL}/balance", name="getMyBalance",
            summary="The relationship's prepaid balance.", reads=get_balance, answer=ShownBalance,
        ),
        Route(
            method="GET", path=f"{PORTAL}/products", name="listMyProducts",
            summary="The products that can be fulfilled, with the relationship's prices.",
            reads=get_products, answer=ShownProduct, listed="page",
        ),
        Route(
            method="GET", path=f"{PORTAL}/statement", name="getStatement",
            summary="Every change of the prepaid balance, oldest first; also as CSV or PDF.",
            acts=statements.get, answer=ShownLine, listed="cursor", query=_ASKED,
        ),
        Route(
            method="GET", path=f"{PORTAL}/commission/statement", name="getCommissionStatement",
            summary="Every commission that was earned, taken back or paid out, oldest first; also as CSV or PDF.",
            acts=statements.get_commission, answer=ShownLine, listed="cursor", query=_ASKED,
        ),
    )  # fmt: skip
