"""What a reseller's money did, to be read and kept as a file, and its campaigns."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final, get_args

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.gate import Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.kit.numbers import read_number
from crossdock.kit.paging import PlacePage
from crossdock.shop.people import Visit
from crossdock.shop.resellers import (
    STATEMENT_LINES_MAX,
    CampaignChanges,
    CampaignStatus,
    Purse,
    Statement,
    change_campaign,
    list_campaigns,
    read_balance,
    read_lines,
    read_reseller,
    read_statement,
    statement_csv,
    statement_pdf,
    stream_lines,
)
from crossdock.shop.shops import read_shop_by_id
from crossdock.web.console.events import day_in
from crossdock.web.console.paging import (
    PAGE_SIZE,
    paging,
    path_number,
    place_text,
    read_place,
)
from crossdock.web.console.rendering import HEADERS, Pages, redirect
from crossdock.web.console.reselling import RESELLERS, RIGHT

STATEMENT_RIGHT: Final = "ledger.read"
PURSES: Final[tuple[Purse, ...]] = get_args(Purse)
_STATUSES: Final[dict[str, CampaignStatus]] = {
    "active": "active",
    "paused": "paused",
    "revoked": "revoked",
}
_DONE: Final = {
    "active": lazy("The campaign is active again."),
    "paused": lazy("The campaign is paused: it shows no goods, and earns nothing."),
    "revoked": lazy("The campaign is revoked for ever."),
}


class ResellerMoney:
    """The statements of a relationship, and its campaigns."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    def gets(self) -> Mapping[str, Callable[[Request], Awaitable[Response]]]:
        """The pages and files by path."""
        one = f"{RESELLERS}/{{reseller}}"
        return {
            f"{one}/statement": self.statement,
            f"{one}/statement.csv": self.statement_csv,
            f"{one}/statement.pdf": self.statement_pdf,
            f"{one}/campaigns": self.campaigns,
        }

    def posts(self) -> Mapping[str, Callable[[Request], Awaitable[Response]]]:
        """What changes something, by path."""
        return {f"{RESELLERS}/{{reseller}}/campaigns/{{campaign}}": self.change_campaign}

    async def statement(self, request: Request) -> Response:
        """The lines of a time, the oldest first, with the balance after each."""
        visit = await self._gate.require_person(request, right=STATEMENT_RIGHT)
        after = read_number(request.query_params.get("after", "")) or 0
        async with self._db.statement() as tx:
            head = await self._read(tx, request, visit)
            lines = await read_lines(tx, statement=head, after_id=after, limit=PAGE_SIZE + 1)
        return self._pages.page(
            "reseller_statement.html",
            visit=visit,
            statement=head,
            lines=lines[:PAGE_SIZE],
            purses=PURSES,
            asked={name: request.query_params.get(name, "") for name in ("since", "until")},
            after=after,
            following=lines[PAGE_SIZE - 1].entry_id if len(lines) > PAGE_SIZE else None,
            has_pdf=head.lines <= STATEMENT_LINES_MAX,
        )

    async def statement_csv(self, request: Request) -> Response:
        """All lines of a time as CSV."""
        visit = await self._gate.require_person(request, right=STATEMENT_RIGHT)
        async with self._db.statement() as tx:
            head = await self._read(tx, request, visit)

        async def pieces() -> AsyncIterator[bytes]:
            async for piece in statement_csv(head, stream_lines(self._db, statement=head)):
                yield piece.encode()

        return StreamingResponse(
            pieces(), media_type="text/csv; charset=utf-8", headers=_named(head, "csv")
        )

    async def statement_pdf(self, request: Request) -> Response:
        """All lines of a time as PDF. Raises Invalid `invalid_input` for more than it takes."""
        visit = await self._gate.require_person(request, right=STATEMENT_RIGHT)
        async with self._db.statement() as tx:
            head = await self._read(tx, request, visit)
        if head.lines > STATEMENT_LINES_MAX:
            raise Invalid(
                "invalid_input", gettext("It has too many lines for a PDF: take the CSV file.")
            )
        lines = [line async for line in stream_lines(self._db, statement=head)]
        made = await asyncio.to_thread(
            statement_pdf, head, lines, fonts=self._services.label_fonts, now=self._clock.now()
        )
        return Response(made, media_type="application/pdf", headers=_named(head, "pdf"))

    async def campaigns(self, request: Request) -> Response:
        """The campaigns of a relationship with what they brought, the newest first."""
        visit = await self._gate.require_person(request, right=RIGHT)
        page = PlacePage(size=PAGE_SIZE, after=read_place(request.query_params))
        shop_id, number = visit.person.shop_id, path_number(request, "reseller")
        async with self._db.statement() as tx:
            reseller = await read_reseller(tx, shop_id=shop_id, reseller_id=number)
            balance = await read_balance(tx, shop_id=shop_id, reseller_id=number)
            found = await list_campaigns(tx, shop_id=shop_id, reseller_id=number, page=page)
        campaigns, has_more = page.cut(found)
        older = place_text((campaigns[-1].created_at, campaigns[-1].id)) if has_more else None
        return self._pages.page(
            "reseller_campaigns.html",
            visit=visit,
            reseller=reseller,
            currency=balance.currency,
            campaigns=campaigns,
            done=_DONE.get(request.query_params.get("done", ""), ""),
            paging=paging(request, older=older),
        )

    async def change_campaign(self, request: Request) -> Response:
        """Pause a campaign, make it active again, or revoke it, which asks to be confirmed."""
        visit, form = await self._gate.require_form(request, right=RIGHT)
        number, word = path_number(request, "reseller"), form.get("status", "")
        if word not in _STATUSES:
            raise Invalid("invalid_input", gettext("The form names no action."))
        if word == "revoked" and form.get("sure") != "on":
            raise Invalid(
                "invalid_input", gettext("Confirm that it is revoked; this cannot be undone.")
            )
        async with self._db.begin() as tx:
            await change_campaign(
                tx,
                shop_id=visit.person.shop_id,
                reseller_id=number,
                campaign_id=path_number(request, "campaign"),
                changes=CampaignChanges(status=_STATUSES[word]),
                now=self._clock.now(),
            )
        return redirect(f"{RESELLERS}/{number}/campaigns?done={word}")

    async def _read(self, tx: Transaction, request: Request, visit: Visit) -> Statement:
        """The head of the statement of the address: a purse, from a day on, before another."""
        values, shop_id = request.query_params, visit.person.shop_id
        purse = next((each for each in PURSES if each == values.get("purse")), PURSES[0])
        zone = (await read_shop_by_id(tx, shop_id=shop_id)).zone
        until: datetime | None = day_in(values.get("until", ""), zone)
        return await read_statement(
            tx,
            shop_id=shop_id,
            reseller_id=path_number(request, "reseller"),
            since=day_in(values.get("since", ""), zone),
            until=until or self._clock.now(),
            purse=purse,
        )


def _named(head: Statement, suffix: str) -> dict[str, str]:
    name = f"statement-{head.purse}-{head.reseller_id}.{suffix}"
    return {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
